"""Ends a step, on request or when its time is over, and counts down until the host reports that it has ended."""

import queue
import time
from collections.abc import Callable

from trainsh_base.errors import RemoteError, TimedOut
from trainsh_base.request import Request, current, limited
from trainsh_base.system.deadline import Deadline
from trainsh_base.system.units import format_duration
from trainsh_tmux.remote import step_scripts
from trainsh_tmux.session.live import Live

ANSWER_MARGIN = 15.0  # seconds beyond a step's grace within which the host must report how the step ended
UNLIMITED = 7 * 86400.0  # seconds, for a step without a timeout
LAST_ASKED = 5.0  # seconds within which a host must answer after the step's timeout
ENDS = ("ended", "never", "stuck")
CUT = "cut"


def interrupt(
    live: Live, step: str, why: str, request: Request, tell: Callable[[str], None], grace: float,
    cut: Callable[[], None] = lambda: None,
) -> Callable[[], None]:  # fmt: skip
    """Ask the host to end a step.

    The host sends INT at once, TERM after half of `grace` seconds, KILL after `grace`. `tell` is called with
    `survived PID COMMAND` for each process that did not end. After that it is called with `ended`, `never` (the
    step had not begun) or `stuck` (the step's session had to be closed). If the connection is lost before that,
    `cut` is called. Returns a function that stops this: `tell` and `cut` are not called after it.
    """
    channel = live.host.channel(request)
    number = channel.listen(tell, lambda _: cut())
    channel.ask(step_scripts.interrupt(live.job, live.name, step, number, why, max(1, round(grace))))
    return lambda: channel.forget(number)


class Countdown:
    """Reports once a second how much time is left for a step to end."""

    EVERY = 1.0

    def __init__(self, step: str, grace: float, request: Request) -> None:
        self.deadline = Deadline.after(grace + ANSWER_MARGIN)
        self._graceful = Deadline.after(grace)
        self._step, self._grace, self._request = step, grace, request
        self._began = time.monotonic()
        self._next = self._began

    @property
    def grace(self) -> float:
        """The seconds of grace that are left, at least one."""
        return max(1.0, self._graceful.left() or 0.0)

    def tell(self) -> float:
        """Emit progress if a second has passed since the last time. Returns the seconds until the next time."""
        now = time.monotonic()
        if now >= self._next:
            passed = min(now - self._began, self._grace)
            self._request.emit(
                "progress", done=round(passed, 1), total=self._grace, unit="s",
                message=f"ending step {self._step}: it has {format_duration(self._grace)} to finish",
            )  # fmt: skip
            self._next = now + self.EVERY
        return self._next - now


def end_step(live: Live, step: str, why: str, grace: float, request: Request) -> tuple[str, list[str]]:
    """End a step within `grace` seconds. Emit progress meanwhile.

    Returns (how it ended, the processes that are still running). The first is `ended`, `never` (the step had not
    begun) or `stuck` (the step's session had to be closed). After a lost connection, the request is sent again with
    the grace that is left, because the host may not have received it. Raises RemoteError `not_ended` if the host
    does not answer in time, Unreachable, Cancelled.
    """
    heard: queue.SimpleQueue[str] = queue.SimpleQueue()
    countdown = Countdown(step, grace, request)

    def send() -> Callable[[], None]:
        with limited(countdown.deadline.at) as asking:
            return live.host.persist(
                asking, countdown.deadline,
                lambda: interrupt(
                    live, step, why, asking, heard.put, countdown.grace, lambda: heard.put(CUT)
                ),
            )  # fmt: skip

    silent = RemoteError(
        f"{live.host.name} did not report in time whether step {step} ended",
        f"to look at it: train tmux attach {live.name}", code="not_ended", data={"step": step},
    )  # fmt: skip
    try:
        forget = send()
    except TimedOut:
        raise silent from None
    survived: list[str] = []
    try:
        while not countdown.deadline.expired:
            request.check()
            try:
                word, _, rest = heard.get(timeout=min(countdown.tell(), 0.2)).partition(" ")
            except queue.Empty:
                continue
            if word in ENDS:
                return word, survived
            if word == CUT:
                forget()
                forget = send()
            if word == "survived" and rest not in survived:
                survived.append(rest)
    finally:
        forget()
    raise silent


class TimeLimit:
    """The time that a step has: its timeout, and after that its grace. During the grace, the host ends the step."""

    def __init__(self, live: Live, step: str, timeout: float | None, grace: float, request: Request) -> None:
        self.timeout = Deadline.after(timeout)
        self._live, self._step, self._grace, self._request = live, step, grace, request
        self._countdown: Countdown | None = None
        self._forget: Callable[[], None] = lambda: None

    @property
    def over(self) -> bool:
        """Whether the timeout has passed and the step is being ended."""
        return self._countdown is not None

    @property
    def deadline(self) -> Deadline:
        """The end of the timeout or, if the grace has begun, the end of the grace."""
        return self._countdown.deadline if self._countdown else self.timeout

    def by(self, most: float = UNLIMITED) -> Deadline:
        """Return the deadline for a host's answer: the step's own deadline, but at least LAST_ASKED seconds."""
        return Deadline.after(max(LAST_ASKED, self.deadline.within(most)))

    def begin_grace(self) -> None:
        """Begin the grace, because the timeout has passed."""
        self._countdown = Countdown(self._step, self._grace, self._request)

    def tell(self) -> float:
        """Emit progress of the grace. Return after how many seconds to call this again."""
        return self._countdown.tell() if self._countdown else UNLIMITED

    def interrupt(self, tell: Callable[[str], None]) -> None:
        """If the grace has begun, ask the host to end the step within the grace that is left.

        After a lost connection, the host is asked again, because the request may not have arrived.
        """
        if self._countdown is not None:
            self._forget()
            self._forget = interrupt(self._live, self._step, "timeout", current(), tell, self._countdown.grace)

    def forget(self) -> None:
        """Ignore all further reports of the host about the end of the step."""
        self._forget()
