"""Runs a program on a terminal, for the tests of tools. Nothing but tests imports this module."""

import contextlib
import os
import pty
import select
import time
from collections.abc import Mapping
from pathlib import Path

DEADLINE = 180.0


class Terminal:
    """Runs a program on a pseudo-terminal of its own.

    Types into the terminal, and reads what the program prints.
    """

    def __init__(self, argv: list[str], env: Mapping[str, str] | None = None) -> None:
        self.pid, self.handle = pty.fork()
        if self.pid == 0:
            os.execvpe(argv[0], argv, dict(os.environ if env is None else env))
        self.text = ""

    def expect(self, words: str) -> str:
        """Read until the program has printed `words`. Fails after DEADLINE seconds."""
        deadline = time.monotonic() + DEADLINE
        while words not in self.text:
            assert time.monotonic() < deadline, f"{words!r} was not printed; the output was: {self.text!r}"
            if select.select([self.handle], [], [], 0.2)[0] and not self._read():
                assert words in self.text, f"the program ended without printing {words!r}: {self.text!r}"
        return self.text

    def _read(self) -> bool:
        try:
            data = os.read(self.handle, 65536)
        except OSError:
            return False
        self.text += data.decode(errors="replace")
        return bool(data)

    def type(self, keys: str) -> None:
        """Send the text `keys` to the program, as if a person typed it."""
        if "\x03" in keys:
            self._wait_for_reading()
        os.write(self.handle, keys.encode())

    def _wait_for_reading(self) -> None:
        """Wait until the program reads the terminal, at most 2 s; where there is no /proc, at most 0.1 s.

        Python's `input` ignores a Ctrl-C that comes just before it reads, until the next key.
        """
        place = Path(f"/proc/{self.pid}/wchan")
        deadline = time.monotonic() + (2 if place.exists() else 0.1)
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                if place.read_text() in ("n_tty_read", "wait_woken"):
                    return
            time.sleep(0.01)

    def wait(self) -> int:
        """Read the rest of the output and wait for the program to exit. Return its exit status."""
        deadline = time.monotonic() + DEADLINE
        while not select.select([self.handle], [], [], 0.2)[0] or self._read():
            assert time.monotonic() < deadline, f"the program did not end; the output was: {self.text!r}"
        _, code = os.waitpid(self.pid, 0)
        os.close(self.handle)
        return os.waitstatus_to_exitcode(code)
