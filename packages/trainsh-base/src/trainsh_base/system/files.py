"""Atomic file writes (temporary file, fsync, rename) and locks on files."""

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from trainsh_base.errors import Conflict
from trainsh_base.system.paths import private_folder

if TYPE_CHECKING:
    from pathlib import Path


def write_atomic(path: "Path", data: bytes | str, mode: int = 0o600) -> None:
    """Replace the content of `path` atomically: readers see either the old file or the new one, even after a crash.

    If `path` is a symbolic link, the file to which the link points is replaced, and the link is kept.
    """
    real = path.resolve() if path.is_symlink() else path
    private_folder(real.parent)
    aside = real.with_name(f".{real.name}.{os.getpid()}.{time.monotonic_ns()}")
    handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        try:
            write_all(handle, data.encode() if isinstance(data, str) else data, real)
            os.fsync(handle)
        finally:
            os.close(handle)
        aside.replace(real)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise
    sync_folder(real.parent)


def write_all(handle: int, data: bytes, path: object) -> None:
    """Write all of `data`. An OSError names `path`, so that people see which disk is full."""
    view = memoryview(data)
    try:
        while view:
            view = view[os.write(handle, view) :]
    except OSError as error:
        error.filename = str(path)
        raise


def sync_folder(folder: "Path") -> None:
    """Sync the directory `folder`, so that renames and new files in it survive a crash."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextlib.contextmanager
def locked(path: "Path", timeout: float = 30.0) -> Iterator[None]:
    """Hold the lock of `path` in this block. The lock is the file `.NAME.lock` beside `path`.

    Raises Conflict if another process holds the lock for more than `timeout` seconds.
    """
    private_folder(path.parent)
    lock = path.with_name(f".{path.name}.lock")
    handle = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _wait_for(handle, path, time.monotonic() + timeout)
        yield
    finally:
        os.close(handle)


def _wait_for(handle: int, path: "Path", deadline: float) -> None:
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise Conflict(
                    f"{path} is being changed by another train process", "try again when it is done", code="locked"
                ) from None
            time.sleep(0.01)
