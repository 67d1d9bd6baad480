"""When a request is retried, and after which pause."""

import random
from typing import Any, Self

from urllib3.exceptions import MaxRetryError, ResponseError  # noqa: TID253 - as below
from urllib3.util import Retry  # noqa: TID253 - this module is loaded together with requests

from trainsh_base.request import current

PASSING = frozenset((429, 502, 503, 504))
TRIES = 5  # pauses of 1, 2, 4, 8 and 16 seconds, plus jitter
LONGEST = 30.0


class Patient(Retry):
    """urllib3's retries with a first pause of one second and jitter. A cancel ends the pause."""

    first = 1.0  # seconds

    def increment(
        self, method: Any = None, url: Any = None, response: Any = None, *more: Any, **named: Any
    ) -> Self:
        """Count one attempt. Raises MaxRetryError when the daily quota is used up."""
        if response is not None and response.headers.get("X-RateLimit-Reset"):
            raise MaxRetryError(None, url, ResponseError("quota"))  # type: ignore[arg-type]
        return super().increment(method, url, response, *more, **named)

    def get_backoff_time(self) -> float:
        """The next pause: 1, 2, 4, ... times the first one, plus up to 50% of jitter."""
        failed = len([one for one in self.history if one.redirect_location is None])
        return float(min(LONGEST, self.first * 2.0 ** max(0, failed - 1)) * random.uniform(1, 1.5))

    def sleep(self, response: Any = None) -> None:
        """Pause for the response's Retry-After, at most a minute, else for the backoff time."""
        wanted = self.get_retry_after(response) if response is not None else None
        current().cancelled.wait(min(60.0, wanted) if wanted else self.get_backoff_time())
        current().check()


def policy(first: float, *, once: bool) -> Patient:
    """The retries of a call. `first` is the first pause in seconds; `once`: the call may have taken effect although
    it failed."""
    status = frozenset((429,)) if once else PASSING
    Patient.first = first
    return Patient(
        total=TRIES, connect=TRIES, read=0 if once else TRIES, status=TRIES, other=0, redirect=3,
        allowed_methods=None, status_forcelist=status, raise_on_status=False, respect_retry_after_header=True,
    )  # fmt: skip
