"""Trying again what a lost connection spoiled: growing pauses with jitter, for a time or until it is cancelled."""

import time
from collections.abc import Callable
from typing import Any, TypeVar

from trainsh_base.errors import Unreachable
from trainsh_base.request import Request

T = TypeVar("T")
FIRST_PAUSE, LONGEST_PAUSE = 0.25, 10.0  # seconds


def transient(error: BaseException) -> bool:
    """Whether trying again may help."""
    return isinstance(error, Unreachable) and error.code not in ("host_key_changed", "host_key_unknown", "bad_ssh")


def persist(
    request: Request,
    within: float,
    attempt: Callable[[], T],
    again: Callable[[BaseException], bool],
    tell: Callable[[BaseException, float], None],
) -> T:
    """The result of `attempt`, made again for `within` seconds while what it raises is such that `again` is true.

    `tell` is called once, before the first pause, with what was raised and the seconds that are left. Raises what
    the last attempt raised; Cancelled, at once, when the request is.
    """
    began = time.monotonic()
    try:
        return attempt()
    except Exception as error:
        left = within - (time.monotonic() - began)
        if left <= 0 or not again(error):
            raise
        request.check()
        tell(error, left)
    return _patiently(request, left, attempt, again)


def _patiently(
    request: Request, left: float, attempt: Callable[[], T], again: Callable[[BaseException], bool]
) -> T:
    import tenacity  # only who has failed once waits for it

    growing = tenacity.wait_exponential_jitter(multiplier=FIRST_PAUSE, max=LONGEST_PAUSE, jitter=FIRST_PAUSE)
    deadline = time.monotonic() + left

    def pause(state: Any) -> float:
        return min(growing(state), max(0.0, deadline - time.monotonic()))

    def one() -> T:
        request.check()
        return attempt()

    sleep = tenacity.sleep_using_event(request.cancelled)
    sleep(FIRST_PAUSE / 2)
    return tenacity.Retrying(
        retry=tenacity.retry_if_exception(again), stop=tenacity.stop_after_delay(left), wait=pause, sleep=sleep,
        reraise=True,
    )(one)  # fmt: skip
