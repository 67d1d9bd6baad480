"""Fixtures: a private home for every test, a request that records its events, and a tree to copy."""

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from trainsh_base.request import Request


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put HOME, settings and state into a folder of this test."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("TRAINSH_HOME", str(tmp_path / "trainsh"))
    return folder


class Recorded(Request):
    """A request that records its events."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[tuple[str, dict[str, Any]]] = []

    def emit(self, kind: str, **data: Any) -> None:
        """Record the event."""
        self.events.append((kind, data))

    def of(self, kind: str) -> list[dict[str, Any]]:
        """The data of every event of a kind."""
        return [data for name, data in list(self.events) if name == kind]


@pytest.fixture
def request_() -> Recorded:
    """A request to hand to the code under test."""
    return Recorded()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A small tree to copy."""
    folder = tmp_path / "source"
    (folder / "sub").mkdir(parents=True)
    (folder / "a.txt").write_text("one")
    (folder / "b.ckpt").write_text("two two")
    (folder / "sub" / "c.txt").write_text("three")
    return folder


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of a service that accepts connections and never answers."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
