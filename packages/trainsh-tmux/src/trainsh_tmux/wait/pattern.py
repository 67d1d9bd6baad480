"""Waits for a line in the output of a session."""

import re
import threading
from collections.abc import Callable

from trainsh_base.errors import UsageError
from trainsh_base.remote.channel import ChannelLost
from trainsh_base.request import current
from trainsh_base.system.deadline import Deadline
from trainsh_tmux.log.lines import Lines
from trainsh_tmux.log.sentinels import ECHO, Piece
from trainsh_tmux.model import Waited
from trainsh_tmux.session.errors import gone
from trainsh_tmux.session.live import LOST, Live, is_alive
from trainsh_tmux.session.log_reader import LogReader
from trainsh_tmux.wait.conditions import arguments, for_state, heard
from trainsh_tmux.wait.patience import Patience

LAST_WORDS = 0.5  # seconds to wait for late output after the session has ended or a step has failed


def compiled(pattern: str) -> re.Pattern[str]:
    """Compile the pattern. Raises UsageError when it is not valid."""
    try:
        return re.compile(pattern)
    except re.error as error:
        raise UsageError(f"not a regular expression: {pattern!r}: {error}", code="bad_pattern") from None


def how_ended(fields: tuple[str, ...]) -> str:
    """Describe how a session ended.

    `fields` are the fields of its last sentinel: an exit status, or a reason in words.
    """
    how = fields[0] if fields else ""
    return f"it ended with status {how}" if how.isdigit() else "tmux hung up on it"


class PatternWait:
    """Searches the output of a session, from an offset on, for a line. Reconnects after a lost connection."""

    def __init__(
        self, live: Live, pattern: re.Pattern[str], since: int, reader: LogReader, patience: Patience
    ) -> None:
        self.live, self.pattern, self.reader, self.patience = live, pattern, reader, patience
        self.since = since
        self._lines = Lines()
        self._unwatch: Callable[[], None] = lambda: None

    def run(self) -> Waited:
        """Wait for the line, and return it with the offset of its end."""
        try:
            self._begin(None)
            while True:
                found = self._turn()
                if found:
                    return found
        finally:
            self.reader.close()
            self._unwatch()

    def _begin(self, deadline: Deadline | None) -> None:
        """Read the log from the current offset on.

        Also have the host report the end of the session, which the log may lack.
        """
        live = self.live
        self.reader.follow_from(self.since, deadline)
        self._unwatch = live.host.watch(
            live.job, live.name, "alive", [], lambda text: self.reader.put(("watched", text)),
            lambda _: self.reader.put(LOST), deadline=deadline,
        )  # fmt: skip

    def _turn(self) -> Waited | None:
        item = self.patience.next()
        if isinstance(item, Piece):
            return self._look(item)
        if item is LOST:
            self._again()
        elif isinstance(item, tuple):
            self._told(str(item[1]), late=item[0] == "late")
        return None

    def _told(self, answer: str, *, late: bool) -> None:
        """Handle a report of the host.

        The wait ends LAST_WORDS seconds later, because older output may still arrive.
        """
        if late or answer.startswith("quiet"):
            heard(self.live, answer, self.patience)
            return
        timer = threading.Timer(LAST_WORDS, self.reader.put, [("late", answer)])
        timer.daemon = True
        timer.start()

    def _again(self) -> None:
        """After a lost connection, reconnect within the timeout and continue at the current offset."""
        live = self.live
        if not self.reader.rereads and not live.lost and not live.host.lost:
            return
        live.host.say_cut(self.patience.request)
        try:
            self._begin(self.patience.connecting())
        except ChannelLost:
            self.reader.put(LOST)

    def _ended(self, fields: tuple[str, ...]) -> None:
        """Handle the end of the session's shell.

        Raises `session_gone`, unless the session was opened again since.
        """
        live = self.live
        if not is_alive(live.host, live.job, live.name):
            raise gone(live.name, how_ended(fields))

    def _look(self, piece: Piece) -> Waited | None:
        if piece.end <= self.since:
            return None
        data = piece.data
        if piece.offset < self.since:
            data = data[self.since - piece.offset :]
        self.since = piece.end
        if piece.letter == "x":
            self._ended(piece.fields)
        if piece.letter in ("b", "o", ECHO):
            self._lines = Lines()
        if piece.letter:
            return None
        for line in self._lines.feed(data):
            if self.pattern.search(line):
                self.live.marks.satisfied(piece.end)
                return self.patience.waited(line, piece.end)
        return None


def wait_for(live: Live, kind: str, value: str, timeout: float, since: int | None) -> Waited:
    """Wait for one condition. `kind` is pattern, file, port or idle.

    The search for a pattern begins at offset `since`.
    """
    if kind != "pattern":
        return for_state(live, kind, arguments(live, kind, value), Patience(kind, value, timeout, current()))
    expression = compiled(value)
    start = live.marks.since() if since is None else since
    current().emit("waiting", since=start)
    reader = LogReader(live)
    patience = Patience("pattern", value, timeout, current(), reader)
    return PatternWait(live, expression, start, reader, patience).run()
