"""A request to end the run early. Every step, every pause and `finally` check one object for it."""

import threading
from collections.abc import Callable


class Leave(BaseException):
    """The runner ends with the exit status `status`. Commands on hosts continue, and `finally` does not run."""

    def __init__(self, status: int, reason: str, background: bool = False) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.background = background


class Cancel(BaseException):
    """The job ends early, and `finally` runs."""

    def __init__(self, reason: str, status: int = 1) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status


class Cancellation:
    """Holds the request to end the run. Any thread may make it with `request`. `check` raises it.

    A Leave is raised by every `check`. A Cancel is raised until it is accepted with `accept`; then `finally` runs.
    Another request after that stops `finally`.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wanted: Leave | Cancel | None = None
        self._event = threading.Event()
        self._watchers: list[Callable[[], None]] = []
        self.accepted: Cancel | None = None

    def request(self, wanted: Leave | Cancel) -> None:
        """Request the end of the run. A Leave replaces a Cancel that was requested before."""
        with self._lock:
            if not isinstance(self._wanted, Leave):
                self._wanted = wanted
            self._event.set()
            watchers = list(self._watchers)
        for watcher in watchers:
            watcher()

    def watch(self, watcher: Callable[[], None]) -> None:
        """Register a function that is called on each request. It wakes threads that wait for something else."""
        with self._lock:
            self._watchers.append(watcher)

    def accept(self, cancel: Cancel) -> None:
        """Accept the Cancel, so that it is no longer raised and `finally` can run."""
        with self._lock:
            self.accepted = cancel
            if not isinstance(self._wanted, Leave):
                self._wanted = None
                self._event.set()  # wakes the threads that pause between two attempts; they then read `accepted`
                self._event = threading.Event()

    @property
    def leaving(self) -> Leave | None:
        """The requested Leave, or None."""
        wanted = self._wanted
        return wanted if isinstance(wanted, Leave) else None

    @property
    def wanted(self) -> bool:
        """Whether the end of the run was requested and this request was not accepted yet."""
        return self._wanted is not None

    @property
    def cancelling(self) -> Cancel | None:
        """The Cancel that was requested or accepted, or None."""
        return self._wanted if isinstance(self._wanted, Cancel) else self.accepted

    def check(self) -> None:
        """Raise the request, if there is one."""
        wanted = self._wanted
        if wanted is not None:
            raise wanted

    def pause(self, seconds: float) -> None:
        """Wait for `seconds`, or less if the end of the run is requested or accepted meanwhile."""
        self._event.wait(seconds)
