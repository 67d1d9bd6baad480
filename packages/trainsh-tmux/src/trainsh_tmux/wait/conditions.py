"""Waits: for a file, a port, idleness, as the host sees them; for a pattern, in what the session prints."""

import queue
import re
import threading
import time
from collections.abc import Callable
from typing import NoReturn

from trainsh_base.errors import Cancelled, TimedOut, TrainError, UsageError
from trainsh_base.remote.channel import ChannelLost
from trainsh_base.request import Request
from trainsh_base.system.units import format_duration
from trainsh_tmux.log.sentinels import Lines, Piece
from trainsh_tmux.log.stream import Stream
from trainsh_tmux.model import Waited
from trainsh_tmux.names import server
from trainsh_tmux.remote.host import Host
from trainsh_tmux.session.live import LOST, Inbox, Live, gone
from trainsh_tmux.statuses import describe

LAST_WORDS = 0.5  # seconds that a session which is gone may still be heard


class Patience:
    """The time a wait has, and its inbox."""

    def __init__(self, what: str, timeout: float, request: Request) -> None:
        self.what, self.timeout, self.request = what, timeout, request
        self.began = time.monotonic()
        self.inbox = Inbox()
        request.on_cancel(lambda: self.inbox.put(Cancelled("the wait was given up")))

    @property
    def left(self) -> float:
        """Seconds."""
        return self.began + self.timeout - time.monotonic()

    def next(self) -> object:
        """The next thing that happens; raises TimedOut, Cancelled."""
        try:
            item = self.inbox.get(timeout=max(0.0, self.left))
        except queue.Empty:
            self.over()
        if isinstance(item, BaseException):
            raise item
        return item

    def over(self) -> NoReturn:
        """Time is up."""
        raise TimedOut(
            f"waited {format_duration(self.timeout)} for {self.what}, in vain", "give it longer: timeout=1h",
            code="wait_timed_out",
        )  # fmt: skip

    def waited(self, line: str | None = None, offset: int | None = None) -> Waited:
        """The condition holds."""
        return Waited(seconds=time.monotonic() - self.began, line=line, offset=offset)


def for_state(host: Host, live: Live | None, kind: str, arguments: list[str], patience: Patience) -> Waited:
    """Wait until the host says that it is so; connects again after a cut, within the wait's time.

    Raises TimedOut, TrainError `session_gone`, `background_failed` {step, exit}.
    """
    job, name = (live.job, live.name) if live else (None, "")
    within = 0.0
    while True:
        take_back = host.watch(
            job, name, kind, arguments, lambda text: patience.inbox.put(("watched", text)),
            lambda _: patience.inbox.put(LOST), within=within,
        )  # fmt: skip
        try:
            answer = _answer(patience)
        finally:
            if not host.lost:
                take_back()
        if answer is not None:
            return _judge(answer, name, patience)
        host.say_cut(patience.request)
        within = max(1.0, patience.left)


def _answer(patience: Patience) -> str | None:
    while True:
        item = patience.next()
        if item is LOST:
            return None
        if isinstance(item, tuple):
            return str(item[1])


def _judge(answer: str, name: str, patience: Patience) -> Waited:
    word, *rest = answer.split()
    if word == "gone":
        raise gone(name, "")
    if word == "failed":
        known = int(rest[1]) if rest[1].isdigit() else None
        how = "was killed, and left no status" if known is None else f"failed: {describe(known)}"
        raise TrainError(
            f"background step {rest[0]} {how}", code="background_failed", data={"step": rest[0], "exit": known}
        )
    return patience.waited()


def idle_arguments(live: Live, everything: bool) -> list[str]:
    """What the watcher needs to know about idleness."""
    return ["all" if everything else "own", server(live.job), live.name]


def port_arguments(port: int) -> list[str]:
    """The port in the kernel's spelling and in ours."""
    if not 0 < port < 65536:
        raise UsageError(f"not a port: {port}", "1 to 65535", code="bad_port")
    return [f"{port:04X}", str(port)]


def ending(fields: tuple[str, ...]) -> str:
    """How a session ended, from its last mark: a status, or words."""
    how = fields[0] if fields else ""
    return f"it ended with status {how}" if how.isdigit() else "tmux hung up on it"


def compiled(pattern: str) -> re.Pattern[bytes]:
    """The pattern; UsageError where it is none."""
    try:
        return re.compile(pattern.encode())
    except re.error as error:
        raise UsageError(f"not a regular expression: {pattern!r}: {error}", code="bad_pattern") from None


class PatternWait:
    """Looks for a line in what a session printed since an offset, through cuts of the connection."""

    def __init__(self, live: Live, pattern: re.Pattern[bytes], since: int, patience: Patience) -> None:
        self.live, self.pattern, self.patience = live, pattern, patience
        self.since = since
        self._lines = Lines()
        self._echoing = False
        self._private: Stream | None = None
        self._source: object = None
        self._over = False
        self._unwatch: Callable[[], None] = lambda: None

    def run(self) -> Waited:
        """Wait; the line that matched, and the offset behind it."""
        try:
            found = self._begin(0.0)
            if found:
                return found
            while True:
                found = self._turn(self.patience.next())
                if found:
                    return found
        finally:
            self._over = True
            self.live.leave(self.patience.inbox)
            self._unwatch()
            if self._private:
                self._private.close()

    def _begin(self, within: float) -> Waited | None:
        """Listen from where we are, connecting for `within` seconds; what is there already may be it."""
        for piece in self._start(within):
            found = self._look(piece)
            if found:
                return found
        self._watch(within)
        return None

    def _watch(self, within: float) -> None:
        """Have the host tell when the session is gone, which its output may not show."""
        live, inbox = self.live, self.patience.inbox
        self._unwatch = live.host.watch(
            live.job, live.name, "alive", [], lambda text: inbox.put(("watched", text)), lambda _: inbox.put(LOST),
            within=within,
        )  # fmt: skip

    def _start(self, within: float) -> list[Piece]:
        kept = self.live.listen_from(self.since, self.patience.inbox, within)
        if kept is not None:
            return kept
        live, inbox = self.live, self.patience.inbox
        self._source = source = object()

        def put(piece: Piece) -> None:
            while inbox.full and not self._over:
                time.sleep(0.01)
            inbox.put((piece, source))

        self._private = Stream(
            live.host, live.job, live.name, self.since, put, lambda: inbox.put(LOST), within=within
        )
        return []

    def _turn(self, item: object) -> Waited | None:
        if isinstance(item, Piece):
            return self._look(item)
        if isinstance(item, tuple) and isinstance(item[0], Piece):
            # What a stream sent before it was replaced comes again from the new one.
            return self._look(item[0]) if item[1] is self._source else None
        if isinstance(item, tuple):
            # Its last output may still be on the way.
            late = threading.Timer(LAST_WORDS, self.patience.inbox.put, [gone(self.live.name, "")])
            late.daemon = True
            late.start()
        elif item is LOST:
            return self._again()
        return None

    def _again(self) -> Waited | None:
        """The connection was cut: connect within the wait's time, and go on where we were."""
        live, patience = self.live, self.patience
        if self._private is None and not live.lost and not live.host.lost:
            return None
        live.host.say_cut(patience.request)
        live.leave(patience.inbox)
        if self._private:
            self._private.close()
            self._private = None
        try:
            return self._begin(max(1.0, patience.left))
        except ChannelLost:
            patience.inbox.put(LOST)
            return None

    def _look(self, piece: Piece) -> Waited | None:
        if piece.end <= self.since:
            return None
        data = piece.data
        if piece.offset < self.since:
            data = data[self.since - piece.offset :]
        self.since = piece.end
        if piece.letter:
            self._mark(piece)
            return None
        if self._echoing:
            return None
        for line in self._lines.feed(data):
            if self.pattern.search(line):
                self.live.marks.satisfied(piece.end)
                return self.patience.waited(line.decode("utf-8", "replace"), piece.end)
        return None

    def _mark(self, piece: Piece) -> None:
        if piece.letter == "x":
            raise gone(self.live.name, ending(piece.fields))
        if piece.letter in ("b", "o"):
            self._echoing = piece.letter == "b"
            self._lines = Lines()
