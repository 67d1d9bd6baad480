"""Helps a provider to rent exactly one machine for a job.

It has a lock for the rental. It also has a note, a file that exists while it is not known whether the rental
succeeded.
"""

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

from trainsh_base.system.critical import critical
from trainsh_base.system.files import locked, write_atomic
from trainsh_base.system.paths import private_folder, state_home

LONGEST = 900.0  # seconds to wait for another process that rents for the same job
FORGOTTEN = 86400.0  # seconds after which a note is ignored


class Note:
    """A file which tells that a rental may be pending.

    The file is written before the provider is asked to rent, and removed when the result is known.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def asked_at(self) -> float | None:
        """Return when the pending rental was requested, in seconds since 1970.

        Return None if no rental is pending.
        """
        try:
            at = float(self._path.read_text())
        except (FileNotFoundError, ValueError):
            return None
        return at if time.time() - at < FORGOTTEN else None

    def asking(self) -> None:
        """Record that a machine is about to be rented. The note is on disk when this returns."""
        write_atomic(self._path, f"{time.time()}\n")

    def settled(self) -> None:
        """Remove the note, because the machine has its label now or because no machine was rented."""
        self._path.unlink(missing_ok=True)


@contextlib.contextmanager
def rental(provider: str, job: str, host: str = "") -> Iterator[Note]:
    """Hold the lock for the rental of the machine `host` of `job` in this block.

    The block begins with the search for an offer, and ends when the machine has its label. The process holds the
    lock until the end of the block, even if the program that called it has ended. Raises Conflict if another
    process holds the lock for more than LONGEST seconds.
    """
    folder = private_folder(state_home() / "rentals")
    name = "-".join(_plain(word) for word in (provider, job, host) if word)
    with critical(), locked(folder / name, LONGEST):
        yield Note(folder / f"{name}.asked")


def _plain(text: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "._" else "_" for letter in text)
