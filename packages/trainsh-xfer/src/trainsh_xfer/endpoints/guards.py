"""Checks that refuse two kinds of copies: a copy that deletes in a system or home folder, and a copy of a source
onto or into itself.
"""

import os
import posixpath
from collections.abc import Sequence

from trainsh_base.errors import UsageError
from trainsh_xfer.endpoints.local_paths import means_contents
from trainsh_xfer.model import Options

SYSTEM = frozenset(
    ["/", *(f"/{name}" for name in ("bin", "boot", "dev", "etc", "home", "lib", "lib32", "lib64", "opt", "proc"))]
    + [f"/{name}" for name in ("root", "run", "sbin", "srv", "sys", "tmp", "usr", "var", "private")]
    + [f"/{name}" for name in ("Applications", "Library", "System", "Users", "Volumes")]
)


def check_deletion(sources: Sequence[str], destination: str, homes: Sequence[str]) -> None:
    """Raise UsageError if `--delete` could remove files from a whole system folder or home folder.

    With `--force`, the caller skips this check. `destination` and `homes` are paths on the same machine. A source
    without a trailing slash is allowed, because files are then deleted only in the folder below the destination
    that has the source's name.
    """
    folder = destination.rstrip("/") or "/"
    if not any(means_contents(source) for source in sources):
        return
    if folder in SYSTEM or any(_within(home, folder) for home in homes) or _is_home(folder):
        raise UsageError(
            f"--delete would remove every file in {destination} that the source does not have",
            "name a folder below it, or add --force if that is what you want",
            code="dangerous_delete", data={"path": destination},
        )  # fmt: skip


def _is_home(folder: str) -> bool:
    """Whether a path on a host is a home folder.

    It is one if it is `~`, `~user` or `/home/user`, or a path such as `.` that stands for the home folder.
    """
    if folder in (".", "./.", "~", "~/."):
        return True
    if folder.startswith("~") and "/" not in folder:
        return True
    parts = folder.split("/")
    return len(parts) == 3 and parts[0] == "" and parts[1] in ("home", "Users")


def check_overlap(sources: Sequence[str], destination: str, options: Options) -> None:
    """Refuse a local copy of a path onto itself.

    Also refuse a copy if one side contains the other. Such a copy would lose or repeat files.
    """
    target = os.path.realpath(destination)
    for source in sources:
        real = os.path.realpath(source)
        whole = os.path.isdir(real) and means_contents(source)  # noqa: PTH112 - text in, text out
        renamed = not os.path.isdir(real) and not os.path.isdir(target)  # noqa: PTH112
        _check(real, target if whole or renamed else _inside(target, real), options, contents=whole)


def check_far_overlap(source: str, destination: str, options: Options) -> None:
    """Do the same as `check_overlap` for two paths on one host.

    The paths are compared as text, because this machine cannot resolve them.
    """
    plain, target = posixpath.normpath(source), posixpath.normpath(destination)
    contents = means_contents(source)
    lands = target if contents or plain == target else _inside(target, plain)
    _check(plain, lands, options, contents=contents)


def _check(source: str, lands: str, options: Options, *, contents: bool) -> None:
    if lands == source:
        raise UsageError(f"source and destination are the same: {source}", code="same_place")
    if _within(lands, source) and not (options.exclude and not options.move):
        raise UsageError(
            f"{lands} is inside its source {source}",
            f"exclude it: --exclude /{posixpath.relpath(lands, source).split('/')[0]}", code="inside_source",
        )  # fmt: skip
    if options.delete and contents and _within(source, lands):
        raise UsageError(
            f"--delete would remove the source: {source} is inside {lands}", "choose another destination",
            code="inside_destination",
        )  # fmt: skip


def _inside(folder: str, path: str) -> str:
    return posixpath.normpath(posixpath.join(folder, posixpath.basename(path)))


def _within(path: str, folder: str) -> bool:
    """Whether `path` is `folder` itself or is below `folder`."""
    return path == folder or path.startswith(folder.rstrip("/") + "/")
