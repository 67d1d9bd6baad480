"""A pytest plugin: a world of machines on this one.

It has real sshds, a home and settings, and leaves nothing behind.

    def test_it(world):
        box = world.sshd("box")                  # a real sshd on a loopback port, with a home of its own
        world.host(box)                          # ... and in hosts.toml
        world.run("train-host", "run", "box", "--", "hostname")

While the fixture is in use, this process has the world's environment: HOME, TRAINSH_HOME, XDG_RUNTIME_DIR, and a
PATH whose `ssh` reads the world's own settings. (ssh itself would find ~/.ssh by the password file, not by HOME.)
With `world_without_env`, the environment of this process is not changed; `world.env` has it.
"""

import contextlib
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from world_netns import NetworkHost, why_no_namespaces
from world_relay import Relay
from world_sshd import Sshd

from trainsh_base.system.spawn import Child

BIN = Path(sys.executable).parent


class World:
    """A folder that contains everything of one world."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / "home"
        self.config = folder / "t"
        self.runtime = folder / "r"
        self.mark = f"{folder.name}-{os.getpid()}"
        self.servers: list[Sshd] = []
        self.relays: list[Relay] = []
        self.networks: list[NetworkHost] = []
        self.extra: dict[str, str] = {}  # variables that a test adds to `env`
        for part in (self.home, self.config, self.runtime, folder / "bin", folder / "tmux"):
            part.mkdir(mode=0o700)
        self.key = folder / "id"
        keygen(self.key)
        self.known_hosts = folder / "known_hosts"
        self.ssh_config = folder / "ssh_config"
        self._blocks: list[str] = []
        self.strict = "accept-new"
        self.write_ssh_config()
        self._shim("ssh")

    @property
    def env(self) -> dict[str, str]:
        """The environment of a program in this world."""
        kept = {key: value for key, value in os.environ.items() if key in ("LANG", "TERM", "LC_ALL")}
        return kept | {
            "HOME": str(self.home), "TRAINSH_HOME": str(self.config), "XDG_RUNTIME_DIR": str(self.runtime),
            "PATH": f"{self.folder / 'bin'}:{BIN}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "TMUX_TMPDIR": str(self.folder / "tmux"), "TRAINSH_WORLD": self.mark,
            "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
        } | self.extra  # fmt: skip

    def run(self, *words: str, input: bytes | None = None, check: bool = True, timeout: float = 60) -> "Done":
        """Run a program in this world and return its status and output. If it fails, the output is shown."""
        done = subprocess.run(
            words, input=b"" if input is None else input, capture_output=True, env=self.env, cwd=self.home,
            timeout=timeout, check=False,
        )  # fmt: skip
        result = Done(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))
        assert not check or result.status == 0, f"{words} ended with {result.status}\n{result.out}{result.err}"
        return result

    def login_shell(self, name: str) -> str:
        """The path of a login shell. If the shell is not installed, the test is skipped with a message."""
        path = shutil.which(name)
        if path is None:
            pytest.skip(f"NOT TESTED HERE: {name} is not installed")
        if name != "busybox":
            return path
        link = self.folder / "ash"  # busybox is a shell when it is called by this name
        link.symlink_to(path)
        return str(link)

    def sshd(self, name: str = "box", **options: object) -> Sshd:
        """Start a machine (see Sshd). Then `ssh NAME` reaches it."""
        server = Sshd(self.folder / f"h-{name}", name, self.key.with_suffix(".pub"), self.mark, **options)  # type: ignore[arg-type]
        self.servers.append(server)
        server.start()
        self.alias(name, server.port, server.user, server.address)
        return server

    def relay(self, server: Sshd, *, delay: float = 0.0, name: str = "") -> Relay:
        """A link to `server`, which `ssh NAME` then uses.

        It can be slow (`delay` seconds each way), cut and restored.
        """
        relay = Relay((server.address, server.port), delay)
        self.relays.append(relay)
        self.alias(name or f"{server.name}-link", relay.port, server.user, "127.0.0.1")
        return relay

    def network_host(
        self, name: str = "far", *, delay: float = 0.0, rate: float = 0.0, **options: object
    ) -> NetworkHost:
        """A machine in a network namespace, with a link that can be cut.

        If this is not possible here, the test is skipped.
        """
        problem = why_no_namespaces()
        if problem:
            pytest.skip(f"NETWORK NAMESPACES ARE NOT TESTED HERE: {problem}")
        host = NetworkHost(
            self.folder / f"h-{name}", name, self.key.with_suffix(".pub"), self.mark, delay, rate, **options
        )  # type: ignore[arg-type]
        self.networks.append(host)
        host.start()
        self.alias(name, host.sshd.port, host.sshd.user, host.address)
        return host

    def host(self, server: Sshd, name: str = "", port: int | None = None, **values: object) -> str:
        """Write `server` into hosts.toml as a person would, and return its name there."""
        name = name or server.name
        lines = {
            "name": name, "type": "ssh", "hostname": server.address, "port": port or server.port,
            "username": server.user, "auth_method": "key", "ssh_key_path": str(self.key),
            "ssh_options": [f"UserKnownHostsFile={self.known_hosts}", f"StrictHostKeyChecking={self.strict}"],
        } | values  # fmt: skip
        import json

        with (self.config / "hosts.toml").open("a") as file:
            file.write("\n[[hosts]]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in lines.items()))
        return name

    def spec(self, server: Sshd, port: int | None = None) -> str:
        """A host spec that reaches `server`, whatever ssh settings are in use."""
        return (
            f"{server.user}@{server.address} -p {port or server.port} -i {self.key} "
            f"-o UserKnownHostsFile={self.known_hosts} -o StrictHostKeyChecking={self.strict}"
        )

    def alias(self, name: str, port: int, user: str, hostname: str, *more: str) -> None:
        """Make `ssh NAME` reach a port.

        The given settings come first, because ssh uses the first value of a setting.
        """
        block = [f"Host {name}", f"HostName {hostname}", f"Port {port}", f"User {user}", *more]
        self._blocks.insert(0, "\n  ".join(block) + "\n")
        self.write_ssh_config()

    def write_ssh_config(self) -> None:
        """Write the ssh settings of this world. Call this after `strict` was changed."""
        every = [
            "Host *", f"IdentityFile {self.key}", "IdentitiesOnly yes", f"UserKnownHostsFile {self.known_hosts}",
            "GlobalKnownHostsFile none", f"StrictHostKeyChecking {self.strict}",
        ]  # fmt: skip
        self.ssh_config.write_text("\n".join([*self._blocks, "\n  ".join(every) + "\n"]))

    def _shim(self, program: str) -> None:
        real = shutil.which(program)
        path = self.folder / "bin" / program
        path.write_text(f'#!/bin/sh\nexec {real} -F "{self.ssh_config}" "$@"\n')
        path.chmod(0o755)

    def close(self) -> None:
        """End everything that was started in this world: links, connections, sshds, and every process that has the
        world's mark.
        """
        for relay in self.relays:
            relay.close()
        for machine in [*self.networks, *self.servers]:
            machine.stop()
        end_all_marked(self.mark)
        for network in self.networks:
            network.remove()
        shutil.rmtree(self.folder, ignore_errors=True)


class Done:
    """The result of a program: its exit status, stdout and stderr."""

    def __init__(self, status: int, out: str, err: str) -> None:
        self.status = status
        self.out = out
        self.err = err


def keygen(path: Path, *more: str) -> None:
    """Make a key pair at `path`. It has no passphrase, unless `more` gives one."""
    words = more or ("-N", "")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-f", str(path), *words], check=True)


def end_marked(mark: str) -> int:
    """Kill the processes that have TRAINSH_WORLD=`mark` in their environment (Linux).

    Return how many there were.
    """
    found = 0
    needle = f"TRAINSH_WORLD={mark}".encode()
    for entry in Path("/proc").glob("[0-9]*") if Path("/proc/self/environ").exists() else []:
        with contextlib.suppress(OSError):
            if int(entry.name) != os.getpid() and needle in (entry / "environ").read_bytes().split(b"\0"):
                os.kill(int(entry.name), signal.SIGKILL)
                found += 1
    return found


def end_all_marked(mark: str) -> None:
    """Kill the processes with the mark until there are none left."""
    deadline = time.monotonic() + 10
    while end_marked(mark) and time.monotonic() < deadline:
        time.sleep(0.02)


def wait_until(condition: Callable[[], object], what: str = "the condition", timeout: float = 60.0) -> None:
    """Wait until `condition` is true. If it is not true in time, the test fails."""
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not hold within {timeout:g} seconds"
        time.sleep(0.02)


def read_within(handle: int, count: int, timeout: float = 60.0) -> bytes:
    """Do what `os.read` does, but fail if no data comes within `timeout` seconds."""
    ready = select.poll()
    ready.register(handle, select.POLLIN)
    assert ready.poll(timeout * 1000), f"nothing to read within {timeout:g} seconds"
    return os.read(handle, count)


def end_within(child: Child, timeout: float = 60.0) -> int:
    """Wait for the end of `child` and return its exit status. Fail if it does not end within `timeout` seconds."""
    wait_until(lambda: child.poll() is not None, f"the end of {child.argv[0]}", timeout)
    return child.wait()


def output_within(child: Child, timeout: float = 60.0) -> bytes:
    """Everything that `child` prints until it closes its output. Fail after `timeout` seconds without a byte."""
    parts = []
    while part := read_within(child.stdout, 65536, timeout):
        parts.append(part)
    os.close(child.stdout)
    return b"".join(parts)


@contextlib.contextmanager
def new_world() -> Iterator[World]:
    """A world for a fixture of any scope. Its environment is in `.env`.

    If no sshd is installed, the test is skipped.
    """
    if not (shutil.which("sshd") or Path("/usr/sbin/sshd").exists()):
        pytest.skip("NOT TESTED HERE: sshd is not installed (openssh-server)")
    # The path is short, because sockets are made below it.
    world = World(Path(tempfile.mkdtemp(prefix="tw-", dir="/tmp")))
    try:
        yield world
    finally:
        world.close()


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A world whose environment this process has too."""
    with new_world() as made:
        for key in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "SSH_AUTH_SOCK", "SSH_ASKPASS", "DISPLAY", "TMUX"):
            monkeypatch.delenv(key, raising=False)
        for key, value in made.env.items():
            monkeypatch.setenv(key, value)
        yield made


@pytest.fixture
def world_without_env() -> Iterator[World]:
    """A world that does not change the environment of this process."""
    with new_world() as made:
        yield made
