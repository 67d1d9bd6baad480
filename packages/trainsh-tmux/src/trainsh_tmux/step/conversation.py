"""Runs one step: sends it to the session's shell and follows it to its end, also after a lost connection.

The shell claims a step before running it, so that no step runs twice. `states.py` defines the states of this
conversation. This module implements what is done in each state.
"""

import queue
import time
from collections.abc import Callable

from trainsh_base.errors import Cancelled, TimedOut, TrainError, Unreachable
from trainsh_base.remote.channel import ChannelLost
from trainsh_base.remote.retry import transient
from trainsh_base.request import Request, limited
from trainsh_base.system.deadline import Deadline
from trainsh_tmux.log.output import Output
from trainsh_tmux.log.sentinels import Piece
from trainsh_tmux.model import Outcome
from trainsh_tmux.remote.host import ANSWER_LIMIT
from trainsh_tmux.session.live import LOST, Live
from trainsh_tmux.session.log_reader import LogReader
from trainsh_tmux.step import step_status
from trainsh_tmux.step.ending import Ending
from trainsh_tmux.step.handing import Handing, Step
from trainsh_tmux.step.interrupting import TimeLimit
from trainsh_tmux.step.known import Known
from trainsh_tmux.step.prompts import Prompts
from trainsh_tmux.step.settling import LAST_WORDS, QUIET, Settling, tell_missing
from trainsh_tmux.step.states import HEARD, State

# seconds after which the host also checks the step's status file, because the log may lack the step's end
SAFETY = 1.0
AT_ONCE = 0.005  # seconds to wait for output or the end of a quick step, before the step is reported as started
# states of steps whose end is not in the log
OUT_OF_LOG = ("not_started", "never", "lost", "session_ended", "running", "started")
SENTINELS = {"b": "", "o": "begins", "p": "detached", "e": "ends"}


class Conversation:
    """The conversation with a host about one step: it sends requests, and handles the events that come."""

    def __init__(self, live: Live, step: Step, request: Request) -> None:
        self.live, self.step, self.request = live, step, request
        self.state = State.HANDED
        self.known = Known()
        self.reader = LogReader(live)
        timeout = None if step.background else step.timeout
        self.time = TimeLimit(live, step.name, timeout, step.grace, request)
        # The shell may still hold secrets of earlier steps, so they are masked too.
        secrets = dict.fromkeys([*step.secrets.values(), *live.secrets])
        self.output = Output(list(secrets), lambda text: request.emit("output", data=text))
        self.prompts = Prompts(live, step.name, self.output, request)
        self.handing = Handing(live, step, request, self.reader.put, lambda: self.time.deadline)
        self._settling = Settling(live, self.reader)
        self._cut = False
        self._heard: int | None = None  # the offset after the last piece of the log
        self._unsaid: int | None = None
        self._logged = False  # the log has shown the end of the step
        self._shown = False  # the log has shown the end of the step that is being ended
        self._unwatch: Callable[[], None] | None = None

    def run(self) -> Outcome:
        """Start the step, or join it if it was started before, and follow it until it ends."""
        self.request.on_cancel(lambda: self.reader.put(Cancelled(f"step {self.step.name} was left running")))
        try:
            self.reader.follow()
            self.handing.send()
            while self.state is not State.OVER:
                self._next()
            self._say_started()
            self.handing.done()
            outcome = self._outcome()
            if not (self._logged or self.step.background or outcome.state in OUT_OF_LOG):
                tell_missing(self.live, self.step.name, self.request)
            return outcome
        finally:
            self.state = State.OVER
            self.reader.close()
            self.handing.forget()
            self.time.forget()
            if self._unwatch:
                self._unwatch()

    # Events: they are handled one at a time

    def _next(self) -> None:
        if self._late():
            self._time_passed()
            return
        try:
            item = self.reader.next(self._patience())
        except queue.Empty:
            self._time_passed()
            return
        if isinstance(item, Piece):
            self._piece(item)
        elif item is LOST:
            self._hear("cut")
        elif isinstance(item, tuple):
            kind, text = item
            word, _, rest = str(text).partition(" ")
            self._hear(kind + word, rest)

    def _hear(self, event: str, *about: object) -> None:
        method = HEARD[self.state].get(event)
        if method is not None:
            getattr(self, f"_{method}")(*about)

    def _piece(self, piece: Piece) -> None:
        if not piece.letter:
            self._hear("text", piece)
        elif piece.letter == "x":
            self._hear("closes")
        elif piece.fields[:1] == (self.step.name,):
            self._hear(SENTINELS.get(piece.letter, ""), piece)
        self._heard = piece.end

    def _settle(self, seconds: float) -> None:
        self._settling.begin(seconds)
        self.state = State.SETTLING

    # Time

    def _late(self) -> bool:
        """Whether the timeout or the grace is over.

        A step that prints without a pause must be ended in time, too.
        """
        if self.state is State.ENDING:
            return self.time.deadline.expired
        return self.time.timeout.expired and self.state in (State.HANDED, State.RUNNING)

    @property
    def _connecting(self) -> Deadline | None:
        """The deadline for opening the stream again after a lost connection; None if no connection was lost."""
        return self.time.by() if self._cut else None

    def _patience(self) -> float:
        """Return after how many seconds there is something to do, even if no event comes."""
        now = time.monotonic()
        until = now + 60.0
        if self._unwatch is None:
            until = min(until, self.known.began + SAFETY)
        if self.state is State.HANDED or self.state is State.RUNNING:
            until = min(until, self.time.timeout.at)
        elif self.state is State.SETTLING:
            until = min(until, now + self._settling.left())
        elif self.state is State.ENDING:
            until = min(until, now + self.time.tell())
        if self._unsaid is not None:
            until = min(until, now + AT_ONCE)
        if self.prompts.due is not None:
            until = min(until, self.prompts.due)
        return max(0.0, until - now)

    def _time_passed(self) -> None:
        now = time.monotonic()
        self.prompts.look()
        if self._unsaid is not None:
            self._say_started()
        elif self.state is State.SETTLING and self._settling.left() <= 0:
            self._settled()
        elif self.state is State.ENDING and self.time.deadline.expired:
            self._settle(LAST_WORDS)
        elif self.time.timeout.expired and self.state in (State.HANDED, State.RUNNING):
            self._run_out_of_time()
        elif self._unwatch is None and now >= self.known.began + SAFETY and self.state is not State.SETTLING:
            self._watch()

    def _settled(self) -> None:
        try:
            with limited(self.time.by(ANSWER_LIMIT).at):
                if self._settling.complete():
                    self.state = State.OVER
        except (Unreachable, TimedOut) as error:
            self._unreachable(error)

    def _run_out_of_time(self) -> None:
        self.known.why = "timeout"
        if self.step.keep_running:
            self.state = State.OVER
            return
        self.time.begin_grace()
        self.state = State.ENDING
        try:
            with limited(self.time.by().at):
                self.time.interrupt(self._told)
        except (ChannelLost, OSError):
            self.reader.put(LOST)
        except (Unreachable, TimedOut) as error:
            self._unreachable(error)

    def _told(self, text: str) -> None:
        self.reader.put(("", text))

    # The step was sent to the shell. The host's reply may ask to send it again

    def _slow(self, _: str = "") -> None:
        self.handing.slow()

    def _unread(self, _: str = "") -> None:
        if self.handing.unread():
            self._unwatch = None

    def _starting(self, _: str = "") -> None:
        self.handing.starting()

    def _full(self, _: str = "") -> None:
        self.handing.full()

    def _released(self, _: str = "") -> None:
        self._unwatch = None
        self.handing.released()

    def _session_gone(self, state: str) -> None:
        self.handing.gone(state)

    def _session_elsewhere(self, node: str) -> None:
        self.handing.elsewhere(node)

    # The step was started before, by an earlier attempt of this process or by another process

    def _hear_again(self, rest: str) -> None:
        if self.handing.sent == 1 and self.known.offset is None and not self.reader.rereads:
            self._join()
        status, _, why = rest.strip().partition(" ")
        self.known.gone = status == "lost"
        if self.known.gone:
            self.known.why = why
            self._settle(LAST_WORDS)
        elif status:
            self._know(f"{status} {why}")
        if self.step.background:
            self.state = State.OVER

    def _join(self) -> None:
        """Read the step's output from its beginning."""
        self.known.resumed = True
        if not self.step.background:
            self.reader.reread(self.step.since or 0, self._connecting)

    def _know(self, rest: str) -> None:
        """Record the status that the host reports. The last output may arrive later."""
        status, _, why = rest.strip().partition(" ")
        if not status:
            self._settle(QUIET)
            return
        self.known.status = step_status.parse_status(status, self.live.host.name, rest)
        self.known.why = why.strip() or self.known.why
        if self.state is not State.ENDING:
            self._settle(QUIET)

    # The step as the session's log shows it

    def _begin(self, piece: Piece) -> None:
        self.known.offset = piece.end
        self.live.marks.started(piece.end, self.step.background)
        self._unsaid = piece.offset
        if self.state is State.HANDED:
            self.state = State.RUNNING

    def _detach(self, piece: Piece) -> None:
        pid, start = (*piece.fields[1:3], "", "")[:2]
        number = int(pid) if pid.isascii() and pid.isdigit() else None
        self.known.process = number, start if start.isdigit() else None
        self.state = State.OVER

    def _take_text(self, piece: Piece) -> None:
        if self.state is State.SETTLING:
            self._settle(QUIET)
        if self.known.offset is None or self.step.background:
            return
        self._say_started()
        self._tell_gap(piece.offset)
        self.output.feed(piece.offset, piece.data)
        self.prompts.printed(piece.data)
        self.known.end = piece.end

    def _tell_gap(self, offset: int) -> None:
        """Report that output before `offset` is missing: the host removed it before this process read it."""
        if self._heard is not None and offset > self._heard:
            missing = f"train: {offset - self._heard} bytes of output are missing here (tmux.log_limit)"
            self.request.emit("output", data=f"\r\n{missing}\r\n")

    def _end(self, piece: Piece) -> None:
        status = piece.fields[1] if len(piece.fields) > 1 else ""
        if self.step.background or not status:
            return
        if self.known.offset is None and not self.reader.rereads and status.isdigit():
            self._join()
            return
        if status not in ("none", "lost") and not (status.isascii() and status.isdigit() and int(status[:4]) < 256):
            return
        self._logged = True
        self.known.status, self.known.end = int(status) if status.isdigit() else None, piece.offset
        self.known.why = ";".join(piece.fields[2:]) or self.known.why
        # When the host has checked the step's status file, its record decides. So Ending asks the host for the
        # outcome.
        self.known.marked = self._unwatch is None
        self.state = State.OVER

    def _see_session_end(self, _: str = "") -> None:
        if self.known.offset is not None or not self.reader.rereads:
            self._settle(LAST_WORDS)

    def _say_started(self) -> None:
        """Tell the client that the step has begun.

        This is called when the first event after the step's begin comes, or after AT_ONCE seconds.
        """
        if self._unsaid is not None:
            offset, self._unsaid = self._unsaid, None
            self.request.emit("started", step=self.step.name, offset=offset)

    # Asking the host, when the log does not show the step's progress

    def _watch(self) -> None:
        live = self.live
        self._unwatch = live.host.watch(
            live.job, live.name, "step", [self.step.name],
            self._told, self.handing.answered,
        )  # fmt: skip

    def _reads_terminal(self, _: str = "") -> None:
        self.prompts.reads()

    def _end_first(self, piece: Piece) -> None:
        """The step being ended has ended. Other processes that it started may still be alive."""
        self._end(piece)
        if self.state is State.OVER:
            self.state, self._shown = State.ENDING, True

    def _all_ended(self, rest: str = "") -> None:
        """Handle `ended STATUS WHY` of the host's watcher, or `ended`: nothing that the step started is left."""
        if rest:
            self._know(rest)
        elif self._shown:
            self.state = State.OVER
        else:
            self._settle(QUIET)

    def _never_ran(self, _: str = "") -> None:
        self.known.why = "never"
        self.state = State.OVER

    def _was_stuck(self, _: str = "") -> None:
        self.known.why = "stuck"
        self._settle(LAST_WORDS)

    def _survivor(self, process: str) -> None:
        self.known.survived.append(process)

    def _reconnect(self) -> None:
        """Reconnect within the step's timeout after a lost connection, and send the step again."""
        live = self.live
        if not self.reader.rereads and not live.lost and not live.host.lost:
            return
        if not self._cut:
            live.host.say_cut(self.request)
        self._cut = True
        by = self.time.by()
        try:
            with limited(by.at) as request:
                live.host.channel(request, by)
                if self.reader.rereads:
                    self.reader.reread(self.known.end or self.known.offset or self.step.since or 0, by)
                live.connect(by)
                self._unwatch = None
                self.handing.forget()
                self.handing.send()
                if self.state is State.ENDING:
                    self.time.interrupt(self._told)
            self._cut = False
        except (ChannelLost, OSError):
            self.reader.put(LOST)
        except (Unreachable, TimedOut) as error:
            self._unreachable(error)

    def _unreachable(self, error: TrainError) -> None:
        if not self.time.deadline.expired and (transient(error) or isinstance(error, TimedOut)):
            self.request.cancelled.wait(0.2)
            self.reader.put(LOST)
            return
        raise self._host_lost(error) from None

    def _host_lost(self, error: TrainError) -> Unreachable:
        return Unreachable(
            f"{self.live.host.name} could not be reached again before the step's timeout: {error.message}",
            "the step may still be running there; resume the recipe when the host is back",
            code="host_lost", data={"step": self.step.name},
        )  # fmt: skip

    def _outcome(self) -> Outcome:
        """Return how the step ended. Ask the host if the log did not show it. Raises Unreachable `host_lost`."""
        ending = Ending(self.live, self.step, self.known, self.output, late=self.time.over)
        if ending.is_known:
            return ending.outcome()
        try:
            with limited(self.time.by(ANSWER_LIMIT).at):
                return ending.outcome()
        except (Unreachable, TimedOut) as error:
            raise self._host_lost(error) from None
