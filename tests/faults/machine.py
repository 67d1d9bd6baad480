"""A machine that can be switched off: a real sshd in a pid namespace, with its own disk and link.

It needs root and namespaces (Linux). `here` stands for this machine, which has no such link, disk or power switch.
"""

import contextlib
import os
import signal
import subprocess
from pathlib import Path

from trainsh_world import World, end_all_marked, new_world
from world_sshd import has_mount_namespaces

DISK = "24m"
BOX = ("unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "--uts", "--propagation", "private")


class Machine:
    """The world of one schedule: a work folder that every side sees, and a host `box` in hosts.toml."""

    def __init__(self, world: World, remote: bool) -> None:
        self.world = world
        self.remote = remote
        self.work = world.folder / "work"
        self.work.mkdir()
        if not remote:
            self.home, self.spec = world.home, "local"
            return
        self.server = world.sshd("box", prefix=BOX)
        self.home, self.spec = self.server.home, "box"
        self.mount_disk()
        self.restart()  # the machine's mounts are made when it starts
        self.link = world.relay(self.server)
        world.host(self.server, port=self.link.port)

    def mount_disk(self) -> None:
        """Put the machine's home on a small disk."""
        words = ["mount", "-t", "tmpfs", "-o", f"size={DISK},mode=700", "tmpfs", str(self.home)]
        subprocess.run(words, check=True)

    def close(self) -> None:
        """Remove the disk, and end the processes."""
        if self.remote:
            self.off()
            end_all_marked(self.world.mark)
            subprocess.run(["umount", "-l", str(self.home)], check=False)

    def off(self) -> None:
        """Cut the power: every process of the machine ends at once."""
        process = self.server._process
        if process is not None:
            process.kill()
            process.wait(10)
            self.server._process = None

    def restart(self) -> None:
        """Switch the machine off and on. Sockets from before stay in its /tmp, as on many machines."""
        self.off()
        self.server.start()

    def fill(self) -> None:
        """Fill the disk completely."""
        with contextlib.suppress(OSError), (self.home / "fill").open("ab", buffering=0) as file:
            for size in (1 << 20, 1 << 12, 1):
                with contextlib.suppress(OSError):
                    while file.write(b"x" * size) == size:
                        pass

    def free(self) -> None:
        """Free the space on the disk again."""
        (self.home / "fill").unlink(missing_ok=True)

    def processes(self, *beginnings: str) -> list[int]:
        """The processes of this world whose command line begins with one of these words."""
        mark = f"TRAINSH_WORLD={self.world.mark}".encode()
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                words = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                if words.startswith(beginnings) and mark in (entry / "environ").read_bytes().split(b"\0"):
                    found.append(int(entry.name))
        return found

    def kill_tmux(self) -> None:
        """Kill the tmux servers of the jobs."""
        for pid in self.processes("tmux "):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


@contextlib.contextmanager
def new_machine(remote: bool):  # type: ignore[no-untyped-def]
    """A machine for one schedule."""
    with new_world() as world:
        machine = Machine(world, remote)
        try:
            yield machine
        finally:
            machine.close()


def can_restart() -> bool:
    """Whether this user may have machines that can be switched off and on."""
    return os.getuid() == 0 and has_mount_namespaces()
