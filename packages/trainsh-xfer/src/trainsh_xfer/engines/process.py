"""Runs rsync or rclone, streams its output, and stops it when the request is cancelled.

Only this module uses sh.
"""

import contextlib
import functools
import os
import selectors
import shutil
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, BinaryIO

import msgspec

from trainsh_base.errors import Cancelled
from trainsh_base.request import Request
from trainsh_base.system.proc import missing
from trainsh_base.system.proc import run as run_to_end
from trainsh_base.system.spawn import show_argv
from trainsh_xfer.engines.rsync import Rsync, read_version

GRACE = 5.0
CHUNK = 1 << 16
STDERR_KEPT = 16_000


class Ended(msgspec.Struct, frozen=True):
    """How a program ended: its exit status and its stderr.

    If a signal ended the program, the status is the signal's number with a minus sign. If stderr was long, its
    middle is left out.
    """

    status: int
    stderr: str


def find_rsync() -> Rsync:
    """The rsync on PATH and its version. Raises MissingProgram (exit status 9) when no rsync on PATH works."""
    path = shutil.which("rsync")
    if path is None:
        raise missing("rsync")
    return _version(path, os.stat(path).st_mtime_ns)  # noqa: PTH116 - text in


@functools.cache
def _version(path: str, changed: int) -> Rsync:
    """The rsync at `path` and its version.

    `changed` is the time of the file's last change; it only makes the cache notice a new file.
    """
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
    tied: bool = False,
) -> Ended:
    """Run `argv`. Pass its standard output to `on_output` as it arrives.

    The program gets a session of its own, so that a cancel (Ctrl-C) also stops the program's children. After a
    cancel, the program has GRACE seconds to save a partial file, and then Cancelled is raised.

    After each half second without output, `started` is called with the stderr so far. If `started` raises an
    exception, the program is stopped. The standard input of the program is empty. If `tied` is true, this input
    stays open until this process ends.
    """
    request.check()
    errors = Kept()
    with Pipe() as output, Pipe() as complaints, Pipe() as lifeline, contextlib.ExitStack() as starting:
        if not tied:
            lifeline.writer.close()
        starting.enter_context(signals_wait())
        running = _start(argv, lifeline.reader, output.writer, complaints.writer, env)
        ending = Ending(int(running.process.pgid))
        request.on_cancel(ending.begin)
        try:
            starting.close()
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
        raise Cancelled("the transfer was cancelled; to continue: run the command again")
    return Ended(status, errors.text())


def _start(
    argv: Sequence[str], input_: BinaryIO, output: BinaryIO, errors: BinaryIO, env: Mapping[str, str] | None
) -> Any:
    """Start `argv` with sh. The encoding is Latin-1, which passes every byte of a file name through unchanged.

    The caller makes the pipes: sh itself would read the output line by line or byte by byte, but progress output
    has no lines.
    """
    import sh  # imported here, because the import takes 60 ms

    if "TRAINSH_DEBUG" in os.environ:
        show_argv(list(argv))
    words = [os.fsencode(word).decode("latin-1") for word in argv]
    return sh.Command(words[0])(
        *words[1:], _in=input_, _out=output, _err=errors, _encoding="latin-1", _new_session=True,
        _bg=True, _bg_exc=False, _ok_code=list(range(256)), _env={**os.environ, **(env or {})},
    )  # fmt: skip


@contextlib.contextmanager
def signals_wait() -> Iterator[None]:
    """Defer a Ctrl-C or SIGTERM that arrives inside the block to its end.

    The block imports modules and forks. If a signal handler raises an exception meanwhile, Python may drop the
    exception.
    """
    if threading.current_thread() is not threading.main_thread():  # only the main thread runs signal handlers
        yield
        return
    arrived: list[int] = []
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    usual = {number: signal.getsignal(number) for number in numbers}
    own = {number: handler for number, handler in usual.items() if callable(handler)}
    for number in own:
        signal.signal(number, lambda number, _: arrived.append(number))
    try:
        yield
    finally:
        for number, handler in own.items():
            signal.signal(number, handler)
    for late in arrived:
        signal.raise_signal(late)


def _pump(readers: dict[BinaryIO, Callable[[bytes], None]], running: Any, idle: Callable[[], None] | None) -> None:
    """Pass output on until both pipes are closed, or until the program has ended.

    The end of the program must be checked too, because a child of the program may keep the pipes open.
    """
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
    """A pipe as two file objects. Both are closed when the `with` block ends."""

    def __enter__(self) -> "Pipe":
        reader, writer = os.pipe()
        self.reader = open(reader, "rb", buffering=0)  # noqa: PTH123 - closed by __exit__
        self.writer = open(writer, "wb", buffering=0)  # noqa: PTH123
        return self

    def __exit__(self, *_: object) -> None:
        self.reader.close()
        self.writer.close()


class Ending:
    """Stops a process group: SIGTERM first, SIGKILL after GRACE seconds."""

    def __init__(self, group: int) -> None:
        self._group = group
        self._killer = threading.Timer(GRACE, self._send, [signal.SIGKILL])
        self._killer.daemon = True
        self._over = False

    def begin(self) -> None:
        """Send SIGTERM to the group and return at once."""
        if not self._over and not self._killer.is_alive():
            self._send(signal.SIGTERM)
            self._killer.start()

    def over(self) -> None:
        """Send no more signals. The group has ended, and another group may get its id."""
        self._over = True
        self._killer.cancel()

    def _send(self, number: int) -> None:
        if not self._over:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._group, number)


class Kept:
    """Keeps only the beginning and the end of a stream whose length is not known."""

    def __init__(self) -> None:
        self._head = b""
        self._tail = b""

    def add(self, chunk: bytes) -> None:
        """Add a chunk of the stream."""
        room = max(0, STDERR_KEPT - len(self._head))
        self._head += chunk[:room]
        self._tail = (self._tail + chunk[room:])[-STDERR_KEPT:]

    def text(self) -> str:
        """The kept beginning and end as text."""
        return (self._head + self._tail).decode(errors="backslashreplace")
