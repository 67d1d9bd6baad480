"""One sandbox for all tests of this package. The tests reach it as a user does."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from trainsh_vast.limits import beat
from vast_cloud import Cloud, train_sandbox


@pytest.fixture(scope="session")
def _cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    folder = tmp_path_factory.mktemp("cl") / "box"
    train_sandbox(folder, "up", "--rented", "0", "--no-storage", "--credit", "1000")
    yield Cloud(folder)
    train_sandbox(folder, "down")


@pytest.fixture
def cloud(_cloud: Cloud, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Cloud]:
    """The sandbox, with nothing rented. This process uses it as a user does, with short pauses."""
    for name, value in _cloud.env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("TRAINSH_VAST_RETRY_DELAY", "0.02s")
    monkeypatch.setenv("HOME", str(tmp_path))
    _cloud.calm()
    yield _cloud
    beat.end()
    _cloud.calm()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the pauses between two looks short, which is possible because the sandbox does not limit requests."""
    from trainsh_vast.verbs import creating, states

    monkeypatch.setattr(states, "PAUSE", 0.1)
    monkeypatch.setattr(creating, "LOOK", 0.1)
