"""Keeps typed keys off the screen while the live view is drawn.

If the terminal showed them, the view's lines would break.
"""

import atexit
import contextlib
import os
import sys
import termios
from typing import Any


class Keyboard:
    """The terminal's echo of typed keys. Without a terminal, nothing happens."""

    def __init__(self) -> None:
        self._before: list[Any] | None = None

    def hush(self) -> None:
        """Turn the echo off, until `restore` or the end of the process."""
        if self._before is not None or not _ours():
            return
        with contextlib.suppress(termios.error):
            before = termios.tcgetattr(sys.stdin.fileno())
            quiet = [*before]
            quiet[3] &= ~termios.ECHO
            termios.tcsetattr(sys.stdin.fileno(), termios.TCSANOW, quiet)
            self._before = before
            atexit.register(self.restore)

    def restore(self, *, forget: bool = False) -> None:
        """Turn the echo on again, if it was on before.

        With `forget`, discard what was typed meanwhile, so that it is no answer.
        """
        before, self._before = self._before, None
        if before is None or not _ours():
            return
        with contextlib.suppress(termios.error):
            if forget:
                termios.tcflush(sys.stdin.fileno(), termios.TCIFLUSH)
            termios.tcsetattr(sys.stdin.fileno(), termios.TCSANOW, before)


def _ours() -> bool:
    """Whether this process may change the terminal. If it is in the background, a change would stop it."""
    try:
        return os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
    except (OSError, ValueError, AttributeError):
        return False
