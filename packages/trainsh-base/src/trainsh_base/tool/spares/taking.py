"""The client's side of spare tools: takes a spare if one waits, and leaves one for the next program.

A spare saves the start of Python and of a tool's modules, which is half of the time of `train exec`. It waits at a
socket in the private folder for sockets. For each client it makes a copy of itself (fork), and this copy gets what
a new process would get from the client: its standard files, folder, environment and umask. The spare ends after
some seconds in which no client came.

A spare is for the same tool, Python, and namespaces, and for the same values of the variables that Python and the
system's loader read at the start of a process. All this is in `identity`.
"""

import os
import sys
import time

from trainsh_base import VERSION
from trainsh_base.system import spawn
from trainsh_base.system.paths import fingerprint, runtime_folder
from trainsh_base.tool.spares import VARIABLE

# Python and the system's loader read these variables only when a process starts.
FIXED = ("PYTHON", "LANG", "LC_", "LD_", "DYLD_")
NAMESPACES = ("cgroup", "ipc", "mnt", "net", "pid", "user", "uts")
CONNECT_LIMIT = 0.2  # seconds to connect; the spare's queue of clients may be full
CONFIRM_LIMIT = 2.0  # seconds within which a spare must have copied itself

TYPE_CHECKING = False  # as in paths.py
if TYPE_CHECKING:
    from _socket import socket


def identity(program: str) -> bytes:
    """Return what must be equal in a spare and in its clients."""
    fixed = [f"{name}={value}" for name, value in sorted(os.environ.items()) if name.startswith(FIXED)]
    where = []
    for name in NAMESPACES:
        try:
            where.append(str(os.stat(f"/proc/self/ns/{name}").st_ino))  # noqa: PTH116 - pathlib is not loaded here
        except OSError:
            where.append("-")
    path = os.path.abspath(program)  # noqa: PTH100 - as above
    return "\0".join([VERSION, sys.executable, path, *where, *fixed]).encode("utf-8", "surrogateescape")


class Spare(spawn.Child):
    """A copy of a spare that serves this process. It is not a child of this process, so its status is not known."""

    def __init__(self, stdin: int, stdout: int, argv: list[str], life: "socket", path: str) -> None:
        super().__init__(0, stdin, stdout, argv)
        self._life = life  # a socket that the other process keeps open as long as it runs
        self._path = path

    def confirm(self) -> bool:
        """Return whether the spare serves this process. If it does not, its pipes are closed.

        A spare that did not answer in time loses its socket, so that no other client waits for it. It then ends.
        Call this once, before the first request whose answer is needed.
        """
        try:
            self._life.settimeout(CONFIRM_LIMIT)
            answer = self._life.recv(8)
            self._life.settimeout(None)
        except OSError as error:
            answer = b""
            if isinstance(error, TimeoutError):
                _remove(self._path)
        if len(answer) == 8:
            self.pid = int.from_bytes(answer, "big")
            spawn.remember(self)
            return True
        self._life.close()
        self.status = spawn.UNKNOWN
        self.close_stdin()
        os.close(self.stdout)
        return False

    def _collect(self, flags: int) -> None:
        if self.status is not None:
            return
        import _socket  # noqa: PLC0415 - see take

        try:
            ended = not self._life.recv(1, _socket.MSG_DONTWAIT if flags else 0)
        except BlockingIOError:
            return
        except OSError:
            ended = True
        if ended:
            self.status = spawn.UNKNOWN
            spawn.forget(self)


def take(program: str) -> Spare | None:
    """Return a spare of the tool whose executable is `program`, or None if none waits.

    The spare may have been given up at this moment. So call `confirm` before it is relied on. Raises Conflict if
    there is no folder for sockets.
    """
    who = identity(program)
    path = _path(who)
    if not os.path.exists(path):  # noqa: PTH110 - as above
        return None
    import _socket  # noqa: PLC0415 - loading `socket` takes 5 ms

    life = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    life.settimeout(CONNECT_LIMIT)
    try:
        with spawn.Pipes() as pipes:
            life.connect(path)
            text = b"\0".join([who.hex().encode(), _umask(), os.fsencode(os.getcwd()), *_environment()])  # noqa: PTH109
            message = len(text).to_bytes(8, "big") + text
            files = b"".join(number.to_bytes(4, sys.byteorder) for number in (pipes.child_in, pipes.child_out, 2))
            sent = life.sendmsg([message], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, files)])
            life.sendall(message[sent:])
    except OSError:
        life.close()
        return None
    if "TRAINSH_DEBUG" in os.environ:
        spawn.show_argv([program, "serve"], "  # a spare")
    return Spare(pipes.stdin, pipes.stdout, [program, "serve"], life, path)


def leave(program: str, seconds: float) -> None:
    """Start a spare for the next program, if the tool was needed before within `seconds`.

    A single use leaves nothing behind. Raises Conflict if there is no folder for sockets.
    """
    path = _path(identity(program))
    mark = f"{path}.used"
    try:
        recent = _age(mark) < seconds
        with open(mark, "w"):  # noqa: PTH123 - as above
            pass
        os.utime(mark)
    except OSError:
        return
    if not recent:
        return
    # The spare must keep nothing open that this process was given: no terminal, no pipe and no locked file. Its
    # standard files are a pipe to itself, so that Python takes them for files without a position. They later become
    # those of a client.
    reader, writer = os.pipe()
    actions = [(os.POSIX_SPAWN_DUP2, reader, 0), (os.POSIX_SPAWN_DUP2, writer, 1), (os.POSIX_SPAWN_DUP2, writer, 2)]
    closing = [(os.POSIX_SPAWN_CLOSE, number) for number in _inherited()]
    environment = {**os.environ, VARIABLE: f"{seconds:g} {path}"}
    try:
        os.posix_spawn(
            program, [program, "serve"], environment, file_actions=[*actions, *closing], setsid=True,
            setsigdef=[spawn.SIGPIPE, spawn.SIGINT],
        )  # fmt: skip
    except OSError:
        return
    finally:
        os.close(reader)
        os.close(writer)


def _path(who: bytes) -> str:
    return f"{runtime_folder()}/s-{fingerprint(who):016x}"


def _remove(path: str) -> None:
    try:  # noqa: SIM105 - contextlib costs 3 ms
        os.unlink(path)  # noqa: PTH108
    except OSError:
        pass


def _umask() -> bytes:
    now = os.umask(0o077)
    os.umask(now)
    return b"%o" % now


def _environment() -> list[bytes]:
    return [name + b"=" + value for name, value in os.environb.items()]


def _age(path: str) -> float:
    try:
        return time.time() - os.stat(path).st_mtime  # noqa: PTH116
    except OSError:
        return float("inf")


def _inherited() -> list[int]:
    """Return the descriptors above 2 that a new process would inherit."""
    found = []
    for name in os.listdir("/dev/fd"):  # noqa: PTH208
        number = int(name) if name.isdigit() else 0
        try:
            if number > 2 and os.get_inheritable(number):
                found.append(number)
        except OSError:  # the descriptor of /dev/fd itself
            continue
    return found
