"""The listing of a folder, for programs and pipes."""

import time

from trainsh_base.remote.target import Target
from trainsh_base.request import Request
from trainsh_base.system.printable import visible
from trainsh_base.system.units import format_size
from trainsh_base.tool.display import table
from trainsh_host.browse.files import files_of
from trainsh_host.browse.model import Entry


def listing(target: Target, path: str, request: Request) -> list[Entry]:
    """The files in the folder at `path`, or the one file at `path`.

    Folders come first, then files. Both are sorted by name.
    """
    with files_of(target, request) as files:
        place = files.real_path(start_of(path))
        if files.stat(place).kind != "folder":
            return [files.stat(place).entry()]
        found = [file for batch in files.folder(place) for file in batch]
    return [file.entry() for file in sorted(found, key=lambda file: (file.kind != "folder", file.name))]


def start_of(path: str) -> bytes:
    """Convert a path that a person wrote into one for sftp.

    sftp does not know `~`, but its relative paths start in the home folder.
    """
    if path in ("", "~"):
        return b"."
    return path.removeprefix("~/").encode("utf-8", "surrogateescape")


def print_entries(entries: list[Entry]) -> None:
    """Print a line for each file."""
    table(
        [
            {
                "name": visible(entry.name, keep="") + ("/" if entry.kind == "folder" else ""),
                "size": format_size(entry.size) if entry.kind == "file" else "",
                "modified": time.strftime("%Y-%m-%d %H:%M", time.localtime(entry.modified)), "mode": entry.mode,
            }
            for entry in entries
        ]
    )  # fmt: skip
