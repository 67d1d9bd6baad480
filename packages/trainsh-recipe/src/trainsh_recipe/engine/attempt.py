"""One attempt of one step: what its action needs, and how it waits for a tool's answer."""

import threading
import time
from collections.abc import Callable
from typing import Any

from trainsh_base.errors import TimedOut, TrainError
from trainsh_base.system.units import format_duration
from trainsh_base.tool.peer import PeerLost
from trainsh_recipe.engine.run import Run
from trainsh_recipe.engine.signals import Leave
from trainsh_recipe.engine.tools import AnyPending, heal
from trainsh_recipe.plan.numbering import Numbered
from trainsh_recipe.store.step_log import StepLog


class Attempt:
    """The `number`th try of `step`; `resuming` when an earlier process began it."""

    def __init__(self, run: Run, step: Numbered, number: int, *, resuming: bool, since: int | None) -> None:
        self.run = run
        self.numbered = step
        self.number = number
        self.resuming = resuming
        self.since = since
        self.gone = False  # it was lost with its session
        self.began = time.monotonic()
        self.log = StepLog(run.job.log(step.file), run.secrets.values)
        self.pending: AnyPending | None = None
        self.stopped = threading.Event()
        self.stop_with: Callable[[], None] | None = None

    @property
    def name(self) -> str:
        """The identity of this attempt on a host: asking for it again never starts it twice."""
        return f"{self.numbered.file}-{self.number}"

    def ask(self, tool: str, method: str, params: dict[str, Any], limit: float | None = None) -> Any:
        """A request that may be repeated: sent while the journal is being synced, again when the tool dies."""
        return heal(self.run.tools, tool, lambda: self._once(tool, method, params, limit))

    def ask_once(self, tool: str, method: str, params: dict[str, Any], limit: float | None) -> Any:
        """A request that may not: on the disk before it is sent; when the tool dies, the job is left as it is."""
        self.run.journal.sync()
        try:
            return self._once(tool, method, params, limit)
        except PeerLost as error:
            raise Leave(1, f"{error.message}; whether {tool}.{method} took effect is not known") from None

    def _once(self, tool: str, method: str, params: dict[str, Any], limit: float | None) -> Any:
        self.pending = self.run.tools.start(tool, method, params, on_event=self._event)
        self.run.journal.sync()
        return self.wait(self.pending, limit)

    def wait(self, pending: AnyPending, limit: float | None = None) -> Any:
        """The answer; TimedOut after `limit` seconds, of which those spent on questions do not count."""
        asked, began = self.run.questions.seconds, time.monotonic()
        with self.run.signals.waiting():
            while True:
                left = None
                if limit is not None:
                    left = began + limit + self.run.questions.seconds - asked - time.monotonic()
                try:
                    return pending.result(None if left is None else max(0.0, left))
                except TimedOut:
                    if pending.ready:
                        raise
                    if self.run.questions.open or (left is not None and left > 0.05):
                        continue
                    pending.cancel()
                    raise TimedOut(f"timed out after {format_duration(limit or 0)}", code="step_timeout") from None
                except TrainError as error:
                    if error.code == "cancelled" and self.run.signals.leaving:
                        raise Leave(130, "the request was cancelled") from None
                    raise

    def pause(self, seconds: float) -> bool:
        """Wait; True when the attempt was stopped meanwhile."""
        with self.run.signals.waiting():
            self.stopped.wait(seconds)
        if self.stopped.is_set() and self.run.signals.leaving:
            raise Leave(130, "the request was cancelled")
        return self.stopped.is_set()

    def stop(self) -> None:
        """End what it does, as far as it can be ended."""
        self.stopped.set()
        if self.stop_with is not None:
            self.stop_with()
        elif self.pending is not None:
            self.pending.cancel()

    def abandon(self) -> None:
        """Stop waiting for it; what it started goes on."""
        self.stopped.set()
        if self.pending is not None:
            self.pending.cancel()

    def output(self, text: str) -> None:
        """Something that the step printed."""
        shown = self.log.feed(text)
        if shown:
            self.run.view.output(self.numbered, shown)

    def _event(self, event: dict[str, Any]) -> None:
        kind = event.get("kind")
        if kind == "output":
            self.output(str(event.get("data", "")))
        elif kind == "log":
            self.run.view.log(str(event.get("message", "")))
        elif kind == "progress":
            self.run.view.progress(self.numbered, event)
