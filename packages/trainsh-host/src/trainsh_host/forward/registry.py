"""Keeps the forwards of this user.

Each forward has a file, and a lock that the process of the forward holds for as long as the process lives.
"""

import contextlib
import fcntl
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from trainsh_base.errors import Conflict
from trainsh_base.system.files import write_atomic
from trainsh_base.system.paths import private_folder, state_home
from trainsh_host.forward.model import Forward

END_PATIENCE = 10.0


def _folder() -> Path:
    return private_folder(state_home() / "forwards")


def _file(id: str) -> Path:
    return _folder() / f"{id}.json"


def log_file(id: str) -> Path:
    """The file to which the process of a detached forward writes its messages."""
    return _folder() / f"{id}.log"


def save(forward: Forward) -> Forward:
    """Write the forward's file."""
    write_atomic(_file(forward.id), msgspec.json.encode(forward))
    return forward


def read(id: str) -> Forward | None:
    """The forward with this id, or None if it has ended."""
    try:
        return msgspec.json.decode(_file(id).read_bytes(), type=Forward)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def forget(id: str) -> None:
    """Remove the forward's files."""
    for ending in ("json", "log", "lock"):
        (_folder() / f"{id}.{ending}").unlink(missing_ok=True)


@contextlib.contextmanager
def held(id: str) -> Iterator[int]:
    """Hold the lock of a forward in this block.

    Yield the descriptor of the lock's open file, which a child may inherit. Raises Conflict if another process
    holds the lock.
    """
    handle = os.open(_folder() / f"{id}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Conflict(
                f"port {id} is being forwarded already", "see: train host forward --list", code="port_in_use"
            ) from None
        yield handle
    finally:
        os.close(handle)


def lives(id: str) -> bool:
    """Whether the process of the forward with this id is alive."""
    try:
        with held(id):
            return False
    except Conflict:
        return True


def all_forwards() -> list[Forward]:
    """Every forward that has a file, including those whose process was killed."""
    ids = sorted((path.stem for path in _folder().glob("*.json")), key=lambda id: (len(id), id))
    return [found for id in ids if (found := read(id))]


def end(forward: Forward) -> None:
    """End the process of a forward and wait until it has ended. If it does not end, kill it."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        if lives(forward.id):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(forward.pid, number)
        deadline = time.monotonic() + END_PATIENCE
        while lives(forward.id) and time.monotonic() < deadline:
            time.sleep(0.02)
