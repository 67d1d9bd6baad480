"""Sessions on a machine behind a real sshd, and ways to disturb the connection to it."""

import contextlib
import gc
import os
import signal
import subprocess
from pathlib import Path

from trainsh_world import World
from world_sshd import Sshd

from tmux_box import Box
from trainsh_base.remote.control_socket import Session, master_pid
from trainsh_base.remote.target import Target


class Far(Box):
    """Sessions on one machine of a world."""

    def __init__(self, world: World, server: Sshd, spec: str = "") -> None:
        super().__init__(world.folder, spec or world.spec(server), server.home)
        self.world, self.server = world, server

    def tmux(self, *words: str, job: str = "") -> str:
        command = ["tmux", "-L", f"train-{job}" if job else "train", *words]
        env = os.environ | {"TMUX_TMPDIR": str(self.server.tmux)}
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60, env=env).stdout

    @property
    def target(self) -> Target:
        return self.registry.host(self.host).target


def cut(far: Far, how: str) -> None:
    """Cut the connection at its remote end (`sshd`) or at the `master` here, or cut all `clients` of the master."""
    if how == "sshd":
        far.server.drop()
    elif how == "master":
        pid = master_pid(far.target.control_path or "")
        with contextlib.suppress(ProcessLookupError):  # it has ended by itself meanwhile, as after a cut before
            if pid:
                os.kill(pid, signal.SIGKILL)
    else:
        for session in [each for each in gc.get_objects() if isinstance(each, Session)]:
            session.end()


def without(world: World, *programs: str) -> str:
    """A PATH with the system's programs except some."""
    folder = world.folder / "few"
    folder.mkdir()
    for name in os.listdir("/usr/bin"):
        if name not in programs:
            (folder / name).symlink_to(f"/usr/bin/{name}")
    return str(folder)


def below(pid: int) -> list[int]:
    """A process and all its descendants, each after its parent."""
    words = ["ps", "-A", "-o", "pid=,ppid="]
    rows = [line.split() for line in subprocess.check_output(words, text=True).splitlines()]
    found = [pid]
    for parent in found:
        found += [int(child) for child, its in rows if int(its) == parent]
    return found


def power_off(pid: int) -> None:
    """A process and all below it end at once: nobody says a last word, or starts another.

    A parent is stopped before its children and killed after them, so that no shell sees a child stop or end.
    """
    stopped: list[int] = []
    while found := [each for each in below(pid) if each not in stopped]:
        stopped += found
        for each in found:
            with contextlib.suppress(ProcessLookupError):  # a short one has ended meanwhile
                os.kill(each, signal.SIGSTOP)
    for each in reversed(stopped):
        with contextlib.suppress(ProcessLookupError):
            os.kill(each, signal.SIGKILL)


def logins(server: Sshd) -> int:
    """The number of logins so far."""
    return server.log.read_text().count("Accepted ")


def only(folder: Path, *programs: str) -> str:
    """A PATH with only busybox's applets and these programs."""
    folder.mkdir()
    applets = subprocess.run(["busybox", "--list"], capture_output=True, text=True, check=True).stdout.split()
    for name in applets:
        (folder / name).symlink_to("/usr/bin/busybox")
    for path in programs:
        (folder / Path(path).name).unlink(missing_ok=True)
        (folder / Path(path).name).symlink_to(path)
    return str(folder)
