"""Marker files of transfers that have not ended well, so that the next run knows of an interrupted one.

When both sides are local, rsync copies whole files and ignores a partial one; using the partial file in every copy
would slow down those that have nothing to continue. And a storage may hold unfinished uploads.
"""

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from trainsh_base.system.paths import private_folder, state_home


def mark(sources: Sequence[str], destination: str) -> Path:
    """The marker file of this transfer."""
    import hashlib  # noqa: PLC0415 - it loads OpenSSL

    name = hashlib.sha256("\0".join([*sources, destination]).encode(errors="surrogateescape")).hexdigest()[:32]
    return state_home() / "transfers" / name


@contextmanager
def marked(path: Path) -> Iterator[float | None]:
    """Keep the marker while the block runs, and remove it when that ends without an exception.

    Yields when an earlier run was interrupted, in seconds since 1970; None when none was, and while another process
    runs the same transfer. If the state folder is not writable, the transfer cannot be continued later.
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
