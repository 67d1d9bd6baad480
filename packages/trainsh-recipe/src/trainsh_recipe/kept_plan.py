"""Keeps the plans of the lines of `exec`, so that train-dsl is not started for a text that ran before.

A plan is kept if it depends only on its text: it only runs commands on hosts that are given by their names. A kept
plan is used as long as the files of train-dsl are unchanged. There are SLOTS files; a new text replaces the text in
its slot.
"""

import binascii
import os
import sys

from trainsh_base import VERSION
from trainsh_base.errors import Conflict
from trainsh_base.system import spawn
from trainsh_base.system.paths import runtime_folder

FORMAT = 2  # of the documents that are kept
SLOTS = 64
LONGEST = 4000  # the most bytes of a text whose plan is kept


def text_of(argv: list[str]) -> str:
    """Return the text of a command line of `exec`. Return "" if the line has options other than --json."""
    words = [word for word in argv[1:] if word != "--json"]
    return "" if any(word.startswith("-") for word in words) else "\n".join(words)


def find(text: str) -> bytes | None:
    """Return what was kept for `text`, or None if nothing was kept."""
    data = text.encode("utf-8", "surrogateescape")
    if not 0 < len(data) <= LONGEST:
        return None
    try:
        with open(_path(data), "rb") as file:  # noqa: PTH123 - its name is text
            kept = file.read()
    except (OSError, Conflict):
        return None
    head = _head(data)
    return kept[len(head) :] if head and kept.startswith(head) else None


def keep(text: bytes, plan: bytes) -> None:
    """Keep `plan`, a JSON document with the plan of `text` and with digests, for `find`."""
    head = _head(text) if len(text) <= LONGEST else b""
    if not head:
        return
    try:
        path = _path(text)
        aside = f"{path}.{os.getpid()}"
        with open(aside, "wb", opener=_private) as file:
            file.write(head + plan)
        os.replace(aside, path)  # noqa: PTH105 - pathlib is not needed for it
    except (OSError, Conflict):  # the next run asks train-dsl again
        return


def _head(text: bytes) -> bytes:
    """Return the beginning of a text's file, which is the stamp of train-dsl and the text.

    Return b"" if there is no stamp.
    """
    stamp = _stamp()
    return b"%s\n%d\n%s\n" % (stamp.encode(), len(text), text) if stamp else b""


def _stamp() -> str:
    """Return a text that changes when train-dsl is changed, or "" if the files of train-dsl are not known."""
    program = spawn.tool_path("dsl")
    if program is None or os.path.dirname(program) != os.path.dirname(sys.executable):  # noqa: PTH120
        return ""  # train-dsl may belong to another Python
    module = _imported_by(program)
    for folder in sys.path:
        package = os.path.join(folder, module)  # noqa: PTH118
        if module and os.path.isdir(package):  # noqa: PTH112
            newest, count = _newest(package)
            return f"{FORMAT} {VERSION} {package} {newest} {count}"
    return ""


def _imported_by(program: str) -> str:
    """Return the package whose `main` the program runs, or "" if the program is no entry point of a package."""
    try:
        with open(program, encoding="utf-8", errors="replace") as file:  # noqa: PTH123
            lines = file.read(2000).splitlines()
    except OSError:
        return ""
    return next((line[5:].partition(".")[0] for line in lines if line.startswith("from ")), "")


def _newest(folder: str) -> tuple[int, int]:
    """Return the time of the newest change in `folder`, and how many files the folder has."""
    newest, count = 0, 0
    for entry in os.scandir(folder):
        if entry.is_dir():
            if entry.name != "__pycache__":
                below = _newest(entry.path)
                newest, count = max(newest, below[0]), count + below[1]
        else:
            newest, count = max(newest, entry.stat().st_mtime_ns), count + 1
    return newest, count


def _path(text: bytes) -> str:
    return f"{runtime_folder()}/p-{binascii.crc32(text) % SLOTS:02d}"


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
