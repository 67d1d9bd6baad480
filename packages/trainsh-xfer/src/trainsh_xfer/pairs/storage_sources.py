"""Finds what a transfer with a storage copies, and where to. Each file or folder gets its own run of rclone."""

import fnmatch
import os
import posixpath
import re
from collections.abc import Callable
from pathlib import Path

import msgspec

from trainsh_base.errors import NotFound, UsageError
from trainsh_xfer.endpoints import guards, local_paths
from trainsh_xfer.endpoints.local_paths import WILDCARDS, means_contents
from trainsh_xfer.endpoints.places import InStorage, Place
from trainsh_xfer.endpoints.storages import HostFolder
from trainsh_xfer.engines.rclone_program import Row
from trainsh_xfer.model import Options

# `List` is a function that returns the rows of a folder. `Look` is a function that returns the row of a path, or
# None if nothing is there.
List = Callable[[str], list[Row]]
Look = Callable[[str], Row | None]


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """One run of rclone: both sides as rclone names them, and whether they are single files.

    `name` is the name of the folder that is copied, or empty when only the contents of the folder are copied.
    """

    source: str
    destination: str
    one_file: bool
    name: str = ""


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A source: its name for rclone, its base name, and whether it is a folder.

    If `contents` is true, only the contents of the folder are copied.
    """

    at: str
    name: str
    folder: bool
    contents: bool


def local(place: Place) -> list[Found]:
    """The sources on this machine. Raises NotFound when there are none."""
    found = []
    for path in local_paths.expanded(place.path, place.fixed, literal=place.literal):
        bare = os.path.abspath(path)  # noqa: PTH100 - links stay as they are
        found.append(
            Found(at=bare, name=posixpath.basename(bare), folder=Path(bare).is_dir(), contents=means_contents(path))
        )
    return found


def stored(place: InStorage, rows: List, look: Look) -> list[Found]:
    """The sources in a storage, with wildcards expanded. Raises NotFound when there are none."""
    paths = [place.path.rstrip("/") or place.path[:1]]
    if not place.literal and WILDCARDS & set(place.path):
        paths = _expanded(place, rows) or paths
    contents = means_contents(place.path) or not place.path.strip("/")
    return [_stored(place, path, contents, look) for path in paths]


def _stored(place: InStorage, path: str, contents: bool, look: Look) -> Found:
    at = place.storage.at(path)
    row = look(at)
    if row is None:
        on_host = isinstance(place.storage, HostFolder)
        hint = "" if on_host else f"train storage ls {place.storage.label}"
        raise NotFound(
            f"there is nothing at {place.text}", hint, code="no_file",
            data={"path": path},
        )  # fmt: skip
    if contents and path and not row.IsDir:
        raise NotFound(f"not a folder: {place.text}", code="not_a_folder", data={"path": path})
    return Found(at=at, name=posixpath.basename(path), folder=row.IsDir, contents=contents and row.IsDir)


def _expanded(place: InStorage, rows: List) -> list[str]:
    """The paths that match a pattern.

    For each part of the pattern that has wildcards, the folders that match so far are listed.
    """
    paths = ["/" if place.path.startswith("/") else ""]
    for part in place.path.strip("/").split("/"):
        if not WILDCARDS & set(part):
            paths = [posixpath.join(path, part) for path in paths]
            continue
        names = {path: [row.Name for row in rows(place.storage.at(path))] for path in paths}
        matches = re.compile(fnmatch.translate(part)).match
        hidden = part.startswith(".")
        paths = [
            posixpath.join(path, name)
            for path in paths
            for name in sorted(names[path])
            if matches(name) and (hidden or not name.startswith("."))
        ]
    return paths


def pieces(found: list[Found], destination: Place | InStorage, is_folder: Callable[[], bool]) -> list[Piece]:
    """One `Piece`, which is a run of rclone, for each source.

    `is_folder` returns whether the destination is an existing folder.
    """
    into = destination.path.endswith(("/", "/.")) or len(found) > 1
    runs = []
    for one in found:
        if one.folder:
            name = "" if one.contents else one.name
            runs.append(Piece(source=one.at, destination=_below(destination, name), one_file=False, name=name))
        else:
            inside = into or is_folder()
            runs.append(
                Piece(source=one.at, destination=_below(destination, one.name if inside else ""), one_file=True)
            )
    return runs


def _below(place: Place | InStorage, name: str) -> str:
    if isinstance(place, InStorage):
        return place.storage.at(f"{place.path.rstrip('/')}/{name}" if name else place.path)
    return posixpath.normpath(posixpath.join(place.path, name))


def check(found: list[Found], destination: Place | InStorage, options: Options) -> None:
    """Refuse to delete everything in a storage or a home folder. Refuse to copy a place onto itself."""
    contents = [one.at + "/" for one in found if one.contents]
    if options.delete and len(contents) > 1:
        raise UsageError(
            "--delete with the contents of several folders would delete each other's files",
            "copy one folder, or copy the folders themselves (without the slash at the end)", code="usage",
        )  # fmt: skip
    if options.delete and contents and not options.force:
        if isinstance(destination, Place):
            home = os.path.realpath(os.path.expanduser("~"))  # noqa: PTH111 - text in, text out
            guards.check_deletion(contents, os.path.realpath(destination.path), [home])
        elif isinstance(destination.storage, HostFolder):
            guards.check_deletion(contents, posixpath.normpath(destination.path), [])
        elif not destination.path.strip("/"):
            raise UsageError(
                f"--delete would remove every file in {destination.storage.label} that the source does not have",
                "name a folder in it, or add --force if that is what you want",
                code="dangerous_delete", data={"path": destination.path},
            )  # fmt: skip
