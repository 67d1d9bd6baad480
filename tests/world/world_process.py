"""A server process on a loopback port of its own, for the time of a block."""

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

from world_sshd import free_port

DEADLINE = 60.0


@contextmanager
def listening(argv: list[str], **env: str) -> Iterator[int]:
    """Start `argv` with a free port as its last word, and wait until it listens there; yields the port."""
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
    """Whether something listens on a loopback port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
