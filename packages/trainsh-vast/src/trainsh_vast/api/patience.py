"""When a request is repeated, and after which pause."""

import random
from typing import Any, Self

from urllib3.exceptions import MaxRetryError, ResponseError  # noqa: TID253 - as below
from urllib3.util import Retry  # noqa: TID253 - this module is loaded together with requests

from trainsh_base.request import current

PASSING = frozenset((429, 502, 503, 504))
TRIES = 5  # pauses of 1, 2, 4, 8, 16 seconds and some
LONGEST = 30.0


class Patient(Retry):
    """urllib3's retries, from one second on, with jitter; a cancelled request waits no longer."""

    first = 1.0  # seconds

    def increment(
        self, method: Any = None, url: Any = None, response: Any = None, *more: Any, **named: Any
    ) -> Self:
        """One try less; none is left once the quota of a day is used up."""
        if response is not None and response.headers.get("X-RateLimit-Reset"):
            raise MaxRetryError(None, url, ResponseError("quota"))  # type: ignore[arg-type]
        return super().increment(method, url, response, *more, **named)

    def get_backoff_time(self) -> float:
        """1, 2, 4, ... times the first pause, and up to half as much again."""
        failed = len([one for one in self.history if one.redirect_location is None])
        return float(min(LONGEST, self.first * 2.0 ** max(0, failed - 1)) * random.uniform(1, 1.5))

    def sleep(self, response: Any = None) -> None:
        """Pause for what the answer's Retry-After says, a minute at most, else for the backoff's time."""
        wanted = self.get_retry_after(response) if response is not None else None
        current().cancelled.wait(min(60.0, wanted) if wanted else self.get_backoff_time())
        current().check()


def policy(first: float, *, once: bool) -> Patient:
    """`first`: the first pause in seconds; `once`: for a call that may have been done although it failed."""
    status = frozenset((429,)) if once else PASSING
    Patient.first = first
    return Patient(
        total=TRIES, connect=TRIES, read=0 if once else TRIES, status=TRIES, other=0, redirect=3,
        allowed_methods=None, status_forcelist=status, raise_on_status=False, respect_retry_after_header=True,
    )  # fmt: skip
