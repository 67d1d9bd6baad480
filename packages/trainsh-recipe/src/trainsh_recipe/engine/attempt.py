"""One attempt of one step: sends its requests to tools and waits for the answers."""

import threading
import time
from collections.abc import Callable
from typing import Any

from trainsh_base.errors import TimedOut, TrainError
from trainsh_base.system.deadline import Deadline
from trainsh_base.system.step_numbers import attempt_name, in_recipe
from trainsh_base.system.units import format_duration
from trainsh_base.tool.peer import PeerLost
from trainsh_recipe.engine.outcome import HOPELESS, ours
from trainsh_recipe.engine.outside.cancellation import Cancel, Leave
from trainsh_recipe.engine.outside.tools import AnyPending
from trainsh_recipe.engine.run import Run
from trainsh_recipe.plan.numbering import Numbered
from trainsh_recipe.store.step_log import StepLog

DEATHS = 5  # a tool that dies this many times during one request is not asked again
PAUSE = 0.5  # seconds before a request is repeated, if train and not the command caused its failure


class Attempt:
    """One attempt of `step`; `number` counts from 1. `resuming` means that an earlier process began the attempt."""

    def __init__(self, run: Run, step: Numbered, number: int, *, resuming: bool, since: int | None) -> None:
        self.numbered = step
        self.number = number
        self.resuming = resuming
        self.since = since
        self.gone = False  # the attempt's session no longer exists
        # True for a step of `finally` that releases a machine: a Cancel does not end this step
        self.keeps_on = False
        self.began = time.monotonic()
        self.seconds_before = 0.0  # from the attempt's start until this process took it up
        self._asked = run.questions.seconds
        self.log = StepLog(run.job.log(step.file), run.secrets.values)
        self.pending: AnyPending | None = None
        self.stop_with: Callable[[], object] | None = None
        # called with an offset when the output before it is in the step's log
        self.reached_offset: Callable[[int], object] | None = None
        # what `stop_with` returned; for a command, this is the request that ends the command
        self.stopping: object = None
        self._run = run
        self._stopped = threading.Event()

    @property
    def name(self) -> str:
        """The attempt's id on a host, under which train-tmux starts a command only once."""
        return attempt_name(self.numbered.id, self.number)

    def for_people(self, text: str) -> str:
        """Return the text with each step's id on hosts replaced by the number of the step in the recipe."""
        return in_recipe(text).removeprefix(f"step {self.numbered.id} is lost: ")

    @property
    def reached(self) -> bool:
        """Whether the job has already reached all hosts of the step."""
        return self._run.sessions.reached(self.numbered)

    @property
    def seconds(self) -> float:
        """The seconds since the attempt began, in whatever process, without the time that questions took."""
        here = max(0.0, time.monotonic() - self.began - (self._run.questions.seconds - self._asked))
        return self.seconds_before + here

    @property
    def earlier(self) -> list[str]:
        """The ids of the step's earlier attempts."""
        return [attempt_name(self.numbered.id, number) for number in range(1, self.number)]

    def ask(
        self, tool: str, method: str, params: dict[str, Any], limit: float | None = None, *, patience: float = 0.0
    ) -> Any:
        """Send a request that may be repeated, and return the answer.

        If the tool dies, it is started and asked again. The journal is synced to disk while the tool works on the
        request. For `patience` seconds, the request is also repeated after a failure that train caused (see
        `outcome.ours`).
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
        """Sync the journal, send a request that must not be repeated, and return the answer.

        Raises Leave if the tool dies.
        """
        self._run.journal.sync()
        try:
            return self._once(tool, method, params, limit)
        except PeerLost as error:
            raise Leave(1, f"{error.message}; it is not known whether {tool}.{method} took effect") from None

    def _once(self, tool: str, method: str, params: dict[str, Any], limit: float | None) -> Any:
        cancellation = self._run.cancellation
        if not self.numbered.closing or cancellation.leaving:
            cancellation.check()
        self.pending = self._run.tools.start(tool, method, params, on_event=self._event)
        if cancellation.leaving:  # a Leave was requested after the check above
            self.abandon()
        elif cancellation.wanted and not self.numbered.closing:
            self.stop()
        self._run.journal.sync()
        self._run.load_later()
        return self.wait(self.pending, limit)

    def wait(self, pending: AnyPending, limit: float | None = None) -> Any:
        """Wait for the answer.

        Raises TimedOut after `limit` seconds; the time of questions to the person is not counted.
        """
        while True:
            try:
                return self._wait(pending, limit)
            except Cancel:
                if not self.keeps_on:
                    raise
                self._run.view.log(
                    "already cancelled: waiting for the step that releases the machine; to leave: Ctrl-C, then p"
                )

    def _wait(self, pending: AnyPending, limit: float | None) -> Any:
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
        """Wait for `seconds`, and return whether the attempt was stopped meanwhile. Raises Leave."""
        with self._run.signals.waiting():
            self._stopped.wait(seconds)
        leaving = self._run.cancellation.leaving
        if leaving is not None:
            raise leaving
        return self._stopped.is_set()

    def stop(self) -> None:
        """End the work of this attempt, as far as possible."""
        self._stopped.set()
        if self.stop_with is not None:
            self.stopping = self.stop_with()
        elif self.pending is not None:
            self.pending.cancel()

    def abandon(self) -> None:
        """Stop waiting for the attempt. What the attempt has started on hosts continues."""
        self._stopped.set()
        if self.pending is not None:
            self.pending.cancel()

    def output(self, text: str) -> None:
        """Write output of the step to its log, and show it."""
        shown = self.log.feed(text)
        if shown:
            self._run.view.output(self.numbered, shown)

    def sync(self) -> None:
        """Sync the journal to disk. Steps that send no request call this."""
        self._run.journal.sync()

    def _event(self, event: dict[str, Any]) -> None:
        kind = event.get("kind")
        if kind == "output":
            self.output(str(event.get("data", "")))
            if self.reached_offset is not None and isinstance(event.get("end"), int):
                self.reached_offset(event["end"])
        elif kind == "log":
            self._run.view.log(self.for_people(str(event.get("message", ""))))
        elif kind == "progress":
            self._run.view.progress(self.numbered, event)
