"""Decides when the output of a step is complete although the log has not shown the step's end."""

import time

from trainsh_base.errors import Conflict, NotFound, RemoteError, TrainError
from trainsh_base.request import Request
from trainsh_base.system.deadline import Deadline
from trainsh_tmux.remote import session_scripts
from trainsh_tmux.session.live import Live, log_end
from trainsh_tmux.session.log_reader import LogReader

QUIET = 2.0  # seconds without new output after which the output counts as complete, once the status is known
LAST_WORDS = 0.5  # the same, once the session has ended
LAGS = 30.0  # the most seconds to wait for bytes that are in the host's log but have not arrived yet


def tell_missing(live: Live, step: str, request: Request) -> None:
    """Tell that output of a step may be missing, because the log of its session does not have the end of the step.

    If the program that writes the log has ended, it is started again.
    """
    try:
        answer = live.host.first(session_scripts.log_again(live.job, live.name), "none")
    except (TrainError, OSError):  # the status of the step is known, and the connection is not needed any more
        return
    if answer != "none":
        message = f"output of step {step} may be missing: the log of its session does not show its end"
        if answer == "restarted":
            message += "; the program that writes this log had ended, and was started again"
        request.emit("log", message=message)


class Settling:
    """Waits for the rest of the output, after the host has reported how the step ended."""

    def __init__(self, live: Live, reader: LogReader) -> None:
        self._live, self._reader = live, reader
        self._due = 0.0
        self._limit: Deadline | None = None

    def begin(self, seconds: float) -> None:
        """Begin to wait until the log has been silent for `seconds`."""
        self._due = time.monotonic() + seconds

    def left(self) -> float:
        """Return the seconds that are left until the log has been silent for long enough."""
        return self._due - time.monotonic()

    def complete(self) -> bool:
        """Return whether the log was read to its end, or LAGS seconds have passed.

        Otherwise begin to wait QUIET seconds more. Raises Unreachable, TimedOut, Cancelled.
        """
        self._limit = self._limit or Deadline.after(LAGS)
        position = self._reader.position
        if position is None or self._limit.expired:
            return True
        live = self._live
        try:
            if log_end(live.host, live.job, live.name) <= position:
                return True
        except (NotFound, Conflict, RemoteError):  # nothing more will come, because the session's files are gone
            return True
        self.begin(QUIET)
        return False
