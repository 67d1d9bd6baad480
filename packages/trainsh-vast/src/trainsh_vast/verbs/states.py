"""Starts, stops and destroys instances.

A request is repeated until the service's own listing shows its result.
"""

import time
from collections.abc import Callable

from trainsh_base.errors import Conflict, NotFound, RemoteError, TimedOut, TrainError, Unreachable
from trainsh_base.provider.seen import until_seen
from trainsh_base.request import current
from trainsh_base.system.critical import critical
from trainsh_base.system.deadline import Deadline
from trainsh_vast.api.errors import meaning
from trainsh_vast.api.service import Row, Service
from trainsh_vast.api.session import agreed
from trainsh_vast.rented import rows, states

PAUSE = 1.5  # seconds between two requests for the list
AGAIN = 15.0  # seconds after which the request is repeated
Ask = Callable[[], object]
Done = Callable[[Row | None], bool]


def stop(service: Service, number: int, timeout: float) -> Row | None:
    """Stop an instance, and wait until the list shows it as stopped.

    Return its row, or None if it no longer exists.
    """

    def ask() -> None:
        try:
            agreed(service.set_state(number, "stopped"))
        except NotFound:
            return

    return _seen(service, number, ask, states.is_over, "stop", timeout)


def destroy(service: Service, number: int, timeout: float) -> None:
    """Destroy an instance and its disk, and wait until the list does not show the instance any more."""

    def ask() -> None:
        try:
            service.destroy(number)
        except NotFound:
            return

    _seen(service, number, ask, lambda row: row is None, "destroy", timeout)


def _seen(service: Service, number: int, ask: Ask, done: Done, word: str, timeout: float) -> Row | None:
    try:
        with critical():
            return until_seen(
                ask,
                lambda: service.instance(number),
                done,
                Deadline.after(timeout),
                pause=PAUSE,
                again=AGAIN,
            )
    except Unreachable as error:
        raise Unreachable(
            f"instance {number} may go on billing: {error.message}",
            f"{_again(word, number)}\n{error.hint}".strip(),
            code="still_billing", data={"id": number},
        ) from None  # fmt: skip
    except TimedOut as error:
        raise TimedOut(
            f"instance {number} may still cost money{_price(service, number)}: Vast.ai does not show the {word}",
            f"{_again(word, number)}\n{error.hint}".strip(),
            code="still_billing", data={"id": number},
        ) from None  # fmt: skip


def _again(word: str, number: int) -> str:
    return f"again: train vast {word} {number}\nor at https://cloud.vast.ai/instances/"


def _price(service: Service, number: int) -> str:
    try:
        row = service.instance(number)
    except TrainError:
        return ""
    return f" (${rows.rented(row).price_per_hour:.3f} an hour)" if row else ""


def start(service: Service, number: int) -> Row:
    """Start an instance and return its row.

    Raises Conflict if the instance's GPU is taken. In this case no start is left in the queue.
    """
    row = service.need(number)
    if states.condition(row).state in ("running", "starting") and row.get("cur_state") != "stopped":
        return row
    for left in (3, 2, 1, 0):
        answer = service.set_state(number, "running")
        if not isinstance(answer, dict) or answer.get("success") is not False:
            break
        if "queued" in str(answer.get("msg")).lower() or "unavailable" in str(answer.get("msg")).lower():
            stop(service, number, 120)
            raise Conflict(
                f"the GPU of instance {number} is rented to somebody else now",
                "try later, or pick another: vast.pick, train vast search", code="gpu_taken", data={"id": number},
            )  # fmt: skip
        if not left:
            raise meaning(200, answer, "", {})
        current().cancelled.wait(1)
        current().check()
    return _begins(service, number)


def _begins(service: Service, number: int) -> Row:
    """The row of an instance after the service has set its contract to run.

    In the row, the container's status may be out of date.
    """
    deadline = time.monotonic() + 30
    while True:
        row = service.need(number)
        if row.get("intended_status") == "running":
            return row
        if time.monotonic() > deadline:
            raise RemoteError(
                f"Vast.ai accepted the start of {number}, but does not list it as running", code="not_seen"
            )
        current().cancelled.wait(PAUSE)
        current().check()
