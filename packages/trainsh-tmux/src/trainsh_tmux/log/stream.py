"""A session's log as it grows, pushed by the host over a shell of its own and cut into pieces."""

import contextlib
import os
import threading
import time
from collections.abc import Callable

from trainsh_base.remote.channel import START_LIMIT, ChannelLost, open_shell, quote
from trainsh_base.request import Request, current
from trainsh_base.system.deadline import Deadline
from trainsh_base.system.spawn import Child
from trainsh_tmux.log.sentinels import Piece, Splitter
from trainsh_tmux.remote import scripts
from trainsh_tmux.remote.host import Host

CHUNK = 1 << 16
FLOOD = 1 << 18  # bytes that came without a pause, after which larger helpings are cheaper than quick ones
GATHER = 0.001  # seconds for which a flood's next helping gathers: the pipe holds no more


class Stream:
    """Pushes pieces to `on_piece` from a thread of its own, from `offset` on; `on_lost` when the host went away."""

    def __init__(
        self, host: Host, job: str, name: str, offset: int, on_piece: Callable[[Piece], None],
        on_lost: Callable[[], None], *, within: float = 0.0,
    ) -> None:  # fmt: skip
        self._host, self._job, self._name = host, job, name
        self._on_piece, self._on_lost = on_piece, on_lost
        self._closed = False
        self._child, self.offset, self._rest = self._open(offset, current(), within)
        threading.Thread(target=self._run, daemon=True, name=f"log of {name}").start()

    def close(self) -> None:
        """Stop."""
        self._closed = True
        self._child.end()

    def _open(self, offset: int, request: Request, within: float) -> tuple[Child, int, bytes]:
        host = self._host
        child = open_shell(
            host.target, request, deadline=Deadline.after(within or START_LIMIT), bulk=True, relocate=host.anew
        )
        script = f"exec 2>/dev/null; r={quote(self._host.root)}\n" + scripts.follow(self._job, self._name, offset)
        try:
            os.write(child.stdin, script.encode())
        except OSError:
            child.end()
            raise ChannelLost(f"the connection to {self._host.name} was cut") from None
        head = b""
        while b"\nat " not in b"\n" + head or not head.partition(b"at ")[2].count(b"\n"):
            chunk = os.read(child.stdout, CHUNK)
            if not chunk:
                return child, offset, b""
            head += chunk
        said, _, rest = head.partition(b"at ")[2].partition(b"\n")
        return child, int(said), rest

    def _run(self) -> None:
        while True:
            following = self._push()
            if following is None or self._closed:
                break
            try:
                self._child, self.offset, self._rest = self._open(following, Request(), 0.0)
            except Exception:  # the session's owner connects again and reports what is wrong
                break
        if not self._closed:
            self._on_lost()

    def _push(self) -> int | None:
        """Push pieces until this shell ends (None) or the log goes on elsewhere (at which offset)."""
        splitter = Splitter(self.offset)
        child = self._child
        reader = Reader(child.stdout)
        try:
            chunk = self._rest or reader.read()
            while chunk:
                for piece in splitter.feed(chunk):
                    if piece.letter == "n":
                        return int(piece.fields[0])
                    self._on_piece(piece)
                chunk = reader.read()
        except OSError:
            pass
        finally:
            child.end()
            with contextlib.suppress(OSError):
                os.close(child.stdout)
        return None


class Reader:
    """Reads a pipe: at once what comes now and then, in large helpings what floods in.

    A reader that is woken for every four kilobytes takes the time from what prints them.
    """

    def __init__(self, handle: int) -> None:
        self._handle = handle
        self._run = 0
        self._last = 0.0

    def read(self) -> bytes:
        """At most CHUNK bytes; none at the end. Raises OSError."""
        if self._run > FLOOD:
            time.sleep(GATHER)
        chunk = os.read(self._handle, CHUNK)
        now = time.monotonic()
        self._run = self._run + len(chunk) if now - self._last < 2 * GATHER else 0
        self._last = now
        return chunk
