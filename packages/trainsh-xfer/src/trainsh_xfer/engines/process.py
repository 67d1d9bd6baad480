"""Runs rsync: streams its output, ends it when the request is cancelled. The one place that uses sh."""

import contextlib
import os
import selectors
import shutil
import signal
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, BinaryIO

import msgspec

from trainsh_base.errors import Cancelled
from trainsh_base.request import Request
from trainsh_base.system.proc import missing
from trainsh_base.system.proc import run as run_to_end
from trainsh_xfer.engines.rsync import Rsync, read_version

GRACE = 5.0
CHUNK = 1 << 16
STDERR_KEPT = 16_000


class Ended(msgspec.Struct, frozen=True):
    """How a program ended: its status (negative: the signal) and what it said on stderr, the middle left out."""

    status: int
    stderr: str


def find_rsync() -> Rsync:
    """The rsync on PATH and its version; MissingProgram (exit 9) when there is none that works."""
    path = shutil.which("rsync")
    if path is None:
        raise missing("rsync")
    done = run_to_end([path, "--version"], check=False)
    found = read_version(path, done.stdout.decode(errors="replace"))
    if found is None:
        raise missing("rsync")
    return found


def stream(
    argv: Sequence[str],
    on_output: Callable[[bytes], None],
    request: Request,
    *,
    env: Mapping[str, str] | None = None,
    started: Callable[[str], None] | None = None,
) -> Ended:
    """Run `argv`, handing its standard output to `on_output` as it comes; Cancelled when the request is.

    The program is a session of its own: Ctrl-C reaches it through the request, and takes its children along. It is
    given GRACE seconds to put away what it has of a file. `started` is given what came on stderr after every half
    second without output; what it raises ends the program.
    """
    request.check()
    errors = Kept()
    with Pipe() as output, Pipe() as complaints:
        running = _start(argv, output.writer, complaints.writer, env)
        ending = Ending(int(running.process.pgid))
        request.on_cancel(ending.begin)
        try:
            output.writer.close()
            complaints.writer.close()
            idle = (lambda: started(errors.text())) if started else None
            _pump({output.reader: on_output, complaints.reader: errors.add}, running, idle)
            status = int(running.process.wait())
        except BaseException:
            ending.begin()
            running.process.wait()
            raise
        finally:
            ending.over()
    if request.cancelled.is_set():
        raise Cancelled("the transfer was cancelled; to continue: run it again")
    return Ended(status, errors.text())


def _start(argv: Sequence[str], output: BinaryIO, errors: BinaryIO, env: Mapping[str, str] | None) -> Any:
    """Start `argv` by sh. Latin-1 lets every byte of a file's name through unchanged.

    The pipes are ours: sh would hand output on a line at a time, or read it byte by byte, and progress has no
    lines.
    """
    import sh  # it costs 60 ms

    words = [os.fsencode(word).decode("latin-1") for word in argv]
    with open(os.devnull, "rb") as nothing:  # noqa: PTH123
        return sh.Command(words[0])(
            *words[1:], _in=nothing, _out=output, _err=errors, _encoding="latin-1", _new_session=True,
            _bg=True, _bg_exc=False, _ok_code=list(range(256)), _env={**os.environ, **(env or {})},
        )  # fmt: skip


def _pump(readers: dict[BinaryIO, Callable[[bytes], None]], running: Any, idle: Callable[[], None] | None) -> None:
    """Hand on what comes until both ends are closed, or the program is gone and left them to a child of its own."""
    with selectors.DefaultSelector() as ready:
        for reader, consumer in readers.items():
            ready.register(reader, selectors.EVENT_READ, consumer)
        while ready.get_map():
            events = ready.select(timeout=0.5)
            for key, _ in events:
                if chunk := os.read(key.fd, CHUNK):
                    key.data(chunk)
                else:
                    ready.unregister(key.fileobj)
            if not events and idle:
                idle()
            if not events and not running.process.is_alive()[0]:
                return


class Pipe:
    """A pipe as two files; both are closed when the block ends."""

    def __enter__(self) -> "Pipe":
        reader, writer = os.pipe()
        self.reader = open(reader, "rb", buffering=0)  # noqa: PTH123 - closed by __exit__
        self.writer = open(writer, "wb", buffering=0)  # noqa: PTH123
        return self

    def __exit__(self, *_: object) -> None:
        self.reader.close()
        self.writer.close()


class Ending:
    """Ends a group of processes: asked to at first, killed after GRACE seconds."""

    def __init__(self, group: int) -> None:
        self._group = group
        self._killer = threading.Timer(GRACE, self._send, [signal.SIGKILL])
        self._killer.daemon = True
        self._over = False

    def begin(self) -> None:
        """Ask the group to end, and return at once."""
        if not self._over and not self._killer.is_alive():
            self._send(signal.SIGTERM)
            self._killer.start()

    def over(self) -> None:
        """It has ended: its number may belong to another from now on."""
        self._over = True
        self._killer.cancel()

    def _send(self, number: int) -> None:
        if not self._over:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._group, number)


class Kept:
    """The beginning and the end of a stream of unknown length."""

    def __init__(self) -> None:
        self._head = b""
        self._tail = b""

    def add(self, chunk: bytes) -> None:
        """Take one more piece."""
        room = max(0, STDERR_KEPT - len(self._head))
        self._head += chunk[:room]
        self._tail = (self._tail + chunk[room:])[-STDERR_KEPT:]

    def text(self) -> str:
        """The kept beginning and end as text."""
        return (self._head + self._tail).decode(errors="backslashreplace")
