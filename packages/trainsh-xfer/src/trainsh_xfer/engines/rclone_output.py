"""Parses rclone's JSON log as it arrives: progress, the changes of a dry run, errors of single files."""

import re
from collections.abc import Callable

import msgspec

from trainsh_base.remote.rclone import brief, works
from trainsh_base.system.units import format_duration, format_size
from trainsh_xfer.engines.rsync_output import Progress
from trainsh_xfer.model import Change

MOST_KEPT = 50
# bytes; a larger file is reported, because an interrupted copy of a file starts again from its beginning
LARGE = 5_000_000_000
# bytes; rclone counts what it has written to its connections, and they take some megabytes before any byte arrives
BEGINNING = 32_000_000
MOST_LOST = 16  # how many files in a row may fail because the service does not answer
_UNCHECKED = re.compile(r"(\d+) hashes could not be checked")


class _File(msgspec.Struct):
    name: str = ""
    size: int = 0


class _Stats(msgspec.Struct):
    bytes: int = 0
    totalBytes: int = 0  # named as in rclone's log
    speed: float = 0.0
    eta: float | None = None
    transfers: int = 0
    checks: int = 0
    deletes: int = 0
    listed: int = 0
    transferring: list[_File] = []


class _Line(msgspec.Struct):
    level: str = ""
    msg: str = ""
    object: str = ""
    size: int = 0
    skipped: str = ""
    stats: _Stats | None = None


class Hopeless(Exception):
    """The service refuses the requests or cannot be reached, so that it is useless to continue.

    This is raised if nothing has been copied yet, or if MOST_LOST files in a row have failed. rclone is then
    stopped, because it would retry each file for minutes. `said` is rclone's error.
    """

    def __init__(self, said: str) -> None:
        super().__init__(said)
        self.said = said


class Log:
    """The log of one run of rclone.

    `failed` maps each file that was not copied to the reason. `said` is the last error. `unchecked` is the number
    of files that a comparison could not check, because the two sides have no kind of checksum in common. `on_large`
    is called once for each file above LARGE, with the name and the size of the file.
    """

    def __init__(
        self,
        *,
        keep: bool,
        on_progress: Callable[[Progress], None] | None = None,
        on_large: Callable[[str, int], None] | None = None,
    ) -> None:
        self.files = 0
        self.bytes = 0
        self.deleted = 0
        self.changes: list[Change] = []
        self.failed: dict[str, str] = {}
        self.failures = 0
        self.said = ""
        self.unchecked = 0
        self._on_large = on_large
        self._large: set[str] = set()
        self._lost = 0
        self._keep = keep
        self._on_progress = on_progress
        self._rest = b""

    def feed(self, chunk: bytes) -> None:
        """Parse a chunk of output. A chunk may end in the middle of a line. Raises Hopeless if rclone must be
        stopped.
        """
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        for line in lines:
            self._line(line)

    def restart(self) -> None:
        """Set all counts back to zero, because the run begins again."""
        self.files = self.bytes = self.deleted = self.failures = self.unchecked = 0
        self.said, self._rest, self._lost = "", b"", 0
        self.changes.clear()
        self.failed.clear()

    def finish(self) -> None:
        """Parse the last line if it has no line end."""
        self._line(self._rest)
        self._rest = b""

    def _line(self, text: bytes) -> None:
        try:
            line = msgspec.json.decode(text, type=_Line)
        except (msgspec.DecodeError, UnicodeDecodeError):
            if text.strip():
                self.said = brief(text.decode(errors="backslashreplace"))
            return
        if line.stats:
            self._stats(line.stats)
        elif line.skipped:
            self._skipped(line)
        elif line.level in ("error", "critical"):
            self._error(line)
        elif found := _UNCHECKED.search(line.msg):
            self.unchecked = int(found[1])
        elif line.msg.startswith("Failed to"):
            self.said = brief(line.msg)

    def _stats(self, stats: _Stats) -> None:
        self._lost = 0 if stats.transfers > self.files else self._lost
        self.files, self.bytes, self.deleted = stats.transfers, stats.bytes, stats.deletes
        for file in stats.transferring:
            if self._on_large and file.size > LARGE and file.name not in self._large:
                self._large.add(file.name)
                self._on_large(file.name, file.size)
        if self._on_progress:
            left = f", ETA {format_duration(stats.eta)}" if stats.eta is not None else ""
            said = f"{format_size(stats.speed)}/s{left}"
            looked = stats.checks + stats.listed + stats.deletes
            self._on_progress(Progress(stats.bytes, stats.totalBytes, said, stats.transfers, looked))

    def _skipped(self, line: _Line) -> None:
        """Record a line of a dry run, which tells what would have been done to one file."""
        action = {"copy": "update", "move": "update", "delete": "delete"}.get(line.skipped)
        if self._keep and action:
            size = 0 if action == "delete" else line.size
            document = {"action": action, "kind": "file", "path": line.object, "size": size}
            self.changes.append(msgspec.convert(document, Change))

    def _error(self, line: _Line) -> None:
        self.said = brief(line.msg)
        if not works(self.said):
            self._lost += 1
            if self._lost > MOST_LOST or (not self.files and self.bytes < BEGINNING):
                raise Hopeless(self.said)
        if line.object:
            self.failures += line.object not in self.failed
            if len(self.failed) < MOST_KEPT:
                self.failed[line.object] = self.said
