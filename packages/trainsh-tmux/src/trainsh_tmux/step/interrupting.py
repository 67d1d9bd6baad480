"""Ends a step on request and waits until the host reports that it has ended."""

import queue
from collections.abc import Callable

from trainsh_base.errors import RemoteError, TimedOut
from trainsh_base.request import Request, limited
from trainsh_tmux.session.live import Live
from trainsh_tmux.step.step_status import Countdown, interrupt

ENDS = ("ended", "never", "stuck")
CUT = "cut"


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
