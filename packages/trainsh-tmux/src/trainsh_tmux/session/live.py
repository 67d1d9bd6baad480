"""A session as this process knows it: its stream, the newest of its output, and who listens."""

import queue
import threading
import time
from collections import deque

from trainsh_base.errors import NotFound, TrainError
from trainsh_base.request import current
from trainsh_tmux.log.sentinels import Piece
from trainsh_tmux.log.stream import Stream
from trainsh_tmux.remote import scripts
from trainsh_tmux.remote.host import Host, turn

KEPT = 1 << 20
WAITING = 256


class Inbox:
    """Where one request gets what happens. Output waits for room, so that what nobody takes stays on the host.

    A SimpleQueue: a queue.Queue with a limit costs a step a tenth of its time.
    """

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[object] = queue.SimpleQueue()
        self.put = self._queue.put
        self.get = self._queue.get

    @property
    def full(self) -> bool:
        """Whether a stream should wait before it puts more."""
        return self._queue.qsize() > WAITING


LOST = object()


class Live:
    """One session. Its stream is opened when it is first listened to, and opened again after a cut."""

    def __init__(self, host: Host, job: str, name: str) -> None:
        self.host, self.job, self.name = host, job, name
        self.marks = Bases()
        self.background: set[str] = set()
        self.secrets: list[str] = []
        self.taken: list[str] = []  # steps whose captured output may hold secrets, and is known here
        self.shown: int | None = None
        self._lock = threading.Lock()
        self._opening = threading.Lock()
        self._stream: Stream | None = None
        self._end: int | None = None
        self._recent: deque[Piece] = deque()
        self._size = 0
        self._echoing = False
        self._listeners: list[Inbox] = []

    def handed(self, step: str, secrets: list[str], *, background: bool) -> None:
        """The session is handed a step: its secrets are masked in what comes, its background output is known."""
        self.secrets += [value for value in secrets if value not in self.secrets]
        if background:
            self.background.add(step)

    def opened(self, offset: int) -> None:
        """The session's log ends at `offset` now: what comes is new."""
        with self._lock:
            if self._stream is None:
                self._end = offset

    def listen(self, within: float = 0.0, inbox: Inbox | None = None) -> Inbox:
        """An inbox for all pieces from now on."""
        inbox = inbox or Inbox()
        with self._lock:
            self._listeners.append(inbox)
        try:
            self.connect(within)
        except BaseException:
            self.leave(inbox)
            raise
        return inbox

    def leave(self, inbox: Inbox) -> None:
        """Listen no more."""
        with self._lock:
            if inbox in self._listeners:
                self._listeners.remove(inbox)

    def listen_from(self, offset: int, inbox: Inbox, within: float = 0.0) -> list[Piece] | None:
        """Listen; the pieces from `offset` until now, or None (and no listening) when some are not kept."""
        self.connect(within)
        with self._lock:
            first = self._recent[0].offset if self._recent else self._end
            if first is None or first > offset:
                return None
            self._listeners.append(inbox)
            return [piece for piece in self._recent if piece.end > offset]

    def connect(self, within: float = 0.0) -> None:
        """Have the stream running, from where it was cut."""
        if self._stream is not None:
            return
        with turn(self._opening, current(), within, self.host.name):
            if self._stream is not None:
                return
            if self._end is None:
                self._end = log_end(self.host, self.job, self.name)
            end = self._end
            self._stream = self.host.persist(
                current(), within,
                lambda: Stream(self.host, self.job, self.name, end, self._push, self._lost, within=within),
            )  # fmt: skip

    @property
    def lost(self) -> bool:
        """Whether the stream was cut and not opened again."""
        return self._stream is None

    def close(self) -> None:
        """Stop the stream."""
        with self._opening:
            if self._stream is not None:
                self._stream.close()
            self._stream = None

    def _push(self, piece: Piece) -> None:
        with self._lock:
            self._end = piece.end
            if piece.letter in ("b", "o"):
                self._echoing = piece.letter == "b"
            self._keep(piece)
            listeners = list(self._listeners)
        for inbox in listeners:
            self._put(inbox, piece)

    def _put(self, inbox: Inbox, item: object) -> None:
        while inbox.full and inbox in self._listeners:
            time.sleep(0.01)
        inbox.put(item)

    def _keep(self, piece: Piece) -> None:
        if self._echoing and not piece.letter:
            return
        self._recent.append(piece)
        self._size += len(piece.data)
        while self._size > KEPT or len(self._recent) > 10_000:
            self._size -= len(self._recent.popleft().data)

    def _lost(self) -> None:
        with self._opening:
            self._stream = None
        with self._lock:
            listeners = list(self._listeners)
        for inbox in listeners:
            self._put(inbox, LOST)


class Bases:
    """Where a pattern wait begins to look (docs/language.md, "Sessions and hosts"), as offsets in the log."""

    def __init__(self) -> None:
        self.waited: int | None = None
        self.background: int | None = None
        self.step: int | None = None

    def started(self, offset: int, background: bool) -> None:
        """A step began at `offset`."""
        self.step = offset
        if background and self.background is None:
            self.background = offset

    def satisfied(self, offset: int) -> None:
        """A wait saw its line, which ends at `offset`."""
        self.waited = offset

    def since(self) -> int:
        """Since the last satisfied wait, else the earliest background step, else the latest step."""
        for offset in (self.waited, self.background, self.step):
            if offset is not None:
                return offset
        return 0


def log_end(host: Host, job: str, name: str) -> int:
    """Where the session's log ends now; NotFound when there is no such session."""
    answer = host.ask(scripts.log_end(job, name))
    if not answer or answer[0] == "none":
        raise no_session(host, name)
    return int(answer[0].split()[1])


def no_session(host: Host, name: str) -> NotFound:
    """The error for a session that does not exist."""
    where = "" if host.spec == "local" else f" --host {host.spec}"
    return NotFound(
        f"there is no session {name!r} on {host.name}", f"open it: train-tmux open {host.spec} {name}"
        f"; or see: train-tmux list{where}", code="session_not_found",
    )  # fmt: skip


def gone(name: str, how: str) -> TrainError:
    """The error for a session whose shell has ended."""
    return TrainError(
        f"session {name} is not running any more: {how or 'its shell has ended'}", "open it again with tmux.open",
        code="session_gone",
    )  # fmt: skip
