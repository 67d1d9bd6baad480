"""Each test has a home of its own. Also runs the example tool."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from trainsh_base.testing import DEADLINE

EXAMPLE = Path(__file__).with_name("example_tool.py")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty TRAINSH_HOME. No setting comes from the environment of the person who runs the tests."""
    for name in list(os.environ):
        if name.startswith("TRAINSH_") or name == "NO_COLOR":
            monkeypatch.delenv(name)
    monkeypatch.setenv("TRAINSH_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def example() -> Callable[..., subprocess.CompletedProcess[bytes]]:
    """Run the example tool with some arguments. Return its status and both streams."""

    def run(*words: str, input: bytes = b"", **more: object) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [sys.executable, str(EXAMPLE), *words], input=input, capture_output=True, timeout=DEADLINE, check=False,
            **more,
        )  # type: ignore[call-overload]  # fmt: skip

    return run
