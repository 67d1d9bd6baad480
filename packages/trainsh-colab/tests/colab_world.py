"""A test world: Colab's runtimes are real sshds, reached through imitations of cloudflared and of Google's
program.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from trainsh_world import World
from world_sshd import Sshd

HERE = Path(__file__).parent
PASSPHRASE = "a passphrase of the tests"


class Colab:
    """The imitations, and a user who has the world's key in ~/.ssh."""

    def __init__(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        self.world = world
        self.tunnels, self.sessions = world.folder / "tunnels", world.folder / "sessions"
        for folder in (self.tunnels, self.sessions, world.home / ".ssh"):
            folder.mkdir(mode=0o700)
        for name in ("id_ed25519", "id_ed25519.pub"):
            from_ = world.key if name == "id_ed25519" else world.key.with_suffix(".pub")
            (world.home / ".ssh" / name).write_text(from_.read_text())
            (world.home / ".ssh" / name).chmod(0o600)
        world.extra = {
            "STANDIN_TUNNELS": str(self.tunnels), "STANDIN_COLAB": str(self.sessions), "PYTHONPATH": str(HERE),
            "TRAINSH_PASSPHRASE": PASSPHRASE,
        }  # fmt: skip
        for key, value in world.extra.items():
            monkeypatch.setenv(key, value)
        self.program("cloudflared", "cloudflared.py")

    @property
    def env(self) -> dict[str, str]:
        """The environment of a program in this world."""
        return self.world.env

    def program(self, name: str, file: str) -> None:
        """Put an imitated program on PATH."""
        path = self.world.folder / "bin" / name
        path.write_text(f'#!/bin/sh\nexec {sys.executable} {HERE / file} "$@"\n')
        path.chmod(0o755)

    def tunnel(self, name: str, server: Sshd) -> str:
        """Make a tunnel to a machine; returns its address."""
        (self.tunnels / f"{name}.trycloudflare.com").write_text(str(server.port))
        return f"{name}.trycloudflare.com"

    def run(self, *words: str, status: int = 0, **more: Any) -> str:
        """Run `train-colab`; returns its output, followed by its errors."""
        import subprocess

        done = subprocess.run(
            ["train-colab", *words], env=self.env, cwd=self.world.home, capture_output=True, text=True, check=False,
            timeout=120, input="", **more,
        )  # fmt: skip
        assert done.returncode == status, f"{words} ended with {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr if status else done.stdout

    def rows(self) -> dict[str, Any]:
        """The rows of `list`, by name."""
        return {row["id"]: row for row in json.loads(self.run("list", "--json"))}


@pytest.fixture
def colab(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Colab]:
    yield Colab(world, monkeypatch)
