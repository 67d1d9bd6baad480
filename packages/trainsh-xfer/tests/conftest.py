"""A home of its own for every test, the framework's request as tests see it, and a real host."""

import contextlib
import getpass
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from trainsh_base import ssh
from trainsh_base.request import Request
from trainsh_xfer import machines


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """HOME, settings and state in a folder that is the test's own."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("TRAINSH_HOME", str(tmp_path / "trainsh"))
    return folder


class Recorded(Request):
    """A request that keeps the events it was sent."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[tuple[str, dict[str, Any]]] = []

    def emit(self, kind: str, **data: Any) -> None:
        """Keep it."""
        self.events.append((kind, data))

    def of(self, kind: str) -> list[dict[str, Any]]:
        """The data of every event of a kind."""
        return [data for name, data in list(self.events) if name == kind]


@pytest.fixture
def request_() -> Recorded:
    """A request to hand to the code under test."""
    return Recorded()


class Far:
    """A real sshd on a loopback port: a host with a home of its own, whatever shell its account has."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / "far home"
        self.port = free_port()
        self.wrapper = folder / "login"
        self.home.mkdir()
        self.login("/bin/sh")
        for name in ("host", "user"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
        (folder / "sshd_config").write_text(
            f"Port {self.port}\nListenAddress 127.0.0.1\nHostKey {folder}/host\nPidFile {folder}/pid\n"
            f"AuthorizedKeysFile {folder}/user.pub\nStrictModes no\nUsePAM no\nPermitRootLogin prohibit-password\n"
            f"ForceCommand {self.wrapper}\nMaxSessions 2\n"
        )
        self.start()

    @property
    def spec(self) -> str:
        """How a recipe names it."""
        known = f"-o UserKnownHostsFile={self.folder}/known_hosts -o StrictHostKeyChecking=accept-new"
        return f"{getpass.getuser()}@127.0.0.1 -p {self.port} -i {self.folder}/user {known} -o IdentitiesOnly=yes"

    def login(self, shell: str, before: str = "", path: str = os.environ["PATH"]) -> None:
        """Make `shell` the login shell, which runs `before` first and finds programs in `path`."""
        command = "${SSH_ORIGINAL_COMMAND-}"
        self.wrapper.write_text(
            f"#!/bin/sh\ncd '{self.home}'\n{before}\n"
            f"exec env HOME='{self.home}' PATH='{path}' {shell} -c \"{command}\"\n"
        )
        self.wrapper.chmod(0o755)

    def start(self) -> None:
        """Start sshd and wait until it listens."""
        Path("/run/sshd").mkdir(exist_ok=True) if os.getuid() == 0 else None
        sshd = shutil.which("sshd", path=os.environ["PATH"] + ":/usr/sbin")
        assert sshd
        words = [sshd, "-D", "-f", self.folder / "sshd_config", "-E", self.folder / "log"]
        self.process = subprocess.Popen(words)
        until(lambda: listens(self.port))

    def stop(self) -> None:
        """End sshd and every connection to it."""
        for child in children(self.process.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, 9)
        self.process.kill()
        self.process.wait()

    def cut(self) -> int:
        """Cut the connections that are there; how many there were. What they ran is left to notice it."""
        connections = children(self.process.pid, "sshd")
        for child in connections:
            os.kill(child, 9)
        return len(connections)


def children(pid: int, name: str = "") -> list[int]:
    """The children of a process, and theirs; those of a name alone, if given."""
    listed = subprocess.run(["ps", "-eo", "pid=,ppid=,comm="], capture_output=True, text=True, check=True).stdout
    pairs = [tuple(map(int, line.split()[:2])) for line in listed.splitlines()]
    named = {int(line.split()[0]) for line in listed.splitlines() if line.split()[2].startswith(name)}
    found = [child for child, parent in pairs if parent == pid and child in named]
    return found + [deeper for child in found for deeper in children(child, name)]


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def listens(port: int) -> bool:
    """Whether somebody does."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def until(what: Callable[[], Any], seconds: float = 20.0) -> None:
    """Wait for `what` to be true."""
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


@pytest.fixture
def far(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Far]:
    """A host to copy to; its shared connections end with the test."""
    if not shutil.which("sshd", path=os.environ["PATH"] + ":/usr/sbin"):
        pytest.skip("no sshd on this machine: transfers to hosts are NOT tested")
    folder = tmp_path / "host"
    folder.mkdir()
    sockets = tempfile.mkdtemp(prefix="xf", dir="/tmp")
    monkeypatch.setenv("XDG_RUNTIME_DIR", sockets)
    host = Far(folder)
    yield host
    ssh.disconnect(machines.resolve(host.spec))
    host.stop()
    shutil.rmtree(sockets)
