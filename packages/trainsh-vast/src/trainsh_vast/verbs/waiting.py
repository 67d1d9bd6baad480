"""Carries out `wait`. Waits until an instance runs and accepts an ssh login, or until it certainly never will."""

import time
from typing import Any

from trainsh_base.errors import Conflict, NotFound, RemoteError, TimedOut, TrainError, Unreachable
from trainsh_base.remote.target import Target
from trainsh_base.request import current
from trainsh_base.system.deadline import Deadline
from trainsh_base.system.units import format_duration
from trainsh_vast.api.service import Row, Service
from trainsh_vast.rented import endpoint, login, states
from trainsh_vast.verbs import keys
from trainsh_vast.verbs import states as changing

# The first command of a login. After it, later logins start without a tmux session.
HELLO = "touch ~/.no_auto_tmux"
LOGIN = 20.0  # seconds within which one attempt must end


class Waiting:
    """One wait for one instance."""

    def __init__(self, service: Service, number: int, deadline: Deadline, poll: float) -> None:
        self.service = service
        self.number = number
        self.deadline = deadline
        self.poll = poll
        self._attached = False
        self._bad_since: float | None = None
        self._said = ""
        self._row: Row = {}

    def run(self) -> tuple[Row, Target]:
        """The row of the instance, and the target that answered.

        Raises TimedOut, or Conflict for an instance that will not run.
        """
        pause = 1.0
        while True:
            why = self._why_not_yet()
            if isinstance(why, Target):
                return self._row, why
            self._say(why)
            if self.deadline.expired:
                raise TimedOut(
                    f"instance {self.number} was not ready in time: {why}",
                    f"see: train vast logs {self.number}\n"
                    f"it still costs money; to stop it: train vast stop {self.number}",
                    code="not_ready",
                    data={"id": self.number},
                )
            # The first pauses are shorter: most instances that were only stopped run again within seconds.
            pause = min(self.poll, pause * 2)
            current().cancelled.wait(self.deadline.within(pause))
            current().check()

    def _say(self, why: str) -> None:
        if why != self._said:
            self._said = why
            current().emit("log", message=f"instance {self.number}: {why}")

    def _why_not_yet(self) -> str | Target:
        try:
            row = self.service.instance(self.number)
        except (RemoteError, Unreachable) as error:
            return error.message
        if row is None:
            raise NotFound(f"instance {self.number} is gone", "see: train vast list", code="no_instance")
        self._row = row
        found = states.condition(row)
        if found.state in ("stopped", "stopping"):
            raise Conflict(
                f"instance {self.number} is stopped{_because(found.problem)}: it was not started, was outbid, its "
                "offer has ended, or the account has no credit",
                f"start it: train vast start {self.number}",
                code="stopped",
                data={"id": self.number},
            )
        if found.state == "failed":
            return self._failed(found)
        self._bad_since = None
        if found.state != "running":
            return found.problem or f"it is {row.get('actual_status') or 'being created'}"
        return self._log_in(row)

    def _failed(self, found: states.Condition) -> str:
        """Raise Conflict if this state has lasted as long as its `patience`.

        Otherwise return the reason to continue to wait.
        """
        now = time.monotonic()
        self._bad_since = self._bad_since or now
        if now - self._bad_since >= found.patience:
            raise Conflict(
                f"instance {self.number} will not run: {found.problem}",
                f"it still costs money; to give it back: train vast destroy {self.number}",
                code="never_ready",
                data={"id": self.number},
            )
        return f"it is {self._row.get('actual_status')}; waiting for it to recover"

    def _log_in(self, row: Row) -> str | Target:
        """The target that accepts a login. If none does, the last error.

        The direct address is tried before the proxy.
        """
        said = "it runs, but has no ssh address yet"
        for point in endpoint.points(row):
            target = endpoint.target(self.number, point)
            problem = login.run(target, HELLO, timeout=LOGIN)
            if not problem:
                return target
            said = f"it runs, but ssh ({point.way}) fails: {problem}"
            if "permission denied" in problem.lower() and not self._attached:
                self._attached = True
                self._attach()
        return said

    def _attach(self) -> None:
        try:
            keys.attach(self.service, self.number, None)
        except TrainError as error:
            current().emit("log", message=f"the ssh key could not be attached: {error.message}")


def _because(problem: str) -> str:
    return f" ({problem})" if problem else ""


def wait(
    service: Service, number: int, *, timeout: float, poll: float, stop_on_fail: bool, stop_timeout: float = 300
) -> tuple[Row, Target]:
    """Wait until an instance accepts a login. With `stop_on_fail`, stop the instance if the wait fails."""
    started: Any = time.monotonic()
    try:
        found = Waiting(service, number, Deadline.after(timeout), poll).run()
    except (TimedOut, Conflict) as error:
        if not stop_on_fail:
            raise
        changing.stop(service, number, stop_timeout)
        hint = f"it was stopped, but its disk costs money; to delete the disk: train vast destroy {number}"
        raise type(error)(error.message, hint, code=error.code, data=error.data) from None
    took = format_duration(time.monotonic() - started)
    current().emit("log", message=f"instance {number} is ready after {took}")
    return found
