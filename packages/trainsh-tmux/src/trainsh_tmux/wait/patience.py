"""The deadline of a wait, and its inbox."""

import contextlib
import queue
import time
from collections.abc import Iterator
from typing import NoReturn

from trainsh_base.errors import Cancelled, TimedOut, TrainError, Unreachable
from trainsh_base.remote.retry import transient
from trainsh_base.request import Request, limited
from trainsh_base.system.deadline import Deadline
from trainsh_base.system.units import format_duration
from trainsh_tmux.model import Waited
from trainsh_tmux.remote import scripts
from trainsh_tmux.session.live import Inbox, Live
from trainsh_tmux.session.log_reader import LogReader

LATE = 5.0  # seconds within which a host must answer after a wait's timeout
NAMED = 3  # how many of the processes that still run are named
BACKLOG = 1.0  # seconds after the timeout in which output that has arrived before is still searched
_MISSING = {
    "pattern": '"{}" never appeared', "file": "{} does not exist", "port": "nothing listens on port {}",
    "idle": "something still runs in the session",
}  # fmt: skip


@contextlib.contextmanager
def in_time(live: Live, timeout: float) -> Iterator[None]:
    """Limit the wait that is done in this block to `timeout` seconds.

    When the time is over, TimedOut is raised if the host still answers. If the host does not answer, it is not
    known whether the condition holds, and Unreachable `host_lost` is raised.
    """
    try:
        try:
            with limited(Deadline.after(timeout + LATE).at):
                yield
        except TimedOut as error:
            if error.code == "wait_timed_out":
                with limited(Deadline.after(LATE).at):
                    live.host.ask("say here")
                if error.message.endswith(_MISSING["idle"]):
                    error.message += _running(live)
            raise
    except (Unreachable, TimedOut) as error:
        if error.code in ("wait_timed_out", "host_lost") or not (transient(error) or isinstance(error, TimedOut)):
            raise
        raise Unreachable(
            f"{live.host.name} could not be reached before the wait's timeout: {error.message}",
            "the condition may have been met; resume the recipe when the host is back", code="host_lost",
        ) from None  # fmt: skip


def _running(live: Live) -> str:
    """Return, for people, what the session's shell has started and still runs; "" if the host does not say it."""
    try:
        with limited(Deadline.after(LATE).at):
            runs = live.host.ask(scripts.running(live.job, live.name))
    except (TrainError, OSError):
        return ""
    shown = [line.removeprefix("runs ").strip()[:60] for line in runs[:NAMED]]
    more = f" and {len(runs) - NAMED} more" if len(runs) > NAMED else ""
    return f" ({', '.join(shown)}{more})" if shown else ""


class Patience:
    """One wait: its condition (`kind`, `value`), its deadline, and its inbox.

    If `reader` is given, the inbox is the reader's.
    """

    def __init__(
        self, kind: str, value: str, timeout: float, request: Request, reader: LogReader | None = None
    ) -> None:
        self.missing = _MISSING[kind].format(value)
        self.timeout, self.request = timeout, request
        self.deadline = Deadline.after(timeout)
        self.inbox = reader.inbox if reader else Inbox()
        self._get = reader.next if reader else self.inbox.get
        self._began = time.monotonic()
        self._quiet_told = False
        request.on_cancel(lambda: self.inbox.put(Cancelled("the wait was cancelled")))

    def next(self) -> object:
        """Return the next event. Raises TimedOut, Cancelled, and errors that were put into the inbox."""
        if time.monotonic() > self.deadline.at + BACKLOG:
            self.over()
        try:
            item = self._get(timeout=self.deadline.left())
        except queue.Empty:
            self.over()
        if isinstance(item, BaseException):
            raise item
        return item

    def over(self) -> NoReturn:
        """Raise TimedOut."""
        raise TimedOut(
            f"timed out after {format_duration(self.timeout)}: {self.missing}", "set a longer timeout: timeout=1h",
            code="wait_timed_out",
        )  # fmt: skip

    def connecting(self) -> Deadline:
        """Return the deadline for a new connection: the end of the wait's timeout, but at least a second
        from now.
        """
        return Deadline.after(max(1.0, self.deadline.left() or 0.0))

    def quiet(self, session: str) -> None:
        """Report, once, that all background steps succeeded although the condition does not hold."""
        if not self._quiet_told:
            self._quiet_told = True
            self.request.emit(
                "log", message=f"every background step in session {session} has succeeded, but "
                f"{self.missing}; still waiting",
            )  # fmt: skip

    def waited(self, line: str | None = None, offset: int | None = None) -> Waited:
        """Return the result of a wait. The wait is over because its condition holds."""
        return Waited(seconds=time.monotonic() - self._began, line=line, offset=offset)
