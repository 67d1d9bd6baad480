"""Keeps a marker file for each interrupted transfer, so that the next run can continue the transfer.

A marker is needed in two cases. In the first, both sides are local: rsync needs an option to use a partial file,
but this option would slow down every copy that has no partial file. In the second, one side is a storage: the
storage may have unfinished uploads, which the next run must abort.
"""

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from trainsh_base.system.paths import private_folder, state_home


def mark(sources: Sequence[str], destination: str) -> Path:
    """The path of the marker file of a transfer from `sources` to `destination`."""
    import hashlib  # noqa: PLC0415 - importing it loads OpenSSL

    name = hashlib.sha256("\0".join([*sources, destination]).encode(errors="surrogateescape")).hexdigest()[:32]
    return state_home() / "transfers" / name


@contextmanager
def marked(path: Path) -> Iterator[float | None]:
    """Keep the marker during the block. Remove it if the block ends without an exception.

    If an earlier run was interrupted, yields the time at which that run began (seconds since 1970). Yields None if
    there was no such run, or if another process runs the same transfer now. If the state folder cannot be written
    to, no marker is kept, and the transfer cannot be continued later.
    """
    since, handle = None, -1
    try:
        private_folder(path.parent)
        since = path.stat().st_mtime if path.exists() else None
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.utime(handle)
    except OSError:
        since = None
    try:
        yield since
    finally:
        if handle >= 0:
            os.close(handle)
    path.unlink(missing_ok=True)
