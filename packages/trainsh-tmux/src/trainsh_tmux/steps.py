"""One step: sent once, claimed by the session's shell, followed to its end through cuts of the connection."""

import queue
import time
from collections.abc import Callable

import msgspec

from trainsh_base.channel import ChannelLost
from trainsh_base.errors import Cancelled, NotFound, TimedOut, TrainError, Unreachable
from trainsh_base.request import Request
from trainsh_base.retry import transient
from trainsh_base.units import format_duration
from trainsh_tmux import step_scripts
from trainsh_tmux.host import disk_full
from trainsh_tmux.live import LOST, Inbox, Live, gone, no_session
from trainsh_tmux.marks import Piece
from trainsh_tmux.model import Outcome
from trainsh_tmux.output import Output
from trainsh_tmux.statuses import judge
from trainsh_tmux.stream import Stream
from trainsh_tmux.taking import take_back

SAFETY = 1.0  # seconds after which the host looks at the step's status file too, for a log that stands still
QUIET = 2.0  # seconds that the log may still be silent once the status is known
LAST_WORDS = 0.5  # ... and once the session is gone
AT_ONCE = 0.005  # seconds in which the first output, or the end, of a quick step comes
RESENDS = 20  # times that a step is sent again to a shell which has none in hand and has not taken it
INTERRUPT = 10  # seconds within which a step must heed its signals
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
        self.inbox = Inbox()
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
        self._private: Stream | None = None
        self._source: object = None
        self._cut = False
        self._gone = False
        self._marked = False
        self._unsaid: int | None = None
        self._forget: Callable[[], None] = lambda: None
        self._taken: tuple[str, ...] = ()

    def run(self) -> Outcome:
        """Start the step, or find it started, and stay with it until it is over."""
        self.request.on_cancel(lambda: self.inbox.put(Cancelled(f"step {self.step.name} was left running")))
        try:
            self.live.listen(inbox=self.inbox)
            self._send()
            while not self.over:
                self._next()
            self._say_started()
            self.live.taken = [step for step in self.live.taken if step not in self._taken]
            return self._outcome()
        finally:
            self.over = True
            self.live.leave(self.inbox)
            self._forget()
            if self._take_back:
                self._take_back()
            if self._private:
                self._private.close()

    def _send(self) -> None:
        """Hand the step to its session."""
        body = self._body()
        self._sent += 1
        channel = self.live.host.channel(self.request)
        ask = channel.ask(
            body, on_line=lambda text: self.inbox.put(("said", text)), on_end=self._answered, silent=True
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
            self.inbox.put(LOST)

    # What happens, one at a time

    def _next(self) -> None:
        try:
            item = self.inbox.get(timeout=self._patience())
        except queue.Empty:
            self._time_passed()
            return
        if isinstance(item, Piece):
            # With a stream of our own, what the shared one had sent before comes again.
            if self._private is None:
                self._piece(item)
        elif item is LOST:
            self._reconnect()
        elif isinstance(item, tuple):
            kind, what, *source = item
            if kind == "private":
                # What a stream sent before it was replaced comes again from the new one.
                if source[0] is self._source:
                    self._piece(what)
            else:
                {"said": self._said, "watched": self._watched}[kind](what)
        elif isinstance(item, BaseException):
            raise item

    @property
    def _left(self) -> float:
        """Seconds that the step has."""
        return UNLIMITED if self.deadline is None else self.deadline - time.monotonic()

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
        if self._sent == 1 and self.offset is None and self._private is None:
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
            self._read_from(self.step.since or 0)

    def _read_from(self, offset: int) -> None:
        live = self.live
        live.leave(self.inbox)
        self._source = source = object()
        self._private = Stream(
            live.host, live.job, live.name, offset, lambda piece: self._put(("private", piece, source)),
            lambda: self.inbox.put(LOST), within=max(1.0, self._left) if self._cut else 0.0,
        )  # fmt: skip

    def _put(self, item: object) -> None:
        """From a stream of our own: it waits for room, so that what is not taken stays on the host."""
        while self.inbox.full and not self.over:
            time.sleep(0.01)
        self.inbox.put(item)

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
            if self.offset is None and self._private is None:
                self._join()
                return
            if not piece.fields[1].isdigit():  # printed by the command itself
                return
            self.status, self.end = int(piece.fields[1]), piece.offset
            self.why = piece.fields[2] if len(piece.fields) > 2 else self.why
            self.over = self._marked = True
        elif piece.letter == "x" and self._settles is None and (self.offset is not None or self._private is None):
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
            lambda text: self.inbox.put(("watched", text)), self._answered,
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
        interrupt(
            self.live, self.step.name, "timeout", self.request, lambda text: self.inbox.put(("watched", text))
        )

    def _reconnect(self) -> None:
        """The connection was cut: connect again within the step's own time, and ask what became of it."""
        live = self.live
        if self._private is None and not live.lost and not live.host.lost:
            return
        if not self._cut:
            live.host.say_cut(self.request)
        self._cut = True
        try:
            live.host.channel(self.request, max(1.0, self._left))
            if self._private is not None:
                self._private.close()
                self._read_from(self.end or self.offset or self.step.since or 0)
            live.connect(max(1.0, self._left))
            self._take_back = None
            self._forget()
            self._send()
            self._cut = False
        except (ChannelLost, OSError):
            self.inbox.put(LOST)
        except (Unreachable, TimedOut) as error:
            self._unreachable(error)

    def _unreachable(self, error: TrainError) -> None:
        if self._left > 0 and (transient(error) or isinstance(error, TimedOut)):
            self.request.cancelled.wait(0.2)
            self.inbox.put(LOST)
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
            captured = read_captured(self.live, self.step.name)
            if self.step.secrets:
                self.live.taken.append(self.step.name)
        return Outcome(
            step=self.step.name, state=state, exit=None if state == "lost" else self.status, reason=reason,
            offset=self.offset, end=self.end,
            seconds=time.monotonic() - self.began, bytes=self.output.bytes, tail=self.output.tail(),
            captured=captured, resumed=self.resumed,
        )  # fmt: skip

    def _ask_again(self) -> str:
        """The log did not show the step's end: what its host has noted of it, now that the session has settled.

        Raises `session_gone` where the session ended before it came to this step, which then never ran.
        """
        live = self.live
        answer = (
            live.host.ask(step_scripts.start_step(live.job, live.name, self.step.name, "", only_ask=True)) or [""]
        )[0]
        kind, *rest = answer.split()
        if kind == "never":
            raise gone(live.name, "it ended before it came to this step")
        if rest and rest[0].isdigit():
            self.status = int(rest[0])
        return rest[1] if len(rest) > 1 else ""


def interrupt(live: Live, step: str, why: str, request: Request, tell: Callable[[str], None]) -> None:
    """End a step with INT, TERM, KILL; `tell` hears `ended` or `stuck`."""
    channel = live.host.channel(request)
    number = channel.listen(tell, lambda _: None)
    channel.ask(step_scripts.interrupt(live.job, live.name, step, number, why, INTERRUPT))


def read_captured(live: Live, step: str) -> str:
    """Standard output of a step, trimmed. Raises NotFound when it held a secret and was removed."""
    words = " ".join(live.host.ask(step_scripts.read_captured(live.job, live.name, step))).split()
    if words == ["gone"]:
        raise NotFound(
            f"the output of step {step} may hold a secret, so it was removed with its session or when the next"
            " step was sent", "run it again, under another name", code="captured_gone",
        )  # fmt: skip
    return bytes(int(word, 8) for word in words).decode("utf-8", "replace").strip()
