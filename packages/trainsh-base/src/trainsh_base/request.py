"""The request that a command is serving: how it reports progress, asks, and learns that it is cancelled."""

import contextlib
import contextvars
import threading
from collections.abc import Callable
from typing import Any

from trainsh_base.errors import Cancelled, UsageError

_current: contextvars.ContextVar["Request"] = contextvars.ContextVar("request")


class Request:
    """What every face offers a running command. This base class reports nothing and cannot ask."""

    # Whether standard output shows what the command prints as it comes (else the answer alone is wanted there).
    for_people = False

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
