"""Keeps in the state folder how fast the link to each host was in earlier transfers."""

import contextlib
from pathlib import Path

from trainsh_base.remote.target import Target
from trainsh_base.system.files import write_atomic
from trainsh_base.system.paths import state_home
from trainsh_xfer.engines.rsync_output import Tally

SLOW = 12_500_000  # bytes a second (100 Mbit/s); on a faster link, compression with zstd on one core saves no time
# bytes; a transfer of fewer bytes, or of less than LONG seconds, would only measure the start of the transfer
ENOUGH = 4_000_000
LONG = 1.0
# bytes that a file must have on average; a transfer of smaller files would measure the disks and not the link
SIZE = 64_000


def is_slow(target: Target) -> bool:
    """Whether the link was slow in the last transfer that was long enough to measure it.

    False if there was no such transfer.
    """
    with contextlib.suppress(OSError, ValueError):
        return float(_file(target).read_text()) < SLOW
    return False


def note(target: Target, done: Tally, seconds: float) -> None:
    """Record the rate of a transfer, if the transfer was long enough to measure it and its files were not small."""
    if done.sent >= ENOUGH and seconds >= LONG and done.bytes >= SIZE * done.files:
        with contextlib.suppress(OSError):  # without a recorded rate, the next transfer is not compressed
            write_atomic(_file(target), str(round(done.sent / seconds)))


def _file(target: Target) -> Path:
    import hashlib  # noqa: PLC0415 - it loads OpenSSL

    name = hashlib.sha256("\0".join(target.argv).encode(errors="surrogateescape")).hexdigest()[:32]
    return state_home() / "links" / name
