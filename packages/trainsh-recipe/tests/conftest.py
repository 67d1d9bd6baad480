"""Each test has a place of its own: a home, settings and tmux servers, and train-recipe to run in it."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from trainsh_world import end_all_marked

BIN = Path(sys.executable).parent
DEADLINE = 120.0


class Place:
    """A folder with a short path, because it contains tmux's sockets, and an environment that keeps all files in
    the folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.work = folder / "w"
        self.home = folder / "h"
        self.config = folder / "t"
        self.bin = folder / "bin"
        for part in (self.work, self.home, self.config, self.bin, folder / "r", folder / "tmux"):
            part.mkdir(mode=0o700)
        self.extra: dict[str, str] = {}

    @property
    def env(self) -> dict[str, str]:
        """The environment of a program in this place."""
        kept = {key: value for key, value in os.environ.items() if key in ("LANG", "LC_ALL")}
        return kept | {
            "HOME": str(self.home), "TRAINSH_HOME": str(self.config), "XDG_RUNTIME_DIR": str(self.folder / "r"),
            "TMUX_TMPDIR": str(self.folder / "tmux"), "TERM": "xterm",
            "PATH": f"{self.bin}:{BIN}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
            "TRAINSH_WORLD": self.folder.name, "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
        } | self.extra  # fmt: skip

    def recipe(self, text: str, name: str = "r") -> str:
        """Write a recipe and return its path."""
        (self.work / f"{name}.recipe").write_text(text)
        return f"./{name}.recipe"

    def run(self, *words: str, input: str = "", timeout: float = DEADLINE) -> subprocess.CompletedProcess[str]:
        """Run train-recipe to its end."""
        return subprocess.run(
            ["train-recipe", *words], input=input, capture_output=True, text=True, env=self.env, cwd=self.work,
            timeout=timeout, check=False,
        )  # fmt: skip

    def shell(self, line: str) -> None:
        """Run a line that a person would paste into a shell. It must succeed."""
        done = subprocess.run(
            ["sh", "-c", line], capture_output=True, text=True, env=self.env, cwd=self.work, timeout=DEADLINE,
            check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{line}: {done.stderr}"

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start train-recipe without waiting for its end."""
        return subprocess.Popen(
            ["train-recipe", *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, env=self.env, cwd=self.work,
        )  # fmt: skip

    def json(self, *words: str, status: int = 0) -> Any:
        """Run with --json and return the document. The exit status must be `status`."""
        done = self.run(*words, "--json")
        assert done.returncode == status, f"{words} ended with {done.returncode}\n{done.stdout}{done.stderr}"
        return json.loads(done.stdout or done.stderr)

    def job(self) -> Path:
        """The folder of the newest job."""
        return max(path for path in (self.config / "jobs").iterdir() if path.name[0].isdigit())

    def events(self) -> list[dict[str, Any]]:
        """The events of the newest job; a line that is being written is none yet."""
        whole, _, _ = (self.job() / "events.jsonl").read_text().rpartition("\n")
        return [json.loads(line) for line in whole.splitlines()]

    def until(self, true: Callable[[], Any], what: str) -> Any:
        """Wait until `true()` returns a true value. Fail after DEADLINE seconds."""
        deadline = time.monotonic() + DEADLINE
        while True:
            found = true()
            if found:
                return found
            assert time.monotonic() < deadline, f"in vain: {what}"
            time.sleep(0.02)

    def started(self, step: str) -> None:
        """Wait until the newest job has started a step.

        If it is a command, also wait until its session has claimed it.
        """
        self.until(lambda: self._has("step.started", step), f"step {step} starts")
        event = next(each for each in self.events() if each["event"] == "step.started" and each["step"] == step)
        if event["kind"] == "execute":
            file = ".".join(f"{int(part):0{width}d}" for part, width in zip(step.split("."), (3, 2), strict=False))
            claims = f".local/state/tmux-trainsh/sessions/*{self.job().name}/*/steps/{file}-*.claim"
            self.until(lambda: any(self.home.glob(claims)), f"step {step} is taken")

    def finished(self, step: str) -> None:
        """Wait until the newest job has finished an attempt of a step."""
        self.until(lambda: self._has("step.finished", step), f"step {step} finishes")

    def _has(self, event: str, step: str) -> bool:
        try:
            return any(each["event"] == event and each["step"] == step for each in self.events())
        except (ValueError, OSError):
            return False

    def lines(self, name: str = "ran") -> list[str]:
        """The lines of a file in the work folder."""
        path = self.work / name
        return path.read_text().splitlines() if path.exists() else []

    def tool(self, name: str, text: str) -> None:
        """Put a program `train-NAME` on PATH."""
        path = self.bin / f"train-{name}"
        path.write_text(text)
        path.chmod(0o755)

    def sockets(self) -> list[Path]:
        """The sockets of tmux servers that were started here."""
        return [path for path in (self.folder / "tmux").rglob("*") if path.is_socket()]

    def check(self) -> dict[str, str]:
        """What `resume --check` prints about each step."""
        return {row["id"]: row["action"] for row in self.json("resume", "--check")}

    def crash(self) -> None:
        """Kill everything that runs in the sessions, and the sessions' shells, so that no process records how a
        step ended.
        """
        for socket in self.sockets():
            listed = ["tmux", "-S", str(socket), "list-panes", "-a", "-F", "#{pane_pid}"]
            panes = subprocess.run(listed, capture_output=True, text=True, check=False).stdout.split()
            tree = subprocess.run(
                ["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True
            ).stdout
            rows = [tuple(map(int, line.split())) for line in tree.splitlines()]
            found = [int(pane) for pane in panes]
            for parent in found:
                found += [pid for pid, its in rows if its == parent]
            server = subprocess.run(
                ["tmux", "-S", str(socket), "display-message", "-p", "#{pid}"],
                capture_output=True,
                text=True,
                check=False,
            ).stdout.strip()
            # All of them are stopped first, each after its parent, and killed in the opposite order. Otherwise a
            # parent could record that its child was stopped, or was killed.
            everything = [int(server), *found] if server else found
            for number, pids in ((signal.SIGSTOP, everything), (signal.SIGKILL, everything[::-1])):
                for pid in pids:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, number)
            self.until(lambda found=found: not any(map(self.alive, found)), "they are gone")

    @staticmethod
    def alive(pid: int) -> bool:
        """Whether a process has not ended; one that nobody has asked how it ended has."""
        try:
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
        except OSError:
            return False

    def lose_the_shell(self) -> None:
        """Kill the session's shell and remove its snapshot."""
        self.crash()
        # Only the snapshots of the sessions are removed, not the snapshot.bash of the library, without which no
        # later shell works.
        for found in self.home.glob(".local/state/tmux-trainsh/**/sessions/*/*/snapshot*"):
            found.unlink()

    def close(self) -> None:
        """End what still runs, and remove the folder."""
        for socket in self.sockets():
            subprocess.run(["tmux", "-S", str(socket), "kill-server"], capture_output=True, check=False)
        end_all_marked(self.folder.name)
        shutil.rmtree(self.folder, ignore_errors=True)


@pytest.fixture
def make_place() -> Callable[[], Place]:
    """A function that makes places. The test that makes one must close it."""
    return lambda: Place(Path(tempfile.mkdtemp(prefix="tr")))


@pytest.fixture
def place(make_place: Callable[[], Place]) -> Iterator[Place]:
    """A place that is removed after the test."""
    made = make_place()
    yield made
    made.close()


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Code that runs in the test's own process has a home of its own too."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TRAINSH_HOME", str(tmp_path / "trainsh"))
    return tmp_path / "home"
