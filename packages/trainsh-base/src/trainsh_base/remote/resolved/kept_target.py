"""Keeps the answers of `train-host resolve`, so that a program need not run it again for a connected machine.

An answer is used only while two things are true: the files and variables from which it was made are unchanged, and
the shared connection that it names is open.
"""

import os
import time
from collections.abc import Iterable
from pathlib import Path

import msgspec

from trainsh_base.errors import Conflict
from trainsh_base.remote.control_socket import master_pid
from trainsh_base.remote.resolved.kept_path import kept_path
from trainsh_base.remote.target import Target

Stamp = tuple[int, int, int, int]
VARIABLES = ("HOME", "TRAINSH_HOME", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR")
# Seconds for which a file must be unchanged. A second change that follows at once may leave the modification time
# as it was.
SETTLED = 2.0


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A target, the name for which it was requested, and the stamps of the files from which it was made."""

    name: str
    target: Target
    files: dict[str, Stamp | None]
    variables: dict[str, str]


_DECODER = msgspec.json.Decoder(Kept)


def stamps(files: Iterable[Path]) -> dict[str, Stamp | None]:
    """Return a stamp for each file, or None for a file that does not exist.

    When a file changes, its stamp changes.
    """
    return {str(path): _stamp(str(path)) for path in files}


def keep(name: str, target: Target, files: dict[str, Stamp | None]) -> None:
    """Keep `target` for `find`.

    `files` has the stamps of the files from which the target was made. They were taken before the files were read.
    """
    newest = max((stamp[0] for stamp in files.values() if stamp), default=0)
    if target.control_path is None or time.time() - newest / 1e9 < SETTLED or find(name) == target:
        return
    kept = Kept(name=name, target=target, files=files, variables=_variables())
    try:
        path = kept_path(name)
        aside = f"{path}.{os.getpid()}"
        with open(aside, "wb", opener=_private) as file:
            file.write(msgspec.json.encode(kept))
        os.replace(aside, path)  # noqa: PTH105
    except (OSError, Conflict):  # the next program asks train-host again
        return


def find(name: str) -> Target | None:
    """Return the kept target if it is still valid, else None."""
    try:
        with open(kept_path(name), "rb") as file:  # noqa: PTH123
            kept = _DECODER.decode(file.read())
    except (OSError, Conflict, msgspec.DecodeError):
        return None
    valid = kept.name == name and kept.variables == _variables()
    if not valid or any(_stamp(path) != stamp for path, stamp in kept.files.items()):
        return None
    connected = kept.target.control_path and master_pid(kept.target.control_path) is not None
    return kept.target if connected else None


def _stamp(path: str) -> Stamp | None:
    try:
        found = os.stat(path)  # noqa: PTH116
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino


def _variables() -> dict[str, str]:
    return {name: os.environ.get(name, "") for name in VARIABLES}


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
