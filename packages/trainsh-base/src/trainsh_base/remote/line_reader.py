"""Reads lines from a pipe, with a limit on their length and a deadline."""

import contextlib
import os
import select

from trainsh_base.errors import TimedOut
from trainsh_base.system.bad_answer import BadAnswer
from trainsh_base.system.deadline import Deadline

MOST_LINE = 1 << 16  # the most bytes of a line; replies have at most 4,000


class LineReader:
    """Reads lines from the open file descriptor `handle`; `close` closes it."""

    def __init__(self, handle: int) -> None:
        self._handle = handle
        self._buffer = b""

    def line(self, deadline: Deadline | None = None) -> bytes | None:
        """Return the next line without its newline, or None at the end of the file.

        Raises BadAnswer if the line is longer than MOST_LINE bytes, TimedOut if `deadline` passes before, and
        OSError if reading fails.
        """
        start = 0
        while True:
            end = self._buffer.find(b"\n", start)
            if end >= 0:
                line, self._buffer = self._buffer[:end], self._buffer[end + 1 :]
                return line
            if len(self._buffer) > MOST_LINE:
                raise BadAnswer(f"the host sent a line of more than {MOST_LINE} bytes")
            start = len(self._buffer)
            if deadline is not None:
                self._await(deadline)
            part = os.read(self._handle, 65536)
            if not part:
                return None
            self._buffer += part

    def _await(self, deadline: Deadline) -> None:
        ready = select.poll()
        ready.register(self._handle, select.POLLIN)
        left = deadline.left()
        if not ready.poll(None if left is None else left * 1000):
            raise TimedOut("the host did not answer in time", code="host_silent")

    def close(self) -> None:
        """Close the file."""
        handle, self._handle = self._handle, -1
        if handle >= 0:
            with contextlib.suppress(OSError):
                os.close(handle)
