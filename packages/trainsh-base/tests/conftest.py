"""A home of its own for every test, and a terminal for those that are asked things."""

import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).with_name("example_tool.py")
DEADLINE = 20.0


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty TRAINSH_HOME; no setting comes from the environment of whoever runs the tests."""
    for name in list(os.environ):
        if name.startswith("TRAINSH_") or name == "NO_COLOR":
            monkeypatch.delenv(name)
    monkeypatch.setenv("TRAINSH_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def example() -> Callable[..., subprocess.CompletedProcess[bytes]]:
    """Run the example tool with some words: its status and both streams."""

    def run(*words: str, input: bytes = b"", **more: object) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [sys.executable, str(EXAMPLE), *words], input=input, capture_output=True, timeout=DEADLINE, check=False,
            **more,
        )  # type: ignore[call-overload]  # fmt: skip

    return run


class Terminal:
    """A program on a pseudo-terminal that is its controlling one: what it printed, and a keyboard."""

    def __init__(self, argv: list[str], env: Mapping[str, str] | None = None) -> None:
        self.pid, self.handle = pty.fork()
        if self.pid == 0:
            os.execvpe(argv[0], argv, dict(os.environ if env is None else env))
        self.text = ""

    def expect(self, words: str) -> str:
        """Read until `words` were printed; fails after DEADLINE seconds."""
        deadline = time.monotonic() + DEADLINE
        while words not in self.text:
            assert time.monotonic() < deadline, f"{words!r} did not come; what came: {self.text!r}"
            if select.select([self.handle], [], [], 0.2)[0] and not self._read():
                assert words in self.text, f"it ended without {words!r}: {self.text!r}"
        return self.text

    def _read(self) -> bool:
        try:
            data = os.read(self.handle, 65536)
        except OSError:
            return False
        self.text += data.decode(errors="replace")
        return bool(data)

    def type(self, keys: str) -> None:
        """Press keys."""
        os.write(self.handle, keys.encode())

    def wait(self) -> int:
        """Read what is left, and wait for the end: the exit status."""
        deadline = time.monotonic() + DEADLINE
        while not select.select([self.handle], [], [], 0.2)[0] or self._read():
            assert time.monotonic() < deadline, f"it did not end; what came: {self.text!r}"
        _, code = os.waitpid(self.pid, 0)
        os.close(self.handle)
        return os.waitstatus_to_exitcode(code)


@pytest.fixture
def terminal() -> Callable[..., Terminal]:
    """Start a program on a pseudo-terminal."""
    return Terminal
