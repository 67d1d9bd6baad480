"""Local paths: `~`, wildcards, relative paths, and folders that a copy creates or leaves empty."""

import glob
import os
from pathlib import Path

from trainsh_base.errors import NotFound, TrainError, UsageError

WILDCARDS = frozenset("*?[")


def absolute(path: str, cwd: str, *, literal: bool) -> tuple[str, int]:
    """The absolute form of `path`, which is relative to `cwd`, and the length of the prefix that has no wildcards.

    A slash or dot at the end of the path is kept. A leading `~` or `~user` is expanded to a home folder, unless
    `literal` is true.
    """
    home = "" if literal or not path.startswith("~") else _home(path)
    if home:
        rest = path.partition("/")[2]
        return home + ("/" + rest if "/" in path else ""), len(home)
    if path.startswith("/"):
        return path, 0
    start = cwd.rstrip("/") + "/"
    return start + path, len(start)


def _home(path: str) -> str:
    user = path.partition("/")[0]
    home = os.path.expanduser(user)  # noqa: PTH111 - pathlib fails for an unknown user, as in `~x`
    return "" if home == user else home.rstrip("/")


def expanded(path: str, fixed: int, *, literal: bool) -> list[str]:
    """The paths that `path` matches. Wildcards after the first `fixed` characters are expanded as a shell does it.

    A wildcard does not match a leading dot. A pattern that matches nothing is taken as a file name. Raises NotFound
    if no file has this name, or if `path` names a file but ends with a slash.
    """
    if not literal and WILDCARDS & set(path[fixed:]):
        found = sorted(glob.glob(glob.escape(path[:fixed]) + path[fixed:]))  # noqa: PTH207 - slashes are kept
        if found:
            return found
    bare = path.rstrip("/") or "/"
    if not os.path.lexists(bare):
        raise NotFound(f"no such file or folder: {path}", _near(bare), code="no_file", data={"path": path})
    if path != bare and not Path(bare).is_dir():
        raise NotFound(f"not a folder: {path}", f"for the file: {bare}", code="not_a_folder", data={"path": path})
    return [path]


def _near(path: str) -> str:
    """A hint that shows what is in the deepest folder above `path` that exists."""
    folder = Path(path).parent
    while not folder.exists():
        folder = folder.parent
    return f"to see what is there: ls {folder}"


def working_folder(given: str | None) -> str:
    """The folder to which paths are relative: `given`, or the current folder if `given` is None.

    Raises UsageError if the folder does not exist.
    """
    try:
        folder = given or os.getcwd()  # noqa: PTH109 - this keeps symbolic links in the path
    except FileNotFoundError:
        raise UsageError("the current folder has been removed", "cd to another one", code="no_folder") from None
    if not Path(folder).is_dir():
        raise UsageError(f"no such folder: {folder}", "give --cwd a folder", code="no_folder")
    return os.path.abspath(folder)  # noqa: PTH100 - as above


def make_parents(path: str) -> list[Path]:
    """Create the folders above `path`. Return those that were missing, the deepest first.

    The last part of `path` is not created, because rsync creates it as a file or as a folder.
    """
    parent = Path(path.rstrip("/") or "/").parent
    missing = [folder for folder in (parent, *parent.parents) if not folder.exists()]
    try:
        parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TrainError(f"cannot make the folder {parent}: {error.strerror}", code="cannot_write") from None
    return missing


def remove_made(made: list[Path]) -> None:
    """Remove those folders that `make_parents` has created and that are still empty."""
    for folder in made:
        try:
            folder.rmdir()
        except OSError:
            return


def remove_empty(path: str) -> None:
    """Remove the empty folders under `path`.

    Also remove `path` itself, unless `path` is written so that it means only the folder's contents.
    """
    if os.path.islink(path.rstrip("/")) and not means_contents(path):  # noqa: PTH114 - the text's slash matters
        return
    for folder, _, _ in os.walk(path, topdown=False):
        if folder != path or not means_contents(path):
            try:
                os.rmdir(folder)  # noqa: PTH106
            except OSError:
                continue


def means_contents(path: str) -> bool:
    """Whether rsync copies only the contents of this source, and not the folder itself."""
    return path.rsplit("/", 1)[-1] in ("", ".", "..")


def root_of(source: str) -> str:
    """The folder to which the names in rsync's output for this source are relative.

    The result ends with a slash or a dot.
    """
    return source if means_contents(source) else source[: source.rfind("/") + 1] or "./"
