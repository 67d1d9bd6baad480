"""Never two: the lock of a job's rental, and the note that one was begun whose end nobody knows."""

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

from trainsh_base.system.critical import critical
from trainsh_base.system.files import locked, write_atomic
from trainsh_base.system.paths import private_folder, state_home

LONGEST = 900.0  # seconds one may wait for another process that rents for the same job
FORGOTTEN = 86400.0


class Note:
    """Says that a machine may have been asked for: written before the call, removed once its outcome is known."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def asked_at(self) -> float | None:
        """When a machine was asked for whose fate is unknown, in seconds since 1970; None when nothing is open."""
        try:
            at = float(self._path.read_text())
        except (FileNotFoundError, ValueError):
            return None
        return at if time.time() - at < FORGOTTEN else None

    def asking(self) -> None:
        """A machine is about to be asked for. On disk before this returns."""
        write_atomic(self._path, f"{time.time()}\n")

    def settled(self) -> None:
        """The outcome is known: the machine is labelled, or there is none."""
        self._path.unlink(missing_ok=True)


@contextlib.contextmanager
def rental(provider: str, job: str, host: str = "") -> Iterator[Note]:
    """Hold the lock for renting a machine for `job` (as its `host`), from the look to the label.

    The lock lives as long as the process, and the process until the block is done: longer than the connection to
    whoever asked. Conflict when another process holds it for a quarter of an hour.
    """
    folder = private_folder(state_home() / "rentals")
    name = "-".join(_plain(word) for word in (provider, job, host) if word)
    with critical(), locked(folder / name, LONGEST):
        yield Note(folder / f"{name}.asked")


def _plain(text: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "._" else "_" for letter in text)
