"""How far a session's output is in the logs of a job, in a file: the next runner goes on from there."""

import contextlib
import os
from pathlib import Path


class Shown:
    """The file `shown/SESSION` of a job: the token of the session's shell, and an offset in bytes in its log.

    It is written after the output, so that a runner that is killed repeats the last piece rather than losing it.
    """

    def __init__(self, folder: Path, session: str, token: str) -> None:
        self._path = folder / session
        self._token = token
        self._handle = -1

    def read(self) -> int | None:
        """Return the offset; None if there is none for this shell."""
        try:
            token, offset = self._path.read_text().split()
            return int(offset) if token == self._token else None
        except (OSError, ValueError):
            return None

    def write(self, offset: int) -> None:
        """Record `offset`. A full disk loses the record, not the output."""
        with contextlib.suppress(OSError):
            if self._handle < 0:
                self._path.parent.mkdir(mode=0o700, exist_ok=True)
                self._handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            # The same length each time: a number that is shorter leaves nothing behind of the one before.
            os.pwrite(self._handle, f"{self._token or '-'} {offset:<20}\n".encode(), 0)

    def close(self) -> None:
        """Close the file."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1
