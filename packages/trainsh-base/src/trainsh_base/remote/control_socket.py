"""Talks to an ssh master through the master's control socket: checks whether the master is alive, or ends it.

The protocol is version 4 of OpenSSH's PROTOCOL.mux. To speak it directly takes 0.1 ms; to start `ssh -O check`
takes 5 ms.
"""

import contextlib
import os
import socket
import struct

HELLO, ALIVE_CHECK, TERMINATE = 0x00000001, 0x10000004, 0x10000005
ALIVE = 0x80000005
VERSION = 4
PATIENCE = 5.0


class MuxError(Exception):
    """The master sent an unexpected reply, or did not reply in time."""


def master_pid(path: str) -> int | None:
    """Return the process id of the master that listens at `path`.

    Return None if there is none, or if it does not answer.
    """
    try:
        kind, body = _ask(path, ALIVE_CHECK)
    except (OSError, MuxError, struct.error):
        return None
    return int(struct.unpack_from(">I", body, 4)[0]) if kind == ALIVE and len(body) >= 8 else None


def end_master(path: str) -> bool:
    """Ask the master at `path` to exit, which closes its channels. Return whether a master was running.

    If `path` is a symlink, it points to the user's own master. In this case only the link is removed, and the
    master keeps running.
    """
    if os.path.islink(path):  # noqa: PTH114 - a socket's name is text here
        os.unlink(path)  # noqa: PTH108
        return False
    if master_pid(path) is None:
        remove_stale(path)
        return False
    # The master usually exits before it has sent a reply.
    with contextlib.suppress(OSError, MuxError, struct.error):
        _ask(path, TERMINATE)
    return True


def remove_stale(path: str) -> None:
    """Remove the socket at `path` if no process listens there, as after a crash."""
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as probe:
        probe.settimeout(PATIENCE)
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)  # noqa: PTH108 - a socket's name is text here
        except OSError:
            return


def _ask(path: str, request: int) -> tuple[int, bytes]:
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as master:
        master.settimeout(PATIENCE)
        master.connect(path)
        master.sendall(_packet(HELLO, VERSION) + _packet(request, 0))
        kind, _ = _receive(master)
        if kind != HELLO:
            raise MuxError(f"a master says hello first, not {kind:#x}")
        return _receive(master)


def _packet(*numbers: int) -> bytes:
    body = struct.pack(f">{len(numbers)}I", *numbers)
    return struct.pack(">I", len(body)) + body


def _receive(master: socket.socket) -> tuple[int, bytes]:
    length = struct.unpack(">I", _exactly(master, 4))[0]
    if not 4 <= length <= 65536:
        raise MuxError(f"a message of {length} bytes")
    body = _exactly(master, length)
    return struct.unpack(">I", body[:4])[0], body[4:]


def _exactly(master: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        more = master.recv(count - len(data))
        if not more:
            raise MuxError("the master closed its socket")
        data += more
    return data
