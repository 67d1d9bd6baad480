"""Lists the contents of a storage, and measures its size."""

import os
from pathlib import Path

import msgspec

from trainsh_base.errors import NotFound, UsageError
from trainsh_storage import rclone
from trainsh_storage.model import Entry, Resolved, Storage, Usage
from trainsh_storage.resolve import resolve


class _Row(msgspec.Struct):
    Name: str
    Size: int
    ModTime: str
    IsDir: bool


class _Size(msgspec.Struct):
    count: int
    bytes: int


def entries(storage: Storage, path: str) -> list[Entry]:
    """The entries of a folder: folders first, then files, each sorted by name. Raises NotFound when it does not
    exist."""
    place = _with_rclone(storage)
    rows = msgspec.json.decode(rclone.ask(place, "lsjson", _target(place, path)), type=list[_Row])
    found = [
        Entry(name=row.Name, folder=row.IsDir, size=None if row.IsDir else row.Size, modified=row.ModTime)
        for row in rows
    ]
    return sorted(found, key=lambda entry: (not entry.folder, entry.name))


def usage(storage: Storage, path: str) -> Usage:
    """The number and total size of all files below `path`."""
    place = _with_rclone(storage)
    size = msgspec.json.decode(rclone.ask(place, "size", "--json", _target(place, path)), type=_Size)
    return Usage(name=storage.name, path=path, files=size.count, size=size.bytes)


def _with_rclone(storage: Storage) -> Resolved:
    place = resolve(storage, "STORAGE")
    if place.engine == "host":
        raise UsageError(
            f"{storage.name} is a folder on {place.host}", f"train host run {place.host} -- ls {place.root}",
            code="on_a_host",
        )  # fmt: skip
    return place


def _target(place: Resolved, path: str) -> str:
    target = rclone.path(place, path)
    if place.engine == "folder":
        target = os.path.abspath(target)  # noqa: PTH100 - links stay as they are
        if not Path(target).is_dir():
            raise NotFound(f"there is no folder {target}", code="no_folder")
    return target
