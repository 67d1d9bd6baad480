"""How fast the link to each host was in earlier transfers, kept in the state folder."""

import contextlib
from pathlib import Path

from trainsh_base.remote.target import Target
from trainsh_base.system.files import write_atomic
from trainsh_base.system.paths import state_home
from trainsh_xfer.engines.rsync_output import Tally

SLOW = 12_500_000  # bytes a second (100 Mbit/s); a faster link takes text faster than zstd on one core saves it
ENOUGH = 4_000_000  # bytes, and LONG seconds: a shorter transfer measures its start
LONG = 1.0
SIZE = 64_000  # bytes of a file, on average; with smaller ones the disks are measured


def is_slow(target: Target) -> bool:
    """Whether the last transfer that was long enough to tell found a slow link; False when there was none."""
    with contextlib.suppress(OSError, ValueError):
        return float(_file(target).read_text()) < SLOW
    return False


def note(target: Target, done: Tally, seconds: float) -> None:
    """Keep the rate of a transfer, if it was long enough to tell and its files were not small."""
    if done.sent >= ENOUGH and seconds >= LONG and done.bytes >= SIZE * done.files:
        with contextlib.suppress(OSError):  # without it, the next transfer is not compressed
            write_atomic(_file(target), str(round(done.sent / seconds)))


def _file(target: Target) -> Path:
    import hashlib  # noqa: PLC0415 - it loads OpenSSL

    name = hashlib.sha256("\0".join(target.argv).encode(errors="surrogateescape")).hexdigest()[:32]
    return state_home() / "links" / name
