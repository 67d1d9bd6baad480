"""A session as this process knows it: the stream of its log, its latest output, and the inboxes that get the
output.
"""

import queue
import threading
import time
from collections import deque

from trainsh_base.request import current
from trainsh_base.system.deadline import Deadline
from trainsh_tmux.log.sentinels import ECHO, Piece
from trainsh_tmux.log.stream import Stream
from trainsh_tmux.remote import scripts
from trainsh_tmux.remote.host import Host, turn
from trainsh_tmux.remote.reply import fields, natural
from trainsh_tmux.session.bases import Bases
from trainsh_tmux.session.errors import must_be_here

KEPT = 1 << 20  # bytes of the latest output that are kept in memory
WAITING = 128  # how many events make an inbox full; each event has at most 256 KiB of output


class Inbox:
    """The queue of one request's events.

    When the queue is full, the stream waits, so that output that was not read stays on the host. The queue is a
    SimpleQueue, because a queue.Queue with a limit would take a tenth of a step's time.
    """

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[object] = queue.SimpleQueue()
        self.put = self._queue.put
        self.get = self._queue.get

    @property
    def full(self) -> bool:
        """Whether a stream should wait before it adds more events."""
        return self._queue.qsize() > WAITING


LOST = object()  # put into an inbox when the connection was cut


class Live:
    """One session. The stream is opened when the first inbox is added, and opened again after a lost connection."""

    def __init__(self, host: Host, job: str, name: str) -> None:
        self.host, self.job, self.name = host, job, name
        self.marks = Bases()
        self.background: set[str] = set()
        self.secrets: list[str] = []
        self.taken: list[str] = []  # steps whose captured output was read and may hold secrets
        self.shown: int | None = None
        self._lock = threading.Lock()
        self._opening = threading.Lock()
        self._stream: Stream | None = None
        self._end: int | None = None
        self._recent: deque[Piece] = deque()
        self._size = 0
        self._listeners: list[Inbox] = []

    def handed(self, step: str, secrets: list[str], *, background: bool) -> None:
        """Record a step that is being sent to the session, so that the step's secrets will be masked in the
        output.
        """
        self.secrets += [value for value in secrets if value not in self.secrets]
        if background:
            self.background.add(step)

    def opened(self, offset: int) -> None:
        """Record that the session's log ends at `offset` now. The stream will begin there."""
        with self._lock:
            if self._stream is None:
                self._end = offset

    def listen(self, inbox: Inbox, deadline: Deadline | None = None) -> None:
        """Put all pieces of the log that arrive from now on into `inbox`."""
        with self._lock:
            self._listeners.append(inbox)
        try:
            self.connect(deadline)
        except BaseException:
            self.leave(inbox)
            raise

    def leave(self, inbox: Inbox) -> None:
        """Put no more pieces of the log into `inbox`."""
        with self._lock:
            if inbox in self._listeners:
                self._listeners.remove(inbox)

    def listen_from(self, offset: int, inbox: Inbox, deadline: Deadline | None = None) -> list[Piece] | None:
        """Put all pieces of the log that arrive from now on into `inbox`, and return the pieces from `offset` until
        now.

        If some of the pieces since `offset` are no longer kept in memory, do nothing and return None.
        """
        self.connect(deadline)
        with self._lock:
            first = self._recent[0].offset if self._recent else self._end
            if first is None or first > offset:
                return None
            self._listeners.append(inbox)
            return [piece for piece in self._recent if piece.end > offset]

    def connect(self, deadline: Deadline | None = None) -> None:
        """Ensure that the stream runs. After a lost connection, the stream continues where it stopped."""
        if self._stream is not None:
            return
        with turn(self._opening, current(), deadline or Deadline.after(TURN), self.host.name):
            if self._stream is not None:
                return
            if self._end is None:
                self._end = log_end(self.host, self.job, self.name)
            end = self._end
            self._stream = self.host.persist(
                current(), deadline,
                lambda: Stream(self.host, self.job, self.name, end, self._push, self._lost, deadline=deadline),
            )  # fmt: skip

    @property
    def end(self) -> int | None:
        """The offset in the log up to which the stream has read, or None if it was never opened."""
        return self._end

    @property
    def lost(self) -> bool:
        """Whether no stream runs: no stream was opened yet, or the stream was cut and not opened again."""
        return self._stream is None

    def close(self) -> None:
        """Stop the stream."""
        with self._opening:
            if self._stream is not None:
                self._stream.close()
            self._stream = None

    def _push(self, piece: Piece) -> None:
        with self._lock:
            # The stream may be cut in the middle of the command that the pane shows. The next stream must then
            # begin before that command. Otherwise it would take the rest of the command for output.
            if piece.letter not in ("b", ECHO):
                self._end = piece.end
            self._keep(piece)
            listeners = list(self._listeners)
        for inbox in listeners:
            self._put(inbox, piece)

    def _put(self, inbox: Inbox, item: object) -> None:
        while inbox.full and inbox in self._listeners:
            time.sleep(0.01)
        inbox.put(item)

    def _keep(self, piece: Piece) -> None:
        self._recent.append(piece)
        self._size += len(piece.data)
        while self._size > KEPT or len(self._recent) > 10_000:
            self._size -= len(self._recent.popleft().data)

    def _lost(self, error: Exception | None) -> None:
        with self._opening:
            self._stream = None
        with self._lock:
            listeners = list(self._listeners)
        for inbox in listeners:
            self._put(inbox, error or LOST)


TURN = 30.0  # seconds to wait for another request that opens the stream


def log_end(host: Host, job: str, name: str) -> int:
    """Return the offset at which the session's log ends now. Raises NotFound, Conflict `other_node`, BadAnswer."""
    line = must_be_here(host, job, name, host.first(scripts.log_end(job, name), "none"))
    return natural(fields(host.name, line, 3)[1], host.name, line)


def is_alive(host: Host, job: str, name: str) -> bool:
    """Return whether the session's shell runs. Raises the errors that log_end raises."""
    line = must_be_here(host, job, name, host.first(scripts.log_end(job, name), "none"))
    _, _, alive, state = fields(host.name, line + " ", 4)
    return alive == "1" and not state.startswith("ended")
