"""Opens sessions before they are asked for: `prepare` opens one, and the request `open` then takes it.

A session that nobody takes is closed when this process ends, because no journal knows of it.
"""

import contextlib
import threading
import time

from trainsh_base.errors import TrainError
from trainsh_base.request import current, limited
from trainsh_base.system.deadline import Deadline
from trainsh_tmux.model import Session
from trainsh_tmux.remote import session_scripts
from trainsh_tmux.session.live import Live

CLOSING = 10.0  # seconds within which the sessions that nobody took are closed
LOOK_EVERY = 0.05
Key = tuple[str, str, str]  # host spec, job, name


class Opening:
    """A session that is being opened. `session` or `error` is set when `over` is set."""

    def __init__(self, live: Live) -> None:
        self.live = live
        self.over = threading.Event()
        self.session: Session | None = None
        self.error: Exception | None = None

    def run(self, start: str) -> None:
        """Open the session."""
        from trainsh_tmux.session.opening import open_session  # noqa: PLC0415 - loaded while the host's shell starts

        try:
            self.session = open_session(self.live, start)
        except Exception as error:  # `take` raises it in the request that asks for the session
            self.error = error
        finally:
            self.over.set()


class Ahead:
    """The sessions that were opened ahead and are not taken yet."""

    def __init__(self) -> None:
        self._openings: dict[Key, Opening] = {}
        self._asked: set[Key] = set()
        self._closed = False
        self._lock = threading.Lock()

    def open(self, live: Live, start: str) -> None:
        """Open a session ahead, unless it was asked for already. Errors are left to `take`."""
        opening = Opening(live)
        with self._lock:
            if self._closed or _key(live) in self._asked:
                return
            self._openings[_key(live)] = opening
        opening.run(start)

    def take(self, live: Live, *, fits: bool) -> Session | None:
        """Return the session if it was opened ahead. Return None if it must be opened now.

        Call this once for each `open`. If the session that was opened ahead does not fit, it is closed first.
        Raises the error of the opening, Cancelled.
        """
        with self._lock:
            self._asked.add(_key(live))
            opening = self._openings.pop(_key(live), None)
        if opening is None:
            return None
        while not opening.over.wait(LOOK_EVERY):
            current().check()
        if opening.error is not None:
            raise opening.error
        if not fits or opening.session is None:
            live.host.ask(session_scripts.close_session(live.job, live.name, snapshot=False))
            return None
        for note in opening.session.notes:
            current().emit("log", message=note)
        return opening.session

    def close(self) -> None:
        """Close the sessions that nobody took. A host that cannot be reached in time keeps its session."""
        with self._lock:
            self._closed = True
            openings, self._openings = list(self._openings.values()), {}
        deadline = Deadline.after(CLOSING)
        with limited(deadline.at):
            for opening in openings:
                # no Event.wait: a handler of a signal may raise an exception in the main thread (see serve.py)
                while not opening.over.is_set() and not deadline.expired:
                    time.sleep(0.005)
                live = opening.live
                # The host may have opened it even if the opening was cancelled here.
                if not live.host.lost:
                    with contextlib.suppress(TrainError):
                        live.host.ask(
                            session_scripts.close_session(live.job, live.name, snapshot=False, wait=False)
                        )


def _key(live: Live) -> Key:
    return live.host.spec, live.job, live.name
