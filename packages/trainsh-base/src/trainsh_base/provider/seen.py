"""Repeats a change until the provider's own listing shows it."""

from collections.abc import Callable
from typing import TypeVar

from trainsh_base.errors import TimedOut, TrainError, Unreachable
from trainsh_base.request import current
from trainsh_base.system.deadline import Deadline

Row = TypeVar("Row")
# Exit statuses of errors that may pass by themselves: timeout, remote error (rate limit, bad response),
# unreachable.
PASSING = frozenset((6, 7, 8))


def until_seen(
    ask: Callable[[], object],
    look: Callable[[], Row],
    done: Callable[[Row], bool],
    deadline: Deadline,
    *,
    pause: float = 2.0,
    again: float = 30.0,
) -> Row:
    """Call `ask`, and then `look` every `pause` seconds until `done` accepts its result. Return that result.

    `ask` is called again every `again` seconds. An error with an exit status in PASSING does not end the loop.
    Raises TimedOut at the deadline; its hint is the last such error. Raises Cancelled if the request is cancelled.
    If a person waits at the terminal, Unreachable ends the loop at once.
    """
    request, trouble = current(), ""
    asked = Deadline.after(0)
    while True:
        try:
            if asked.expired:
                ask()
                asked = Deadline.after(again)
            row = look()
            if done(row):
                return row
        except TrainError as error:
            if error.exit_status not in PASSING or (request.for_people and isinstance(error, Unreachable)):
                raise
            trouble = error.message
            asked = Deadline.after(0)
        if deadline.expired:
            raise TimedOut("the change was not seen in time", trouble, code="not_seen")
        request.cancelled.wait(deadline.within(pause))
        request.check()
