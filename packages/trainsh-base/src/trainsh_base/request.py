"""The request that a command serves.

Through it, the command reports, asks questions, and learns of a cancellation.
"""

import contextlib
import contextvars
import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from trainsh_base.errors import Cancelled, Unreachable, UsageError

Item = TypeVar("Item")
Found = TypeVar("Found")
_current: contextvars.ContextVar["Request"] = contextvars.ContextVar("request")


class Request:
    """The interface through which a command reports and asks. Each face of a tool has a subclass.

    This base class reports nothing and cannot ask.
    """

    # Whether the command's output is printed on stdout as it comes. If not, only the answer is printed on stdout.
    for_people = False
    quiet = False  # whether the person asked for no progress and no notes (--quiet)
    # Time on time.monotonic() at which the current work for this request must end (see `limited`).
    until = math.inf
    # Whether the request was cancelled because its client has ended. Work on other machines may then continue.
    abandoned = False

    def __init__(self) -> None:
        self.cancelled = threading.Event()
        self._callbacks: list[Callable[[], None]] = []
        self._guard = threading.Lock()

    def emit(self, kind: str, **data: Any) -> None:
        """Report an event: `progress` {done, total, unit, message}, `output` {data} or `log` {message}."""

    def ask(
        self,
        kind: str,
        message: str,
        *,
        choices: list[str] | None = None,
        default: str | None = None,
        flag: str = "",
    ) -> str:
        """Ask a question (`choose`, `confirm`, `text`, `secret`) on the terminal. Return the answer as text.

        `confirm` returns "yes" or "no". Raises UsageError if not interactive; its hint names `flag`, the option
        that answers the question.
        """
        raise nobody(message, flag)

    def cancel(self) -> None:
        """Cancel the request: sets `cancelled` and runs the callbacks given to `on_cancel`."""
        with self._guard:
            self.cancelled.set()
            callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            with contextlib.suppress(Exception):  # a callback that fails must not prevent the others from running
                callback()

    def on_cancel(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` when the request is cancelled, or at once if it is cancelled already.

        Returns a function that removes `callback`, so that it is no longer called.
        """
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
    """A request that passes everything on to `request`, but must end at the time `until`.

    The time that people take to answer questions is not counted.
    """

    def __init__(self, request: Request, until: float) -> None:
        self.until = min(until, request.until)
        self.cancelled, self.for_people, self.quiet = request.cancelled, request.for_people, request.quiet
        self.emit = request.emit  # type: ignore[method-assign]
        self.cancel, self.on_cancel = request.cancel, request.on_cancel  # type: ignore[method-assign]
        self._request = request

    def ask(self, *about: Any, **more: Any) -> str:
        """Ask the question. Then move the deadline by the time that the answer took."""
        began = time.monotonic()
        try:
            return self._request.ask(*about, **more)
        finally:
            self.until += time.monotonic() - began

    def check(self) -> None:
        """Raise Cancelled when the request was cancelled, and Unreachable (`host_silent`) after the deadline."""
        self._request.check()
        if time.monotonic() >= self.until:
            raise Unreachable("there was no answer in time", code="host_silent")


@contextlib.contextmanager
def limited(until: float) -> Iterator[Request]:
    """Limit the work in this block to the time `until` (see `Deadline.at`).

    After that time, current().check() raises Unreachable.
    """
    request = Limited(current(), until)
    token = _current.set(request)
    try:
        yield request
    finally:
        _current.reset(token)


def nobody(message: str, flag: str) -> UsageError:
    """Return the error for a question that nobody can answer, because the program is not interactive."""
    said = f"not interactive: pass {flag}" if flag else "not interactive: run it on a terminal"
    return UsageError(said, f"the question was: {message}", code="cannot_ask", data={"flag": flag})


def current() -> Request:
    """Return the request that this thread serves. If it serves none, return a new request that reports nothing."""
    try:
        return _current.get()
    except LookupError:
        request = Request()
        _current.set(request)
        return request


def serve_in_this_thread(request: Request) -> None:
    """Make `request` the current request of this thread. A command calls this in the threads that it starts."""
    _current.set(request)


def side_by_side(items: Sequence[Item], work: Callable[[Item], Found]) -> list[Found]:
    """Call `work` with each item, in parallel threads that serve the caller's request.

    Returns the results in the order of `items`. If a call raises an exception, the exception is raised here, after
    all calls have ended.
    """
    request = current()
    found: dict[int, Found] = {}
    failed: list[Exception] = []

    def one(number: int) -> None:
        serve_in_this_thread(request)
        try:
            found[number] = work(items[number])
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=one, args=(number,), daemon=True) for number in range(len(items))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]
    return [found[number] for number in range(len(items))]
