"""The spare's side: waits for clients, and makes a copy of this process for each of them."""

import contextlib
import gc
import os
import select
import signal
import socket
import sys
import time

from trainsh_base.tool.declare import Tool
from trainsh_base.tool.spares.taking import identity

LOOK_EVERY = 1.0  # seconds after which a spare looks whether it is still wanted
MESSAGE_LIMIT = 5.0  # seconds within which a client must have sent its message
LONGEST = 1 << 24  # the most bytes of a client's message
Stamp = tuple[int, int, int]

_life: list[socket.socket] = []  # this socket stays open as long as the process runs


def serve_clients(given: str, tool: Tool) -> None:
    """Wait for clients. Return in a copy of this process, once for each client; the spare itself never returns.

    `given` is the value of the variable `TRAINSH_SPARE`.
    """
    seconds, _, path = given.partition(" ")
    for command in tool.commands.values():
        command.document  # noqa: B018 - it is made when it is first asked for
    if tool.warm_up:
        tool.warm_up()
    who, code = identity(sys.argv[0]), _code()
    os.chdir("/")
    listener, ours = _listen(path)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the copies
    gc.collect()
    gc.freeze()  # a copy then shares the memory of the modules
    until = time.monotonic() + float(seconds)
    while time.monotonic() < until and _stamp(path) == ours and _unchanged(code):
        if not select.select([listener], [], [], LOOK_EVERY)[0]:
            continue
        client, _ = listener.accept()
        if _unchanged(code) and os.fork() == 0:
            listener.close()
            _become(client, who)
            return
        client.close()
        until = time.monotonic() + float(seconds)
    if _stamp(path) == ours:
        os.unlink(path)  # noqa: PTH108
    os._exit(0)


def _listen(path: str) -> tuple[socket.socket, Stamp | None]:
    """Listen at `path`, and return the stamp of the socket. If a spare waits there already, replace it.

    The replaced spare then ends.
    """
    aside = f"{path}.{os.getpid()}"
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(aside)
    listener.listen(16)
    stamp = _stamp(aside)
    os.rename(aside, path)  # noqa: PTH104
    return listener, stamp


def _become(client: socket.socket, who: bytes) -> None:
    """Take over the client's standard files, folder, environment and umask. Then tell the client our pid.

    If this fails, the copy ends, and the client starts a new process.
    """
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setsid()
        client.settimeout(MESSAGE_LIMIT)
        text, files = _receive(client)
        theirs, umask, folder, *environment = text.split(b"\0")
        if bytes.fromhex(theirs.decode()) != who:
            os._exit(1)
        os.chdir(folder)
        os.umask(int(umask, 8))
        os.environb.clear()
        os.environb.update((name, value) for name, _, value in (entry.partition(b"=") for entry in environment))
        time.tzset()
        for number, handle in enumerate(files):
            os.dup2(handle, number)
            os.close(handle)
        client.settimeout(None)
        client.sendall(os.getpid().to_bytes(8, "big"))
    except (OSError, ValueError):
        os._exit(1)
    _life.append(client)


def _receive(client: socket.socket) -> tuple[bytes, list[int]]:
    """Return the client's message and its three files. Raises OSError, ValueError."""
    data, files, _, _ = socket.recv_fds(client, 1 << 16, 3)
    length = int.from_bytes(data[:8], "big")
    if len(files) != 3 or len(data) < 8 or length > LONGEST:
        raise ValueError("a spare gets a message and three files")
    while len(data) < 8 + length:
        more = client.recv(1 << 16)
        if not more:
            raise ValueError("the message is cut short")
        data += more
    return data[8:], files


def _code() -> dict[str, Stamp | None]:
    """Return a stamp of each file from which this process has loaded a module of ours."""
    ours = [module for name, module in sys.modules.items() if name.startswith("trainsh_")]
    return {module.__file__: _stamp(module.__file__) for module in ours if module.__file__}


def _unchanged(code: dict[str, Stamp | None]) -> bool:
    return all(_stamp(file) == stamp for file, stamp in code.items())


def _stamp(path: str) -> Stamp | None:
    with contextlib.suppress(OSError):
        found = os.stat(path)  # noqa: PTH116
        return found.st_ino, found.st_mtime_ns, found.st_size
    return None
