"""Tools for tests of sessions: the tool in this process, its client, and the keyboard of a pane."""

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from trainsh_base.request import Request, serve_in_this_thread
from trainsh_tmux import cli
from trainsh_tmux.model import Outcome, Session
from trainsh_tmux.session.registry import Registry
from trainsh_tmux.step.failures import Lost, NotStarted, SessionEnded

LIMIT = 180  # seconds for a test, or for one round of a long test; so a session that hangs makes only one test fail


def wait_until(condition: Callable[[], object], what: str = "the condition", timeout: float = 60.0) -> Any:
    """Wait until `condition` returns a true value, and return this value. Fail if that does not happen in time."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"{what} did not hold within {timeout:g} seconds"
        time.sleep(0.02)


class Client(Request):
    """A client that records the events that it gets."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[tuple[str, dict[str, Any]]] = []

    def emit(self, kind: str, **data: Any) -> None:
        self.events.append((kind, data))

    @property
    def text(self) -> str:
        """The output that was shown, with plain newlines."""
        return "".join(data["data"] for kind, data in self.events if kind == "output").replace("\r\n", "\n")

    @property
    def log(self) -> list[str]:
        return [data["message"] for kind, data in self.events if kind == "log"]


def ended(function: Callable[[], Any]) -> Any:
    """The answer of a request. If the step's command has no result, return the outcome that is in the error."""
    try:
        return function()
    except (Lost, SessionEnded, NotStarted) as error:
        if "state" not in error.data:
            raise
        known = {name: value for name, value in error.data.items() if name in Outcome.__struct_fields__}
        return Outcome(**known)


class Running:
    """A request in a thread of its own."""

    def __init__(self, function: Callable[[], Any]) -> None:
        self.client = Client()
        self._answer: Any = None
        self._error: BaseException | None = None
        self._function = function
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def _work(self) -> None:
        serve_in_this_thread(self.client)
        try:
            self._answer = ended(self._function)
        except BaseException as error:
            self._error = error

    @property
    def running(self) -> bool:
        """Whether there is no answer yet."""
        return self._thread.is_alive()

    def result(self, timeout: float = 60.0) -> Any:
        """Return its answer, or raise its error."""
        self._thread.join(timeout)
        assert not self._thread.is_alive(), f"no answer within {timeout:g} seconds; so far: {self.client.events}"
        if self._error:
            raise self._error
        return self._answer


class Box:
    """This machine, or a machine behind ssh, with sessions of the test's own."""

    def __init__(self, folder: Path, host: str = "local", home: Path | None = None) -> None:
        self.folder, self.host = folder, host
        self.home = home or folder / "home"
        self.registry = Registry()
        self.client = Client()

    def goes_on(self) -> None:
        """Give the test LIMIT seconds more, because its last action has ended.

        This is for tests of a hundred rounds.
        """
        signal.alarm(LIMIT)

    def forget(self) -> None:
        """Behave as a new process: forget all connections and sessions."""
        self.registry.close()
        self.registry = Registry()
        cli.registry = self.registry

    def call(self, function: Callable[..., Any], *words: Any, **options: Any) -> Any:
        """Call a command of the tool. `.client` gets its events."""
        cli.registry = self.registry
        self.client = Client()
        serve_in_this_thread(self.client)
        return function(*words, **options)

    def open(self, name: str = "w", **options: Any) -> Session:
        session: Session = self.call(cli.open_, self.host, name, **options)
        return session

    def run(self, command: str, name: str = "w", **options: Any) -> Outcome:
        outcome: Outcome = ended(lambda: self.call(cli.run, command, session=name, host=self.host, **options))
        return outcome

    def text(self, command: str, name: str = "w", **options: Any) -> str:
        """Run a command that must succeed, and return what it prints."""
        outcome = self.run(command, name, **options)
        assert outcome.state == "ok", (outcome, self.client.events)
        return self.client.text

    def start(self, command: str, name: str = "w", **options: Any) -> Running:
        """Run a command in another thread."""
        cli.registry = self.registry
        return Running(lambda: cli.run(command, session=name, host=self.host, **options))

    def wait(self, name: str = "w", **options: Any) -> Any:
        return self.call(cli.wait, name, host=self.host, **options)

    def waiting(self, name: str = "w", **options: Any) -> Running:
        cli.registry = self.registry
        return Running(lambda: cli.wait(name, host=self.host, **options))

    def session(self, name: str = "w", job: str = "") -> Path:
        """The session's folder."""
        return self.home / ".local/state/tmux-trainsh/sessions" / (f"train-{job}" if job else "train") / name

    def began(self, running: Running) -> None:
        """Wait until the step of this request has begun."""
        wait_until(
            lambda: any(kind == "started" for kind, _ in running.client.events) or running._error,
            "the step's start",
        )

    def tmux(self, *words: str, job: str = "") -> str:
        """A tmux command for the server that has the sessions."""
        command = ["tmux", "-L", f"train-{job}" if job else "train", *words]
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout

    def kill_server(self, name: str = "w", job: str = "") -> None:
        """Kill the tmux server, and wait until the shell of a session is gone with it."""
        shell = int((self.session(name, job) / "shell").read_text().split()[0])
        os.kill(int(self.tmux("display-message", "-p", "#{pid}", job=job)), signal.SIGKILL)
        wait_until(lambda: not Path(f"/proc/{shell}").exists(), "the shell's end")

    def covered(self, step: str, name: str = "w") -> None:
        """Wait until the idle shell's snapshot has what a step left."""
        path = self.session(name) / "snapshot"
        wait_until(lambda: path.exists() and path.read_text().startswith(f"# after {step}\n"), "the snapshot")

    def watched(self) -> None:
        """Wait until the host watches for what a wait waits for."""
        waits = self.home / ".local/state/tmux-trainsh/waits"
        wait_until(lambda: any(path.is_file() for path in waits.rglob("*")), "a wait")

    def timed_out(self, command: str, timeout: float, **options: Any) -> Outcome:
        """Run a command that takes longer than `timeout`; again, where a busy shell did not begin it in that time."""
        for _ in range(20):
            outcome = self.run(command, timeout=timeout, **options)
            if outcome.state != "not_started":
                break
        return outcome

    def processes(self, word: bytes) -> list[bytes]:
        """The command lines with `word` of the processes of this test."""
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                words = (entry / "cmdline").read_bytes()
                ours = f"TRAINSH_WORLD={self.folder.name}".encode() in (entry / "environ").read_bytes()
            except OSError:
                continue
            if ours and word in words and int(entry.name) != os.getpid():
                found.append(words)
        return found

    def ctrl_c(self, name: str = "w") -> None:
        """Type Ctrl-C between two steps. When this returns, the session's shell has handled it."""
        before = self._ready_marks(name)
        self.keys("C-c", name=name)
        wait_until(lambda: self._ready_marks(name) > before, "the shell to come back")

    def _ready_marks(self, name: str) -> int:
        logs = self.session(name).glob("log.*")
        return sum(path.read_bytes().count(b";r;") for path in logs)

    def keys(self, *keys: str, name: str = "w") -> None:
        """Press keys in a session's pane; its terminal has them when this returns."""
        self.tmux("send-keys", "-t", f"={name}:", *keys)
        with contextlib.suppress(subprocess.CalledProcessError):  # the keys may have ended the server
            self.tmux("display-message", "-p", "")  # tmux answers after it has written them

    def screen(self, name: str = "w") -> str:
        return self.tmux("capture-pane", "-p", "-S", "-200", "-t", f"={name}:")


def holding(folder: Path, secret: str) -> set[Path]:
    """The files below a folder that hold it now."""
    found = set()
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):  # it has gone meanwhile, as a snapshot's first version does
            if path.is_file() and secret.encode() in path.read_bytes():
                found.add(path)
    return found


def without_bash(box: Box, monkeypatch: pytest.MonkeyPatch, shell: str) -> None:
    """From now on, make this machine one without bash for the box, with `shell` as its sh."""
    few = box.folder / "few"
    few.mkdir()
    for name in os.listdir("/usr/bin"):
        if name not in ("bash", "rbash", "sh"):
            (few / name).symlink_to(f"/usr/bin/{name}")
    (few / "sh").symlink_to(f"/usr/bin/{shell}")
    monkeypatch.setenv("PATH", str(few))
    (box.home / ".profile").write_text(f"PATH={few}\n")
