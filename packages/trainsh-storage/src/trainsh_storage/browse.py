"""Lists the contents of a storage, and measures its size."""

import contextlib
import os
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from trainsh_base.errors import Conflict, NotFound, UsageError
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
    """The entries of a folder. Folders come first, then files. Both are sorted by name.

    Raises NotFound if the folder does not exist.
    """
    place = _not_on_a_host(storage)
    found = _in_folder(place, path) if place.engine == "folder" else _in_bucket(place, path)
    return sorted(found, key=lambda entry: (not entry.folder, entry.name))


def _in_bucket(place: Resolved, path: str) -> list[Entry]:
    rows = msgspec.json.decode(rclone.ask(place, "lsjson", rclone.path(place, path)), type=list[_Row])
    return [
        Entry(name=row.Name, folder=row.IsDir, size=None if row.IsDir else row.Size, modified=_date(row))
        for row in rows
    ]


def _date(row: _Row) -> str:
    """The date at which an entry was changed, or "" for a folder of a bucket.

    Such a folder has no date. rclone prints the start of the year 2000 for it.
    """
    none = row.IsDir and datetime.fromisoformat(row.ModTime) == datetime(2000, 1, 1, tzinfo=UTC)
    return "" if none else row.ModTime


def _in_folder(place: Resolved, path: str) -> list[Entry]:
    found = []
    with _readable(place, path) as top, os.scandir(top) as files:
        for file in files:
            # the file is a link without a target, or was just deleted
            with contextlib.suppress(FileNotFoundError):
                folder, about = file.is_dir(), file.stat()
                modified = datetime.fromtimestamp(about.st_mtime, UTC).astimezone().isoformat()
                name = os.fsencode(file.name).decode(errors="replace")
                size = None if folder else about.st_size
                found.append(Entry(name=name, folder=folder, size=size, modified=modified))
    return found


def usage(storage: Storage, path: str) -> Usage:
    """The number and total size of all files below `path`."""
    place = _not_on_a_host(storage)
    if place.engine == "folder":
        size = _size(place, path)
    else:
        size = msgspec.json.decode(rclone.ask(place, "size", "--json", rclone.path(place, path)), type=_Size)
    return Usage(name=storage.name, path=path, files=size.count, size=size.bytes)


def _size(place: Resolved, path: str) -> _Size:
    """The size of the files in a folder of this machine. Links are not followed."""
    sizes = []
    with _readable(place, path) as top:
        for folder, _, names in os.walk(top, onerror=_raise):
            for name in names:
                with contextlib.suppress(FileNotFoundError):  # the file was just deleted
                    about = os.lstat(Path(folder) / name)
                    if stat.S_ISREG(about.st_mode):
                        sizes.append(about.st_size)
    return _Size(count=len(sizes), bytes=sum(sizes))


def _raise(error: OSError) -> None:
    raise error


@contextlib.contextmanager
def _readable(place: Resolved, path: str) -> Iterator[str]:
    """The folder's absolute path.

    Raises NotFound if the folder does not exist, and Conflict if it cannot be read.
    """
    folder = os.path.abspath(rclone.path(place, path))  # noqa: PTH100 - links stay as they are
    try:
        yield folder
    except (FileNotFoundError, NotADirectoryError):
        raise NotFound(f"there is no folder {folder}", code="no_folder") from None
    except OSError as error:
        raise Conflict(f"{error.filename or folder}: {error.strerror}", code="cannot_read") from None


def _not_on_a_host(storage: Storage) -> Resolved:
    place = resolve(storage, "STORAGE")
    if place.engine == "host":
        raise UsageError(
            f"{storage.name} is a folder on {place.host}", f"train host run {place.host} -- ls {place.root}",
            code="on_a_host",
        )  # fmt: skip
    return place
