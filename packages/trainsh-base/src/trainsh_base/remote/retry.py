"""Retries after a lost connection, with growing random pauses, until a deadline or a cancelled request."""

import math
from collections.abc import Callable
from typing import TypeVar

from trainsh_base.errors import Unreachable
from trainsh_base.request import Request
from trainsh_base.system.deadline import Deadline

T = TypeVar("T")
FIRST_PAUSE, LONGEST_PAUSE = 0.25, 10.0  # about the first pause, and the longest pause, in seconds


def transient(error: BaseException) -> bool:
    """Whether `error` may pass by itself, so that it makes sense to try again."""
    return isinstance(error, Unreachable) and error.code not in ("host_key_changed", "host_key_unknown", "bad_ssh")


def persist(
    request: Request,
    deadline: Deadline,
    attempt: Callable[[], T],
    again: Callable[[BaseException], bool],
    tell: Callable[[BaseException, float], None],
) -> T:
    """Call `attempt` and return its result.

    After an error, retry until `deadline`, as long as `again(error)` is true. `tell` is called once, before the
    first pause, with the error and the seconds that are left. Raises the error of the last attempt. Raises
    Cancelled as soon as the request is cancelled.
    """
    try:
        return attempt()
    except Exception as error:
        if deadline.expired or not again(error):
            raise
        request.check()
        tell(error, deadline.within(math.inf))
        last = error
    return _repeat(request, deadline, attempt, again, last)


def _repeat(
    request: Request, deadline: Deadline, attempt: Callable[[], T], again: Callable[[BaseException], bool],
    last: BaseException,
) -> T:  # fmt: skip
    import tenacity  # imported only after a first failure, because the import is slow

    growing = tenacity.wait_exponential_jitter(multiplier=FIRST_PAUSE, max=LONGEST_PAUSE, jitter=FIRST_PAUSE)

    def one() -> T:
        nonlocal last
        try:
            request.check()
        except Unreachable:  # the time is over, and the error of the last attempt tells why
            raise last from None
        try:
            return attempt()
        except Exception as error:
            last = error
            raise

    sleep = tenacity.sleep_using_event(request.cancelled)
    sleep(FIRST_PAUSE / 2)
    return tenacity.Retrying(
        retry=tenacity.retry_if_exception(again), stop=lambda _state: deadline.expired,
        wait=lambda state: deadline.within(growing(state)), sleep=sleep, reraise=True,
    )(one)  # fmt: skip
