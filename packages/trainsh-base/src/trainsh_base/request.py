"""The request that a command is serving: how it reports progress, asks, and learns that it is cancelled."""

import contextlib
import contextvars
import math
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from trainsh_base.errors import Cancelled, Unreachable, UsageError

_current: contextvars.ContextVar["Request"] = contextvars.ContextVar("request")


class Request:
    """What every face offers a running command. This base class reports nothing and cannot ask."""

    # Whether standard output shows what the command prints as it comes (else the answer alone is wanted there).
    for_people = False
    # By when (of time.monotonic) everything must be over that is done for it now (`limited`).
    until = math.inf

    def __init__(self) -> None:
        self.cancelled = threading.Event()
        self._callbacks: list[Callable[[], None]] = []
        self._guard = threading.Lock()

    def emit(self, kind: str, **data: Any) -> None:
        """Report `progress` {done, total, unit, message}, `output` {data} or `log` {message}."""

    def ask(
        self,
        kind: str,
        message: str,
        *,
        choices: list[str] | None = None,
        default: str | None = None,
        flag: str = "",
    ) -> str:
        """Ask a question (`choose`, `confirm`, `text`, `secret`) on the terminal; returns the answer as text.

        `confirm` answers "yes" or "no". Not interactive: UsageError that names `flag`, which answers the question.
        """
        raise nobody(message, flag)

    def cancel(self) -> None:
        """End the work: sets `cancelled` and runs what `on_cancel` was given."""
        with self._guard:
            self.cancelled.set()
            callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            with contextlib.suppress(Exception):  # one that fails must not keep the others from hearing of it
                callback()

    def on_cancel(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Run `callback` when the request is cancelled (at once when it is already); the answer takes it back."""
        with self._guard:
            waits = not self.cancelled.is_set()
            if waits:
                self._callbacks.append(callback)
        if not waits:
            callback()
        return lambda: self._forget(callback)

    def _forget(self, callback: Callable[[], None]) -> None:
        with self._guard:
            if callback in self._callbacks:
                self._callbacks.remove(callback)

    def check(self) -> None:
        """Raise Cancelled when the request was cancelled."""
        if self.cancelled.is_set():
            raise Cancelled("cancelled")


class Limited(Request):
    """Another request's work until `until`; the time that people take to answer does not count."""

    def __init__(self, request: Request, until: float) -> None:
        self.until = min(until, request.until)
        self.cancelled, self.for_people = request.cancelled, request.for_people
        self.emit = request.emit  # type: ignore[method-assign]
        self.cancel, self.on_cancel = request.cancel, request.on_cancel  # type: ignore[method-assign]
        self._request = request

    def ask(self, *about: Any, **more: Any) -> str:
        """Ask it, while the clock stands still."""
        began = time.monotonic()
        try:
            return self._request.ask(*about, **more)
        finally:
            self.until += time.monotonic() - began

    def check(self) -> None:
        """Raise Cancelled, and Unreachable (`host_silent`) when the time is over."""
        self._request.check()
        if time.monotonic() >= self.until:
            raise Unreachable("there was no answer in time", code="host_silent")


@contextlib.contextmanager
def limited(until: float) -> Iterator[Request]:
    """Give what is done here until `until` (`Deadline.at`), connecting too: `check` of current() knows of it."""
    request = Limited(current(), until)
    token = _current.set(request)
    try:
        yield request
    finally:
        _current.reset(token)


def nobody(message: str, flag: str) -> UsageError:
    """The error for a question when the program is not interactive."""
    said = f"not interactive: pass {flag}" if flag else "not interactive: run it on a terminal"
    return UsageError(said, f"the question was: {message}", code="cannot_ask", data={"flag": flag})


def current() -> Request:
    """The request that this thread serves; a silent one outside any."""
    try:
        return _current.get()
    except LookupError:
        request = Request()
        _current.set(request)
        return request


def serve_in_this_thread(request: Request) -> None:
    """Make `request` the current one here (threads that a command starts call it with the command's own)."""
    _current.set(request)
