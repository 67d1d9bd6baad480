"""Records how much of a session's log is in the logs of a job, so that the next runner continues there."""

import contextlib
import os
from pathlib import Path


class Shown:
    """The file `shown/SESSION` of a job.

    The file has the token of the session's shell, and an offset in the session's log. It is written after the
    output. So if a runner is killed between the two writes, the next runner shows the last output twice, but loses
    none.
    """

    def __init__(self, folder: str, session: str, token: str) -> None:
        self._path = Path(folder) / session
        self._token = token
        self._handle = -1

    def read(self) -> int | None:
        """Return the offset, or None if none is recorded for this shell."""
        try:
            # After the first line, the file may have the rest of an older line, if the earlier shell had a longer
            # token.
            token, offset = self._path.read_text().partition("\n")[0].split()
            return int(offset) if token == self._token else None
        except (OSError, ValueError):
            return None

    def write(self, offset: int) -> None:
        """Record `offset`. If the disk is full, nothing is recorded, but no output is lost."""
        with contextlib.suppress(OSError):
            if self._handle < 0:
                self._path.parent.mkdir(mode=0o700, exist_ok=True)
                self._handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            # The text always has the same length. Otherwise, a shorter number would leave digits of the previous
            # one.
            os.pwrite(self._handle, f"{self._token or '-'} {offset:<20}\n".encode(), 0)

    def close(self) -> None:
        """Close the file."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1
