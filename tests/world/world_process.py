"""A server process on a free loopback port, which runs during a block."""

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

from world_sshd import free_port

DEADLINE = 60.0


@contextmanager
def listening(argv: list[str], **env: str) -> Iterator[int]:
    """Start `argv` with a free port as its last argument. Wait until it listens there, and yield the port."""
    port = free_port()
    child = subprocess.Popen([*argv, str(port)], stdout=subprocess.DEVNULL, env=env or None)
    try:
        deadline = time.monotonic() + DEADLINE
        while not listens(port):
            assert child.poll() is None, f"{argv[-1]} ended"
            assert time.monotonic() < deadline, f"{argv[-1]} did not come up"
            time.sleep(0.05)
        yield port
    finally:
        child.kill()
        child.wait()


def listens(port: int) -> bool:
    """Whether a process listens on a loopback port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
