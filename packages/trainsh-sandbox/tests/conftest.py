"""One sandbox for all tests of this package."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from trainsh_sandbox import control, places


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A sandbox that runs, in a folder of its own."""
    folder = tmp_path_factory.mktemp("sb") / "box"
    control.up(folder, {"storage": False, "rented": 0})
    yield folder
    control.down(folder)


@pytest.fixture(autouse=True)
def _calm(request: pytest.FixtureRequest) -> Iterator[None]:
    """After each test, remove all faults and instances, so that the next test has none."""
    yield
    if "sandbox" in request.fixturenames:
        folder = request.getfixturevalue("sandbox")
        control.ask(folder, "PUT", "/sandbox/faults", {"off": "on"})
        for one in control.ask(folder, "GET", "/sandbox/status")["instances"]:
            control.ask(folder, "DELETE", f"/api/v0/instances/{one['id']}/", {})


@pytest.fixture
def env(sandbox: Path, tmp_path: Path) -> dict[str, str]:
    """The environment of a program that uses the sandbox."""
    running = places.need(sandbox)
    return {**os.environ, **places.environment(sandbox, running), "HOME": str(tmp_path)}
