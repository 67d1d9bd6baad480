"""Decides whether and when a request is sent again, and what the user is told about this."""

import random
import time
from typing import Any, Self

from urllib3.exceptions import MaxRetryError, NameResolutionError, ResponseError  # noqa: TID253 - as below
from urllib3.util import Retry  # noqa: TID253 - this module is loaded together with requests

from trainsh_base.request import Request, current

PASSING = frozenset((429, 502, 503, 504))
# how often a failed request is sent again; the pauses before that are 1, 2, 4, 8 and 16 seconds, plus jitter
TRIES = 5
LONGEST = 30.0
BY_HAND = 20.0  # seconds for which a call is tried again if a person waits for the command
# the same for a service whose name cannot be resolved, because this rarely gets better within seconds
UNKNOWN_NAME = 3.0
USUAL = 60.0  # seconds, about the sum of all pauses


class Patient(Retry):
    """The retries of urllib3, but with jitter, and with a first pause of one second.

    If the request is cancelled, a pause ends. The first failure of a request is reported. If a person waits at the
    terminal, a service that cannot be reached is tried for at most BY_HAND seconds.
    """

    first = 1.0  # seconds
    began: float | None = None  # time.monotonic() of the call's first failure

    def increment(
        self, method: Any = None, url: Any = None, response: Any = None, error: Any = None, *more: Any, **named: Any
    ) -> Self:
        """Count one attempt.

        Raises MaxRetryError if the daily quota is used up, or if the attempts take too long.
        """
        if response is not None and response.headers.get("X-RateLimit-Reset"):
            raise MaxRetryError(None, url, ResponseError("quota"))  # type: ignore[arg-type]
        following = super().increment(method, url, response, error, *more, **named)
        following.began = self.began or time.monotonic()
        limit = _limit(error)
        if error is not None and time.monotonic() - following.began > limit:
            raise MaxRetryError(None, url, error)  # type: ignore[arg-type]
        if error is not None or (response is not None and response.status >= 500):
            _tell(current(), error, response, limit)
        return following

    def get_backoff_time(self) -> float:
        """The next pause in seconds: 1, 2, 4, ... times the first pause, plus up to 50% of jitter."""
        failed = len([one for one in self.history if one.redirect_location is None])
        return float(min(LONGEST, self.first * 2.0 ** max(0, failed - 1)) * random.uniform(1, 1.5))

    def sleep(self, response: Any = None) -> None:
        """Pause for the time in the response's Retry-After, but at most a minute.

        If the response has no Retry-After, pause for the backoff time.
        """
        wanted = self.get_retry_after(response) if response is not None else None
        current().cancelled.wait(min(60.0, wanted) if wanted else self.get_backoff_time())
        current().check()


_told: list[Request] = []  # the last request whose user was told about a failure


def _limit(error: Exception | None) -> float:
    """For how many seconds a failed call is tried again."""
    if not current().for_people:
        return USUAL
    return UNKNOWN_NAME if isinstance(error, NameResolutionError) else BY_HAND


def _tell(request: Request, error: Exception | None, response: Any, limit: float) -> None:
    """Report the first failure of a request."""
    if request in _told:
        return
    _told[:] = [request]
    if isinstance(error, NameResolutionError):
        why = "Vast.ai cannot be reached: its name is not resolved"
    else:
        why = "Vast.ai cannot be reached" if error else f"Vast.ai answers with status {response.status}"
    request.emit("log", message=f"{why}; trying again for about {limit:g} s")


def policy(first: float, *, once: bool) -> Patient:
    """The retries of a call.

    `first` is the first pause in seconds. `once` means that the call must take effect only once. Such a call is not
    sent again if it may have taken effect although it failed.
    """
    status = frozenset((429,)) if once else PASSING
    Patient.first = first
    return Patient(
        total=TRIES, connect=TRIES, read=0 if once else TRIES, status=TRIES, other=0, redirect=3,
        allowed_methods=None, status_forcelist=status, raise_on_status=False, respect_retry_after_header=True,
    )  # fmt: skip
