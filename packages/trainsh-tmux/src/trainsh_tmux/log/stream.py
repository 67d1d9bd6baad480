"""Follows a session's log as it grows.

The host sends the log over a separate shell, and `Stream` cuts it into pieces.
"""

import contextlib
import fcntl
import os
import select
import threading
import time
from collections.abc import Callable

from trainsh_base.errors import RemoteError
from trainsh_base.remote.channel import ChannelLost
from trainsh_base.request import Request, current
from trainsh_base.system.deadline import Deadline
from trainsh_base.system.spawn import Child
from trainsh_tmux.log.sentinels import Piece, Splitter
from trainsh_tmux.remote import scripts
from trainsh_tmux.remote.host import Host

CHUNK = 1 << 18
# size in bytes that the pipe from the host's shell should have, so that the host can send a lot without waiting
PIPE = 1 << 20
DEFAULT_PIPE = 1 << 16
FLOOD = 1 << 18  # bytes received without a pause, after which the reader waits for larger chunks
GATHER = 0.005  # seconds to wait for the next chunk during such a flood; in this time the pipe does not fill up
# seconds within which the host must send its first line, which has the offset where the log begins
HEAD_LIMIT = 30.0
LONGEST_HEAD = 1 << 20  # bytes that login files may print before that first line
# the most retries at one offset; one is needed if the host removes a segment (a log file) before it is opened
SAME_PLACE = 20


class Stream:
    """Reads the log from `offset` on in a thread of its own, and calls `on_piece` for each piece.

    At the end, `on_lost` is called once. Its argument is None if the connection ended, or the error if reading
    failed.
    """

    def __init__(
        self, host: Host, job: str, name: str, offset: int, on_piece: Callable[[Piece], None],
        on_lost: Callable[[Exception | None], None], *, deadline: Deadline | None = None,
    ) -> None:  # fmt: skip
        self._host, self._job, self._name = host, job, name
        self._on_piece, self._on_lost = on_piece, on_lost
        self._closed = False
        self._key = ""
        self._child, self.offset, self._rest = self._open(offset, current(), deadline)
        threading.Thread(target=self._run, daemon=True, name=f"log of {name}").start()

    def close(self) -> None:
        """Stop."""
        self._closed = True
        self._child.end()

    def _open(self, offset: int, request: Request, deadline: Deadline | None) -> tuple[Child, int, bytes]:
        host = self._host
        child = host.open_shell(request, deadline)
        script = scripts.follow(self._host.root, self._job, self._name, offset)
        try:
            _write(child, script.encode())
            said, rest = _read_head(child, request, deadline or Deadline.after(HEAD_LIMIT))
        except OSError:
            child.end()
            raise ChannelLost(f"the connection to {self._host.name} was cut") from None
        except BaseException:
            child.end()
            raise
        start, _, key = said.partition(" ")
        if not start:
            return child, offset, b""
        if not start.isdigit() or not (key.isalnum() or not key):
            child.end()
            raise self._malformed(f"at {said}")
        self._key = key
        return child, int(start), rest

    def _run(self) -> None:
        error: Exception | None = None
        try:
            repeated = 0
            while (following := self._push()) is not None and not self._closed:
                repeated = repeated + 1 if following == self.offset else 0
                if repeated > SAME_PLACE:
                    raise self._malformed(f"the segment at {following} is not there")
                self._child, self.offset, self._rest = self._open(following, Request(), None)
        except ChannelLost:
            pass
        # listeners must get the error; otherwise a step would wait for a stream that has ended
        except Exception as wrong:
            error = wrong
        if not self._closed:
            self._on_lost(error)

    def _push(self) -> int | None:
        """Pass on pieces until this shell ends, or until the log continues in another segment (another file).

        Returns the offset at which the next segment begins, or None if the shell ended.
        """
        splitter = Splitter(self.offset, self._key)
        child = self._child
        reader = Reader(child.stdout)
        try:
            chunk = self._rest or reader.read()
            while chunk:
                for piece in splitter.feed(chunk):
                    # The logger wrote no offset but this one: the next segment begins where this one ends.
                    if piece.letter == "n" and piece.fields == (str(piece.offset),):
                        return piece.offset
                    self._on_piece(piece)
                chunk = reader.read()
        except OSError:
            pass
        finally:
            child.end()
            with contextlib.suppress(OSError):
                os.close(child.stdout)
        return None

    def _malformed(self, what: str) -> RemoteError:
        return RemoteError(
            f"the log of session {self._name} on {self._host.name} cannot be read: {what}",
            f"to look at the session: train tmux attach {self._name}", code="bad_answer",
        )  # fmt: skip


def _write(child: Child, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(child.stdin, view) :]


def _read_head(child: Child, request: Request, deadline: Deadline) -> tuple[str, bytes]:
    """Read the host's first line, `at OFFSET KEY`. Returns `OFFSET KEY`, and the bytes that came after the line.

    Both are empty if the shell ended before the line came. Raises ChannelLost if the line does not come in time.
    """
    head = b""
    while b"\nat " not in b"\n" + head or not head.partition(b"at ")[2].count(b"\n"):
        request.check()
        if not select.select([child.stdout], [], [], 0.2)[0]:
            if deadline.expired:
                raise ChannelLost("the host did not send the session's log")
            continue
        chunk = os.read(child.stdout, CHUNK)
        if not chunk or len(head) > LONGEST_HEAD:
            return "", b""
        head += chunk
    said, _, rest = (b"\n" + head).partition(b"\nat ")[2].partition(b"\n")
    return said.decode("ascii", "replace").strip(), rest


def _enlarged(handle: int) -> bool:
    """Enlarge the pipe to PIPE bytes, and return whether this was possible.

    It is impossible if the system cannot enlarge pipes, or if the user has too many large pipes.
    """
    try:
        return fcntl.fcntl(handle, fcntl.F_SETPIPE_SZ, PIPE) >= PIPE  # type: ignore[attr-defined,unused-ignore]
    except (AttributeError, OSError):
        return False


class Reader:
    """Reads a pipe. If there is little output, it reads immediately; if there is much, it reads in large chunks.

    A reader that wakes up for every 4 KiB would take CPU time from the program that prints.
    """

    def __init__(self, handle: int) -> None:
        self._handle = handle
        self._run = 0
        self._last = 0.0
        self._gather = GATHER if _enlarged(handle) else GATHER * DEFAULT_PIPE / CHUNK

    def read(self) -> bytes:
        """Read at most CHUNK bytes. Returns b"" at the end of the output. Raises OSError."""
        if self._run > FLOOD:
            time.sleep(self._gather)
        chunk = os.read(self._handle, CHUNK)
        now = time.monotonic()
        self._run = self._run + len(chunk) if now - self._last < 2 * GATHER else 0
        self._last = now
        return chunk
