"""Whether a run is to end early: one object, which every step, every pause and `finally` look at."""

import threading
from collections.abc import Callable


class Leave(BaseException):
    """The runner ends; what runs on hosts goes on, `finally` does not run. `status` is our exit status."""

    def __init__(self, status: int, reason: str, background: bool = False) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.background = background


class Cancel(BaseException):
    """The job is to end now, with `finally`."""

    def __init__(self, reason: str, status: int = 1) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status


class Cancellation:
    """Asked for from any thread, by `request`; met by `check` and `pause`, which raise it.

    A Leave stays wanted. A Cancel is met once: from `accept` on `finally` runs, and another request stops that.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wanted: Leave | Cancel | None = None
        self._event = threading.Event()
        self._watchers: list[Callable[[], None]] = []
        self.accepted: Cancel | None = None

    def request(self, wanted: Leave | Cancel) -> None:
        """Ask for the end of the run; a Leave wins over a Cancel."""
        with self._lock:
            if not isinstance(self._wanted, Leave):
                self._wanted = wanted
            self._event.set()
            watchers = list(self._watchers)
        for watcher in watchers:
            watcher()

    def watch(self, watcher: Callable[[], None]) -> None:
        """Call `watcher` when the end is asked for: it wakes who waits for something else."""
        with self._lock:
            self._watchers.append(watcher)

    def accept(self, cancel: Cancel) -> None:
        """`finally` comes now: the request is met."""
        with self._lock:
            self.accepted = cancel
            if not isinstance(self._wanted, Leave):
                self._wanted = None
                self._event.set()  # wakes the threads that pause between two attempts: they read `accepted`
                self._event = threading.Event()

    @property
    def leaving(self) -> Leave | None:
        """The Leave that is wanted."""
        wanted = self._wanted
        return wanted if isinstance(wanted, Leave) else None

    def check(self) -> None:
        """Raise what is wanted."""
        wanted = self._wanted
        if wanted is not None:
            raise wanted

    def pause(self, seconds: float) -> None:
        """Wait; returns early when the end is asked for or was accepted."""
        self._event.wait(seconds)
