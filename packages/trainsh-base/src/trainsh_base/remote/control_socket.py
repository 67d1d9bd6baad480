"""Talks to an ssh master through the master's control socket: checks whether the master is alive, starts commands
on the host, or ends the master.

The protocol is version 4 of OpenSSH's PROTOCOL.mux. To speak it directly takes 0.1 ms; to start `ssh -O check` or
`ssh -S SOCKET` takes 5 ms and more.
"""

import contextlib
import os
import socket
import struct

from trainsh_base.system import spawn

HELLO, NEW_SESSION, ALIVE_CHECK, TERMINATE = 0x00000001, 0x10000002, 0x10000004, 0x10000005
DENIED, FAILED, EXITED, ALIVE = 0x80000002, 0x80000003, 0x80000004, 0x80000005
VERSION = 4
PATIENCE = 5.0
NO_ESCAPE = 0xFFFFFFFF
SSH_FAILED = 255  # the exit status of ssh if the connection was cut


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


class Session(spawn.Child):
    """A command that runs on the host over a master. It ends as `ssh -S` does, with the same statuses.

    `reason` has the master's words if the master did not start the command.
    """

    def __init__(self, master: socket.socket, stdin: int, stdout: int, argv: list[str]) -> None:
        super().__init__(0, stdin, stdout, argv)
        self.reason = ""
        self._master = master
        self._received = b""

    def end(self, signal_number: int = spawn.SIGTERM) -> None:
        """Close the command's stdin, and end the session. The number of the signal makes no difference."""
        self.close_stdin()
        with contextlib.suppress(OSError):
            self._master.shutdown(socket.SHUT_RDWR)

    def _collect(self, flags: int) -> None:
        """Read the master's messages. With `flags`, do not wait for more than those that have arrived."""
        while self.status is None:
            try:
                chunk = self._master.recv(4096, socket.MSG_DONTWAIT if flags else 0)
            except BlockingIOError:
                return
            except OSError:
                chunk = b""
            self._received += chunk
            if not chunk:
                self.status = self._ending()
                self._master.close()

    def _ending(self) -> int:
        """Return the exit status that the messages tell."""
        rest, status = self._received, SSH_FAILED
        while len(rest) >= 12:
            length, kind = struct.unpack_from(">II", rest)
            body, rest = rest[8 : 4 + length], rest[4 + max(length, 4) :]
            if kind == EXITED and len(body) >= 8:
                status = struct.unpack_from(">I", body, 4)[0]
            elif kind in (DENIED, FAILED):
                self.reason = body[8:].decode(errors="replace")
        return status


def start_session(path: str, command: str, argv: list[str], stderr: int, environment: list[str]) -> Session:
    """Start `command` on the host over the master at `path`, with pipes on its stdin and stdout.

    `argv` is the command line of ssh that would do the same, for --debug. `environment` has NAME=VALUE for each
    variable that the host gets. Raises MuxError or OSError if this master cannot be used in this way. Whether the
    host starts the command is known only later, from its output or status.
    """
    if "TRAINSH_DEBUG" in os.environ:
        spawn.show_argv(argv)
    master = socket.socket(socket.AF_UNIX)
    try:
        with spawn.Pipes() as pipes:
            master.settimeout(PATIENCE)
            master.connect(path)
            master.sendall(_packet(HELLO, VERSION))
            kind, body = _receive(master)
            if kind != HELLO or len(body) < 4 or struct.unpack_from(">I", body)[0] != VERSION:
                raise MuxError("a master of another version")
            # Request 1: no terminal, no X11, no subsystem. The agent is forwarded if the master's settings say so.
            message = struct.pack(">II", NEW_SESSION, 1) + _text("") + struct.pack(">5I", 0, 0, 1, 0, NO_ESCAPE)
            message += b"".join(map(_text, [os.environ.get("TERM", ""), command, *environment]))
            master.sendall(struct.pack(">I", len(message)) + message)
            for handle in (pipes.child_in, pipes.child_out, stderr):
                socket.send_fds(master, [b"\0"], [handle])
            master.settimeout(None)
    except BaseException:
        master.close()
        raise
    return Session(master, pipes.stdin, pipes.stdout, argv)


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


def _text(text: str) -> bytes:
    data = os.fsencode(text)
    return struct.pack(">I", len(data)) + data


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
