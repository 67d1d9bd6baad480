"""Private folders on this machine, one for each transfer between hosts. Folders of killed processes are removed."""

import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from trainsh_base.system.paths import runtime_home

PREFIX = "k-"
YOUNG = 60.0  # seconds after a folder was made during which its lock may not exist yet


@contextmanager
def private_folder() -> Iterator[Path]:
    """A new folder, which is removed at the end of the block.

    A lock in the folder shows that this process is alive.
    """
    sweep()
    folder = runtime_home() / f"{PREFIX}{os.urandom(4).hex()}"
    folder.mkdir(mode=0o700)
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_SH)
        yield folder
    finally:
        os.close(handle)
        shutil.rmtree(folder, ignore_errors=True)


def sweep() -> None:
    """Remove the folders whose processes ended without removing them."""
    for folder in runtime_home().glob(f"{PREFIX}*"):
        with suppress(OSError):
            if time.time() - folder.stat().st_mtime < YOUNG:
                continue
            handle = os.open(folder, os.O_RDONLY)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(handle)
