"""One step: sent once, claimed by the session's shell, followed to its end through cuts of the connection."""

import queue
import time
from collections.abc import Callable

import msgspec

from trainsh_base.errors import Cancelled, TimedOut, TrainError, Unreachable
from trainsh_base.remote.channel import ChannelLost
from trainsh_base.remote.retry import transient
from trainsh_base.request import Request
from trainsh_base.system.units import format_duration
from trainsh_tmux.log.output import Output
from trainsh_tmux.log.sentinels import Piece
from trainsh_tmux.model import Outcome
from trainsh_tmux.remote import step_scripts
from trainsh_tmux.remote.host import disk_full
from trainsh_tmux.session.live import LOST, Live, gone, no_session
from trainsh_tmux.session.reclaim import take_back
from trainsh_tmux.statuses import judge
from trainsh_tmux.step import step_status
from trainsh_tmux.step.feed import Feed

SAFETY = 1.0  # seconds after which the host looks at the step's status file too, for a log that stands still
QUIET = 2.0  # seconds that the log may still be silent once the status is known
LAST_WORDS = 0.5  # ... and once the session is gone
AT_ONCE = 0.005  # seconds in which the first output, or the end, of a quick step comes
RESENDS = 20  # times that a step is sent again to a shell which has none in hand and has not taken it
UNLIMITED = 7 * 86400.0


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of a session; `name` is the identity that makes it run once."""

    name: str
    command: str
    mode: str
    echo: str
    timeout: float | None
    secrets: dict[str, str]
    since: int | None
    keep_running: bool


class Following:
    """A step on its way: what was sent, what was seen of it."""

    def __init__(self, live: Live, step: Step, request: Request) -> None:
        self.live, self.step, self.request = live, step, request
        self.feed = Feed(live)
        self.began = time.monotonic()
        limited = step.timeout is not None and step.mode != "background"
        self.deadline = self.began + (step.timeout or 0) if limited else None
        self.offset: int | None = None
        self.end: int | None = None
        self.status: int | None = None
        self.why = ""
        self.over = False
        self.resumed = False
        self.output = Output(list(step.secrets.values()), lambda text: request.emit("output", data=text))
        self._inside = False
        self._sent = 0
        self._slow = False
        self._settles: float | None = None
        self._interrupted = False
        self._take_back: Callable[[], None] | None = None
        self._cut = False
        self._gone = False
        self._marked = False
        self._unsaid: int | None = None
        self._forget: Callable[[], None] = lambda: None
        self._taken: tuple[str, ...] = ()

    def run(self) -> Outcome:
        """Start the step, or find it started, and stay with it until it is over."""
        self.request.on_cancel(lambda: self.feed.put(Cancelled(f"step {self.step.name} was left running")))
        try:
            self.feed.listen()
            self._send()
            while not self.over:
                self._next()
            self._say_started()
            self.live.taken = [step for step in self.live.taken if step not in self._taken]
            return self._outcome()
        finally:
            self.over = True
            self.feed.close()
            self._forget()
            if self._take_back:
                self._take_back()

    def _send(self) -> None:
        """Hand the step to its session."""
        body = self._body()
        self._sent += 1
        channel = self.live.host.channel(self.request)
        ask = channel.ask(
            body, on_line=lambda text: self.feed.put(("said", text)), on_end=self._answered, silent=True
        )
        self._forget = lambda: channel.forget(ask.number)

    def _body(self) -> str:
        """What the host is to do: the first time in few words, where the step has no secrets."""
        live, step = self.live, self.step
        limit = step.timeout if step.mode == "background" else None
        self._taken = tuple(name for name in live.taken if name != step.name)
        if not (self._sent or self._slow or self._taken or step.secrets):
            quick = step_scripts.hand_step(
                live.job, live.name, step.name, step.command, mode=step.mode, echo=step.echo, limit=limit
            )
            if quick is not None:
                return quick
        return step_scripts.start_step(
            live.job, live.name, step.name, step.command, mode=step.mode, echo=step.echo, limit=limit,
            secrets=step.secrets, taken=self._taken,
        )  # fmt: skip

    def _answered(self, status: int | None) -> None:
        if status is None:
            self.feed.put(LOST)

    # What happens, one at a time

    def _next(self) -> None:
        try:
            item = self.feed.next(self._patience())
        except queue.Empty:
            self._time_passed()
            return
        if isinstance(item, Piece):
            self._piece(item)
        elif item is LOST:
            self._reconnect()
        elif isinstance(item, tuple):
            kind, what = item
            {"said": self._said, "watched": self._watched}[kind](what)
        elif isinstance(item, BaseException):
            raise item

    @property
    def _left(self) -> float:
        """Seconds that the step has."""
        return UNLIMITED if self.deadline is None else self.deadline - time.monotonic()

    @property
    def _within(self) -> float:
        """Seconds in which another stream has to be there: after a cut those of the step."""
        return max(1.0, self._left) if self._cut else 0.0

    def _patience(self) -> float:
        now = time.monotonic()
        ends = [now + 60.0]
        if self._take_back is None:
            ends.append(self.began + SAFETY)
        if self.deadline is not None and not self._interrupted:
            ends.append(self.deadline)
        if self._settles is not None:
            ends.append(self._settles)
        if self._unsaid is not None:
            ends.append(now + AT_ONCE)
        return max(0.0, min(ends) - now)

    def _time_passed(self) -> None:
        now = time.monotonic()
        if self._unsaid is not None:
            self._say_started()
        elif self._settles is not None and now >= self._settles:
            self.over = True
        elif self.deadline is not None and now >= self.deadline and not self._interrupted:
            self._interrupt()
        elif self._take_back is None and now >= self.began + SAFETY:
            self._watch()

    def _said(self, text: str) -> None:
        kind, _, rest = text.partition(" ")
        if kind == "again":
            self._again(rest.split())
        elif kind == "slow":
            self._slow, self._sent = True, 0
            self._send()
        elif kind == "released":
            for note in take_back(self.live):
                self.request.emit("log", message=note)
            self._send()
        elif kind == "starting":
            time.sleep(0.05)
            self._send()
        elif kind == "full":
            raise disk_full(self.live.host)
        elif kind == "gone":
            raise no_session(self.live.host, self.live.name) if rest == "none" else gone(self.live.name, rest)

    def _again(self, status: list[str]) -> None:
        """It had been started: by an earlier try of ours, of which our stream sees all, or before this process."""
        if self._sent == 1 and self.offset is None and not self.feed.rereads:
            self._join()
        if status[:1] == ["lost"]:
            self._settles = time.monotonic() + LAST_WORDS
        elif status:
            self._known(status[0], status[1] if len(status) > 1 else "")
        if self.step.mode == "background":
            self.over = True
            self._gone = status[:1] == ["lost"]

    def _join(self) -> None:
        """It was started before we came: read it from its beginning."""
        self.resumed = True
        if self.step.mode != "background":
            self.feed.reread(self.step.since or 0, self._within)

    def _known(self, status: str, why: str) -> None:
        self.status, self.why = int(status) if status.isdigit() else None, why
        self._settles = time.monotonic() + QUIET

    def _piece(self, piece: Piece) -> None:
        mine = bool(piece.fields) and piece.fields[0] == self.step.name
        if not piece.letter:
            if self._inside:
                self._say_started()
                self._tell_gap(piece.offset)
                self.output.feed(piece.offset, piece.data)
                self.end = piece.end
        elif piece.letter == "o" and mine:
            self._begins(piece)
        elif piece.letter == "p" and mine:
            self.over = True
        elif piece.letter == "e" and mine and self.step.mode != "background" and piece.fields[1:2]:
            if self.offset is None and not self.feed.rereads:
                self._join()
                return
            if not piece.fields[1].isdigit():  # printed by the command itself
                return
            self.status, self.end = int(piece.fields[1]), piece.offset
            self.why = piece.fields[2] if len(piece.fields) > 2 else self.why
            self.over = self._marked = True
        elif piece.letter == "x" and self._settles is None and (self.offset is not None or not self.feed.rereads):
            self._settles = time.monotonic() + LAST_WORDS
        if self._settles is not None and not piece.letter:
            self._settles = time.monotonic() + QUIET

    def _tell_gap(self, offset: int) -> None:
        """Say so where the host has dropped output that we did not take in time."""
        expected = self.end if self.end is not None else self.offset
        if expected is not None and offset > expected:
            missing = f"train: {offset - expected} bytes of output are missing here (tmux.log_limit)"
            self.request.emit("output", data=f"\r\n{missing}\r\n")

    def _begins(self, piece: Piece) -> None:
        self.offset = piece.end
        self._inside = self.step.mode != "background"
        self.live.marks.started(piece.end, self.step.mode == "background")
        self._unsaid = piece.offset

    def _say_started(self) -> None:
        """Tell the client that the step has begun; together with what comes next, when that comes at once."""
        if self._unsaid is not None:
            offset, self._unsaid = self._unsaid, None
            self.request.emit("started", step=self.step.name, offset=offset)

    # The host, when the log does not tell

    def _watch(self) -> None:
        live = self.live
        self._take_back = live.host.watch(
            live.job, live.name, "step", [self.step.name],
            lambda text: self.feed.put(("watched", text)), self._answered,
        )  # fmt: skip

    def _watched(self, text: str) -> None:
        word, _, rest = text.partition(" ")
        if word == "ended" and rest:
            status, _, why = rest.partition(" ")
            self._known(status, why or self.why)
        elif word == "never":
            self.why = "never"
            self.over = True
        elif word == "released":
            self._take_back = None
            self._said("released")
        elif word == "unread" and self._sent <= RESENDS:
            # A Ctrl-C in the pane came while the shell read our line, which is lost.
            self._take_back = None
            self._send()
        elif word in ("gone", "stuck", "ended"):
            if word == "stuck":
                self.why = "stuck"
            self._settles = time.monotonic() + (QUIET if word == "ended" else LAST_WORDS)

    def _interrupt(self) -> None:
        self._interrupted = True
        self.why = "timeout"
        if self.step.keep_running:
            self.over = True
            return
        step_status.interrupt(
            self.live, self.step.name, "timeout", self.request, lambda text: self.feed.put(("watched", text))
        )

    def _reconnect(self) -> None:
        """The connection was cut: connect again within the step's own time, and ask what became of it."""
        live = self.live
        if not self.feed.rereads and not live.lost and not live.host.lost:
            return
        if not self._cut:
            live.host.say_cut(self.request)
        self._cut = True
        try:
            live.host.channel(self.request, max(1.0, self._left))
            if self.feed.rereads:
                self.feed.reread(self.end or self.offset or self.step.since or 0, self._within)
            live.connect(max(1.0, self._left))
            self._take_back = None
            self._forget()
            self._send()
            self._cut = False
        except (ChannelLost, OSError):
            self.feed.put(LOST)
        except (Unreachable, TimedOut) as error:
            self._unreachable(error)

    def _unreachable(self, error: TrainError) -> None:
        if self._left > 0 and (transient(error) or isinstance(error, TimedOut)):
            self.request.cancelled.wait(0.2)
            self.feed.put(LOST)
            return
        raise Unreachable(
            f"{self.live.host.name} could not be reached again within the step's time: {error.message}",
            "the step may still be running there; resume the recipe when the host is back",
            code="host_lost", data={"step": self.step.name},
        )  # fmt: skip

    def _outcome(self) -> Outcome:
        self.output.finish()
        if self.output.leaks.places:
            self.live.host.ask(step_scripts.mask_log(self.live.job, self.live.name, self.output.leaks.places))
        limit = format_duration(self.step.timeout) if self.step.timeout else ""
        if self.why == "never":
            self.status = None
        why = self.why
        if self._interrupted and why not in ("stuck", "never"):
            # It may have ended in time by itself, while nobody here heard of it: this machine slept, say.
            why = "timeout" if self.step.keep_running else self._ask_again()
            why = why if self.status is not None else "timeout"
        elif not self._marked and not why and self.step.mode != "background":
            why = self._ask_again()
        state, reason = judge(self.status, why, limit)
        if self.step.mode == "background" and self.status is None and not self._gone:
            state, reason = "started", "running in the background"
        captured = None
        ended = self.why == "ended" and self.step.secrets  # its output went with its session
        if self.step.mode == "capture" and self.status is not None and not ended:
            captured = step_status.read_captured(self.live, self.step.name)
            if self.step.secrets:
                self.live.taken.append(self.step.name)
        return Outcome(
            step=self.step.name, state=state, exit=None if state == "lost" else self.status, reason=reason,
            offset=self.offset, end=self.end,
            seconds=time.monotonic() - self.began, bytes=self.output.bytes, tail=self.output.tail(),
            captured=captured, resumed=self.resumed,
        )  # fmt: skip

    def _ask_again(self) -> str:
        """The log did not show the step's end: what its host has noted of it, now that the session has settled."""
        status, why = step_status.noted(self.live, self.step.name)
        if status is not None:
            self.status = status
        return why
