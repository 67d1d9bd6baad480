"""Tells the user if a transfer makes no progress, because the service is silent or the network has stalled."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from trainsh_base.request import Limited, Request
from trainsh_base.system.units import format_duration
from trainsh_xfer.engines.rsync_output import Progress

# seconds without progress before the first message; the time before each further message is twice as long
QUIET = 10.0
LOOK_EVERY = 0.5


class Watched(Limited):
    """A request that counts every event, and every change of the progress, as movement.

    After QUIET seconds without movement, a message tells so. `what` is the name of the transfer in this message.
    """

    def __init__(self, request: Request, what: str) -> None:
        super().__init__(request, request.until)
        self.emit = self._emit  # type: ignore[method-assign]
        self._what = what
        self._since = time.monotonic()
        self._due = QUIET
        self._seen = (0, 0, 0)
        self._over = threading.Event()

    @property
    def abandoned(self) -> bool:  # type: ignore[override]
        """Whether the client has ended."""
        return self._request.abandoned

    def _emit(self, kind: str, **data: Any) -> None:
        if kind != "progress":
            self.moved()
        self._request.emit(kind, **data)

    def stepped(self, progress: Progress) -> None:
        """Count progress as movement if it has changed since the last call."""
        seen = (progress.done, progress.files, progress.looked)
        if seen != self._seen:
            self._seen = seen
            self.moved()

    def moved(self) -> None:
        """Record that something has moved."""
        self._since, self._due = time.monotonic(), QUIET

    def ask(self, *about: Any, **more: Any) -> str:
        """Ask a question. The time until the answer comes does not count as time without movement."""
        try:
            return super().ask(*about, **more)
        finally:
            self.moved()

    def watch(self) -> None:
        """Look for movement until `end` is called."""
        while not self._over.wait(LOOK_EVERY):
            still = time.monotonic() - self._since
            if still >= self._due and not self.cancelled.is_set():
                self._due *= 2
                message = f"{self._what}: nothing has moved for {format_duration(round(still))}; waiting"
                self._request.emit("log", message=message)

    def end(self) -> None:
        """Stop watching."""
        self._over.set()


@contextmanager
def watched(request: Request, what: str) -> Iterator[Watched]:
    """A request for the work in this block. A thread reports if nothing moves."""
    watched = Watched(request, what)
    thread = threading.Thread(target=watched.watch, daemon=True)
    thread.start()
    try:
        yield watched
    finally:
        watched.end()
        thread.join()
