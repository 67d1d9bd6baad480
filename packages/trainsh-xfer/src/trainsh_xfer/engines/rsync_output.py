"""Parses rsync's output as it arrives: progress, changed entries, messages."""

import re
from collections.abc import Callable

import msgspec

from trainsh_xfer.model import Change

MOST_REMARKS = 50
MOST_COPIED = 10_000  # how many names of copied files are remembered, so that none of them is counted twice

_PROGRESS = re.compile(rb"\s*([\d,.]+)\s+(\d+)%\s+([\d.]+)([kMGT]?B)/s\s+(\d+:\d\d:\d\d|\?+:\S+)\s*(?:\((.*)\)?)?")
_ENTRY = re.compile(rb"(?:(\*deleting) *|([<>ch.][fdLDS][^ ]{7,9})) (\d+) (\d+) (.*)", re.DOTALL)
_ESCAPE = re.compile(rb"\\#([0-7]{3})")
_REMARK = re.compile(rb"skipping |cannot delete |IO error|ignoring |file has vanished")
_UNITS = {b"B": "B", b"kB": "KiB", b"MB": "MiB", b"GB": "GiB", b"TB": "TiB"}  # rsync counts in 1024
_KINDS = {"f": "file", "d": "folder", "L": "link"}


class Progress(msgspec.Struct, frozen=True):
    """How far a transfer is.

    `done` bytes of `total` are transferred; `total` is 0 if it is not known. `message` has the rate, and the time
    that is left or that has passed. `files` is the number of files that have arrived. `looked` is the number of
    files that were compared, listed or deleted.
    """

    done: int
    total: int
    message: str
    files: int = 0
    looked: int = 0


class Tally:
    """Counts what rsync has reported.

    `changes` is filled only in a dry run, because it grows with the tree. `whole` means that a progress line is
    about the whole transfer, and not about one file.
    """

    def __init__(
        self, *, keep: bool, whole: bool = True, on_progress: Callable[[Progress], None] | None = None
    ) -> None:
        self.files = 0
        self._copied: set[str] = set()
        self.bytes = 0
        self.sent = 0
        self.deleted = 0
        self.changes: list[Change] = []
        self.remarks: list[str] = []
        self._remarks = 0
        self._keep = keep
        self._whole = whole
        self._on_progress = on_progress
        self._rest = b""

    def feed(self, chunk: bytes) -> None:
        """Parse a chunk of output. A chunk may end in the middle of a line."""
        *lines, self._rest = re.split(rb"[\r\n]", self._rest + chunk)
        for line in lines:
            self._line(line)
        if self._rest.endswith(b"  ") and self._progress(self._rest):
            self._rest = b""

    def finish(self) -> None:
        """Parse the last line if it has no line end."""
        self._line(self._rest)
        self._rest = b""

    def restart(self) -> None:
        """Prepare for another attempt.

        In a new attempt, a dry run lists all its changes again. A copy does not list again the files that were
        copied before.
        """
        if self._keep:
            self.files = self.bytes = self.sent = self.deleted = 0
            self._copied.clear()
            self.changes.clear()

    def _line(self, line: bytes) -> None:
        if found := _ENTRY.fullmatch(line):
            self._entry(found)
        elif line.startswith(b"deleting "):  # openrsync prints this
            self._delete(as_text(line.removeprefix(b"deleting ")))
        elif not self._progress(line) and _REMARK.match(line):
            self.remark(as_text(line))

    def remark(self, text: str) -> None:
        """Keep a message. After MOST_REMARKS messages, further messages are only counted."""
        self._remarks += 1
        if self._remarks <= MOST_REMARKS:
            self.remarks.append(text)
        else:
            self.remarks[MOST_REMARKS:] = [f"and {self._remarks - MOST_REMARKS} more such messages"]

    def _progress(self, line: bytes) -> bool:
        found = _PROGRESS.fullmatch(line)
        if found and self._on_progress:
            seen = _read_progress(found)
            done, total = (seen.done, seen.total) if self._whole else (self.bytes + seen.done, 0)
            self._on_progress(Progress(done, total, seen.message, self.files))
        return bool(found)

    def _entry(self, found: re.Match[bytes]) -> None:
        deleted, code, size, sent, name = found.groups()
        path = as_text(name)
        if deleted:
            self._delete(path)
            return
        what = code.decode()
        kind = _KINDS.get(what[1], "other")
        if what[0] in "<>" and kind == "file":
            self.sent += int(sent)
            # rsync copies a file a second time if its checksum is wrong after the first, and lists it again.
            if path not in self._copied:
                self.files += 1
                self.bytes += int(size)
            if len(self._copied) < MOST_COPIED:
                self._copied.add(path)
        self._change(_action(what), kind, path, int(size) if kind == "file" else 0)

    def _delete(self, path: str) -> None:
        self.deleted += 1
        self._change("delete", "folder" if path.endswith("/") else "file", path, 0)

    def _change(self, action: str, kind: str, path: str, size: int) -> None:
        if self._keep:
            document = {"action": action, "kind": kind, "path": path, "size": size}
            self.changes.append(msgspec.convert(document, Change))


def _action(code: str) -> str:
    """The action, as one word, that the code of an itemized change means (rsync(1), `--itemize-changes`)."""
    if code[2:].strip("+") == "":
        return "create"
    return "attributes" if code[0] == "." else "update"


def _read_progress(found: re.Match[bytes]) -> Progress:
    done = int(re.sub(rb"\D", b"", found[1]))
    share = int(found[2])
    rate, unit, clock = found[3].decode(), _UNITS[found[4]], _short(found[5].decode())
    # A line with parentheses is the last line for a file. Its time is the time that has passed.
    return Progress(
        done, done * 100 // share if share else 0, f"{rate} {unit}/s, {'in' if found[6] else 'ETA'} {clock}"
    )


def _short(left: str) -> str:
    """The time without its hours if they are 0: `0:03` for `0:00:03`, and `12:03` for `0:12:03`."""
    return left[2:].removeprefix("0") if left.startswith("0:") and left.count(":") == 2 else left


def as_text(name: bytes) -> str:
    """A file name or message of rsync as text.

    Escapes of the form `\\#ooo` are decoded. A byte that is not UTF-8 is written as `\\xNN`.
    """
    return name_in(name).decode(errors="backslashreplace")


def name_in(name: bytes) -> bytes:
    """The bytes of a file's name on disk. `name` is the name in rsync's output, where some bytes are escaped."""
    return _ESCAPE.sub(lambda found: bytes([int(found[1], 8) & 255]), name)
