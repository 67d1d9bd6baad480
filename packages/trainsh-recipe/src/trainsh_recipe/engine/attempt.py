"""One attempt of one step: how it asks a tool and waits for the answer."""

import threading
import time
from collections.abc import Callable
from typing import Any

from trainsh_base.errors import TimedOut, TrainError
from trainsh_base.system.deadline import Deadline
from trainsh_base.system.units import format_duration
from trainsh_base.tool.peer import PeerLost
from trainsh_recipe.engine.outcome import HOPELESS, ours
from trainsh_recipe.engine.outside.cancellation import Leave
from trainsh_recipe.engine.outside.tools import AnyPending
from trainsh_recipe.engine.run import Run
from trainsh_recipe.plan.numbering import Numbered
from trainsh_recipe.store.step_log import StepLog

DEATHS = 5  # a tool that dies so often during one request is not asked again
PAUSE = 0.5  # seconds before a request is repeated that failed on our side


class Attempt:
    """The `number`th try of `step`; `resuming` when an earlier process began it."""

    def __init__(self, run: Run, step: Numbered, number: int, *, resuming: bool, since: int | None) -> None:
        self.numbered = step
        self.number = number
        self.resuming = resuming
        self.since = since
        self.gone = False  # it was lost with its session
        self.began = time.monotonic()
        self.log = StepLog(run.job.log(step.file), run.secrets.values)
        self.pending: AnyPending | None = None
        self.stop_with: Callable[[], object] | None = None
        self._run = run
        self._stopped = threading.Event()

    @property
    def name(self) -> str:
        """The identity of this attempt on a host: asking for it again never starts it twice."""
        return f"{self.numbered.file}-{self.number}"

    @property
    def reached(self) -> bool:
        """Whether the job has reached the step's hosts before."""
        return self._run.sessions.reached(self.numbered)

    @property
    def earlier(self) -> list[str]:
        """The identities of the attempts before this one."""
        return [f"{self.numbered.file}-{number}" for number in range(1, self.number)]

    def ask(
        self, tool: str, method: str, params: dict[str, Any], limit: float | None = None, *, patience: float = 0.0
    ) -> Any:
        """A request that may be repeated: sent while the journal is synced, again when the tool dies.

        For `patience` seconds it is also repeated when the failure was ours (`outcome.ours`).
        """
        deaths, deadline = 0, Deadline.after(patience)
        while True:
            try:
                return self._once(tool, method, params, limit)
            except PeerLost:
                self._run.tools.forget(tool)
                deaths += 1
                if deaths >= DEATHS:
                    raise
            except TrainError as error:
                if not ours(error) or error.code in HOPELESS or deadline.expired:
                    raise
                self.pause(deadline.within(PAUSE))
                if deadline.expired:
                    raise

    def ask_once(self, tool: str, method: str, params: dict[str, Any], limit: float | None) -> Any:
        """A request that may not be repeated: on the disk before it is sent. When the tool dies: Leave."""
        self._run.journal.sync()
        try:
            return self._once(tool, method, params, limit)
        except PeerLost as error:
            raise Leave(1, f"{error.message}; whether {tool}.{method} took effect is not known") from None

    def _once(self, tool: str, method: str, params: dict[str, Any], limit: float | None) -> Any:
        self._run.cancellation.check()
        self.pending = self._run.tools.start(tool, method, params, on_event=self._event)
        self._run.journal.sync()
        return self.wait(self.pending, limit)

    def wait(self, pending: AnyPending, limit: float | None = None) -> Any:
        """The answer; TimedOut after `limit` seconds, of which those spent on questions do not count."""
        questions = self._run.questions
        asked, began = questions.seconds, time.monotonic()
        with self._run.signals.waiting():
            while True:
                left = None
                if limit is not None:
                    left = began + limit + questions.seconds - asked - time.monotonic()
                try:
                    return pending.result(None if left is None else max(0.0, left))
                except TimedOut:
                    if pending.ready:
                        raise
                    if questions.open or (left is not None and left > 0.05):
                        continue
                    pending.cancel()
                    raise TimedOut(f"timed out after {format_duration(limit or 0)}", code="step_timeout") from None
                except TrainError as error:
                    if error.code == "cancelled":
                        self._run.cancellation.check()
                    raise

    def pause(self, seconds: float) -> bool:
        """Wait; True when the attempt was stopped meanwhile. Raises Leave."""
        with self._run.signals.waiting():
            self._stopped.wait(seconds)
        leaving = self._run.cancellation.leaving
        if leaving is not None:
            raise leaving
        return self._stopped.is_set()

    def stop(self) -> None:
        """End what it does, as far as it can be ended."""
        self._stopped.set()
        if self.stop_with is not None:
            self.stop_with()
        elif self.pending is not None:
            self.pending.cancel()

    def abandon(self) -> None:
        """Stop waiting for it; what it started goes on."""
        self._stopped.set()
        if self.pending is not None:
            self.pending.cancel()

    def output(self, text: str) -> None:
        """Something that the step printed."""
        shown = self.log.feed(text)
        if shown:
            self._run.view.output(self.numbered, shown)

    def sync(self) -> None:
        """Have the journal on the disk: for steps that ask no tool."""
        self._run.journal.sync()

    def _event(self, event: dict[str, Any]) -> None:
        kind = event.get("kind")
        if kind == "output":
            self.output(str(event.get("data", "")))
        elif kind == "log":
            self._run.view.log(str(event.get("message", "")))
        elif kind == "progress":
            self._run.view.progress(self.numbered, event)
