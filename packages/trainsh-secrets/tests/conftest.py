"""Stores to test with: none, an encrypted file, and a real Secret Service in a D-Bus session of its own."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
from keyring.backends import SecretService, fail

from trainsh_base.request import Request, serve_in_this_thread
from trainsh_secrets import vault
from trainsh_secrets.names import known

UNLOCKED: dict[bytes, object] = {}
PASSWORD = "a password"
DEADLINE = 60.0


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty TRAINSH_HOME, no secret in the environment, no keyring, nothing unlocked."""
    used = known()
    for name in list(os.environ):
        if name.startswith("TRAINSH_") or name in used:
            monkeypatch.delenv(name)
    monkeypatch.setenv("TRAINSH_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TRAINSH_SECRETS_AGENT_TIME", "off")  # test_agent.py has one of its own
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    monkeypatch.setattr(vault, "_unlocked", {})
    keyring.set_keyring(fail.Keyring())
    serve_in_this_thread(Request())
    return tmp_path / "home"


@pytest.fixture(scope="session")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A key file locked with PASSWORD; made only once, since scrypt is slow by design."""
    patch = pytest.MonkeyPatch()
    home = tmp_path_factory.mktemp("sealed")
    patch.setenv("TRAINSH_HOME", str(home))
    patch.setenv("TRAINSH_PASSPHRASE", PASSWORD)
    vault.put({"FIRST": "1"})
    patch.undo()
    data = vault.key_place(home / "secrets.age").read_bytes()
    UNLOCKED[data] = vault._unlocked[data]
    return data


@pytest.fixture
def file(home: Path, sealed: bytes, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An encrypted file with one secret, FIRST = 1, and its passphrase in the environment."""
    monkeypatch.setenv("TRAINSH_PASSPHRASE", PASSWORD)
    path = home / "secrets.age"
    home.mkdir()
    vault.key_place(path).write_bytes(sealed)
    monkeypatch.setattr(vault, "_unlocked", dict(UNLOCKED))  # saves the second that scrypt takes
    vault.put({"FIRST": "1"})
    return path


class Session:
    """A D-Bus session with a Secret Service: gnome-keyring, its keyrings in a folder of the test's."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(mode=0o700, exist_ok=True)
        self.bus = subprocess.Popen(
            ["dbus-daemon", "--session", "--nofork", "--print-address=1", f"--address=unix:dir={folder}"],
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self.bus.stdout
        self.address = self.bus.stdout.readline().strip()
        self.env = {
            "DBUS_SESSION_BUS_ADDRESS": self.address, "HOME": str(folder), "XDG_DATA_HOME": str(folder / "data"),
            "XDG_RUNTIME_DIR": str(folder), "PYTHON_KEYRING_BACKEND": "keyring.backends.SecretService.Keyring",
        }  # fmt: skip
        self.daemon: subprocess.Popen[bytes] | None = None

    def start(self, password: str | None) -> None:
        """Start the keyring, unlocked by `password`, or locked."""
        words = ["gnome-keyring-daemon", "--foreground", "--components=secrets"]
        self.daemon = subprocess.Popen(
            words if password is None else [*words, "--unlock"], env={**os.environ, **self.env},
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        assert self.daemon.stdin
        self.daemon.stdin.write((password or "").encode())
        self.daemon.stdin.close()
        deadline = time.monotonic() + DEADLINE
        while not self._answers():
            assert self.daemon.poll() is None, "gnome-keyring-daemon ended"
            assert time.monotonic() < deadline, "gnome-keyring-daemon did not come up"
            time.sleep(0.05)

    def _answers(self) -> bool:
        asked = ["dbus-send", f"--bus={self.address}", "--print-reply", "--dest=org.freedesktop.DBus", "/"]
        done = subprocess.run(
            [*asked, "org.freedesktop.DBus.NameHasOwner", "string:org.freedesktop.secrets"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        return "boolean true" in done.stdout

    def stop(self) -> None:
        """End the keyring; the bus stays."""
        if self.daemon is not None:
            self.daemon.send_signal(signal.SIGTERM)
            self.daemon.wait(DEADLINE)
            self.daemon = None

    def close(self) -> None:
        """End both."""
        self.stop()
        self.bus.terminate()
        self.bus.wait(DEADLINE)


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    """An unlocked Secret Service, one for all tests."""
    for program in ("gnome-keyring-daemon", "dbus-daemon", "dbus-send"):
        if shutil.which(program) is None:
            pytest.skip(
                f"NOT TESTED, the real keyring: {program} is missing (apt-get install gnome-keyring dbus-bin)"
            )
    session = Session(tmp_path_factory.mktemp("k"))
    try:
        session.start(PASSWORD)
        yield session
    finally:
        session.close()


@pytest.fixture
def ring(service: Session, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    """The unlocked Secret Service as this process's keyring, empty at the start."""
    if service.daemon is None:
        service.start(PASSWORD)
    for name, value in service.env.items():
        if name != "HOME":
            monkeypatch.setenv(name, value)
    keyring.set_keyring(SecretService.Keyring())
    yield service
    keyring.set_keyring(fail.Keyring())


@pytest.fixture
def locked_ring(ring: Session) -> Iterator[Session]:
    """The same service after a restart without the password: it holds LOCKED_AWAY and is locked."""
    keyring.set_password("tmux-trainsh", "LOCKED_AWAY", "v")
    ring.stop()
    ring.start(None)
    yield ring
    ring.stop()
    ring.start(PASSWORD)
    keyring.delete_password("tmux-trainsh", "LOCKED_AWAY")
