"""The agent's process: holds opened keys in memory, answers on a socket, and ends when it holds no key any more.

A message is one line of JSON, and so is its answer. The answer to {get: DIGEST} is {key}. The answer to {put:
DIGEST, key, seconds} and to {lock: true} is {held}, the number of keys. After {lock: true} the agent ends.
"""

import contextlib
import ctypes
import fcntl
import os
import resource
import socket
import struct
import sys
import time
from typing import Any

import msgspec

LONGEST = 1 << 16  # the most bytes of a message
PATIENCE = 5.0  # seconds within which a client must send its message
FIRST = 10.0  # seconds after which the agent ends if no key has arrived
PR_SET_DUMPABLE = 4
CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)  # also counts while a laptop sleeps


class Held(msgspec.Struct):
    """An opened key, the seconds for which it is kept after each use, and the time at which it will be deleted."""

    key: str
    seconds: float
    until: float


class Agent:
    """Holds the opened keys. Each key is stored under the digest of its key file."""

    def __init__(self) -> None:
        self.keys: dict[str, Held] = {}
        self.over = False

    def answer(self, message: dict[str, Any], now: float) -> dict[str, Any]:
        """Return the answer to one message that arrived at `now`."""
        self.drop_old(now)
        if message.get("lock"):
            held, self.keys, self.over = len(self.keys), {}, True
            return {"held": held}
        digest, key, seconds = str(message.get("put", "")), message.get("key"), message.get("seconds")
        if digest and isinstance(key, str) and isinstance(seconds, (int, float)):
            self.keys[digest] = Held(key, float(seconds), now + float(seconds))
        found = self.keys.get(str(message.get("get", "")))
        if found is None:
            return {"held": len(self.keys)}
        found.until = now + found.seconds
        return {"held": len(self.keys), "key": found.key}

    def drop_old(self, now: float) -> None:
        """Forget each key that has not been used for as long as it is kept."""
        self.keys = {digest: held for digest, held in self.keys.items() if held.until > now}

    def left(self, now: float) -> float:
        """Return the seconds until the next key is forgotten."""
        return max(0.0, min((held.until for held in self.keys.values()), default=now) - now)


def main(path: str) -> None:
    """Serve on `path` until no key is held."""
    _hide_memory()
    os.umask(0o177)
    with open(f"{path}.lock", "w") as lock:  # noqa: PTH123 - held as long as the process lives
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return  # another agent already serves this socket
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)  # noqa: PTH108
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path)
            listener.listen()
            try:
                _serve(listener, Agent())
            finally:
                with contextlib.suppress(OSError):
                    os.unlink(path)  # noqa: PTH108


def _serve(listener: socket.socket, agent: Agent) -> None:
    began = time.clock_gettime(CLOCK)
    while not agent.over:
        now = time.clock_gettime(CLOCK)
        agent.drop_old(now)
        left = agent.left(now) if agent.keys else began + FIRST - now
        if left <= 0:
            return
        # at most 60 seconds, because this timer does not count while a laptop sleeps
        listener.settimeout(min(left, 60.0))
        with contextlib.suppress(TimeoutError, OSError):
            connection, _ = listener.accept()
            with connection:
                _talk(connection, agent)


def _talk(connection: socket.socket, agent: Agent) -> None:
    if not _ours(connection):
        return
    connection.settimeout(PATIENCE)
    with contextlib.suppress(OSError, msgspec.DecodeError, UnicodeDecodeError), connection.makefile("rb") as lines:
        message = msgspec.json.decode(lines.readline(LONGEST))
        if isinstance(message, dict):
            connection.sendall(msgspec.json.encode(agent.answer(message, time.clock_gettime(CLOCK))) + b"\n")


def _ours(connection: socket.socket) -> bool:
    """Whether the client is a process of the same user.

    If the system cannot tell this, return True, because only this user can enter the socket's folder.
    """
    option = getattr(socket, "SO_PEERCRED", None)
    if option is None:
        return True
    _, user, _ = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, option, struct.calcsize("3i")))
    return int(user) == os.getuid()


def _hide_memory() -> None:
    """Prevent core dumps. On Linux, also prevent other processes of this user from reading the memory."""
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)


if __name__ == "__main__":
    main(sys.argv[1])
