"""The run of a job: its steps in order, each journaled before and after, then `finally`, then the end."""

import contextlib
import threading
from collections.abc import Callable
from typing import Any

from trainsh_base.errors import TrainError
from trainsh_base.request import Request, serve_in_this_thread
from trainsh_base.system.units import format_duration
from trainsh_recipe.engine import actions
from trainsh_recipe.engine.attempt import Attempt
from trainsh_recipe.engine.outcome import Outcome
from trainsh_recipe.engine.questions import Questions
from trainsh_recipe.engine.run import Run
from trainsh_recipe.engine.signals import Cancel, Leave
from trainsh_recipe.engine.tools import Tools
from trainsh_recipe.engine.view import View
from trainsh_recipe.plan.document import Execute, Parallel, Plan, Wait
from trainsh_recipe.plan.numbering import Numbered
from trainsh_recipe.store import jobs
from trainsh_recipe.store.journal import Journal, Silent
from trainsh_recipe.store.state import State

RETRY_DELAY = 1.0  # seconds before the first retry, where the step says nothing; doubles each time
STOP_LIMIT = 40.0  # seconds in which a cancelled step has to end
RELEASE_LIMIT = 10.0


class Runner(Run):
    """Does the steps of a run.

    `repeat` are the finished steps that only ensure a state and are done again; `retry_lost` runs lost steps
    again.
    """

    def __init__(
        self, job: jobs.Job, document: Plan, state: State, journal: Journal | Silent, *, view: View,
        request: Request, on_interrupt: Callable[["Runner"], None], tools: Tools, questions: Questions,
    ) -> None:  # fmt: skip
        super().__init__(
            job, document, state, journal, view=view, questions=questions, tools=tools,
            on_interrupt=lambda: on_interrupt(self),
        )  # fmt: skip
        self.request = request
        self.repeat: set[str] = set()
        self.retry_lost = False
        self.failure: Outcome | None = None
        self.flying: dict[str, Attempt] = {}
        self._cancelled: Cancel | None = None

    @property
    def cancelled_status(self) -> int:
        """The exit status that a cancelled run ends with."""
        return self._cancelled.status if self._cancelled else 1

    # The whole

    def run(self, max_time: float | None = None, cancel: Cancel | None = None) -> State:
        """Run to the end; with `cancel` only end what was left running, and run `finally`.

        Raises Leave when the runner is to end before the job does.
        """
        self.request.on_cancel(self._request_cancelled)
        try:
            with self.signals.installed(max_time):
                status = self._cancel_left(cancel) if cancel else self.state.closing
                status = status or ("failed" if self.state.failing else self._main())
                self._finally(status)
        except Leave as leave:
            self._left(leave)
            raise
        return self.state

    def _main(self) -> str:
        try:
            for step in self.steps:
                if not self._step(step):
                    return "failed"
        except Cancel as cancel:
            return self._cancel(cancel)
        return "ok"

    def _finally(self, status: str) -> None:
        reason = self._cancelled.reason if self._cancelled else ""
        if not self.state.closing:
            self.record("finally.started", status=status, reason=reason)
        self.values.status = status
        well = True
        for step in self.closing:
            try:
                well = self._step(step) and well
            except Cancel as cancel:
                self._cancel(cancel)
                well = False
        self._release()
        if status == "ok" and not well:
            status, reason = "failed", reason or "a step of finally failed"
        seconds = self.state.active
        if status == "failed" and not reason:
            reason = self._why()
        self.record("job.finished", status=status, reason=reason, seconds=round(seconds, 3))
        self.journal.close()
        if status != "failed":
            jobs.clear_mark(self.job)
        self.view.end(self.state)

    def _why(self) -> str:
        """What the step said that made the job fail, in this process or in the one before."""
        for step in self.state.steps.values():
            if not step.closing and step.over and not step.done and step.status != "again":
                return f"step {step.id} {step.status}: {step.reason}".split("\n")[0].rstrip(": ")
        return ""

    def _release(self) -> None:
        """Sessions that are still open become ordinary shells, in which a person can look."""
        pending = []
        for session in self.state.sessions.values():
            if session.open and session.host_name not in self.state.stopped:
                params = {"session": session.name, "host": session.host, "job": self.job.id}
                with contextlib.suppress(TrainError):
                    pending.append(self.tools.start("tmux", "release", params))
        for each in pending:
            with contextlib.suppress(TrainError), self.signals.waiting():
                each.result(RELEASE_LIMIT)

    def _left(self, leave: Leave) -> None:
        with self.lock:
            self.record("job.left", reason=leave.reason)
            self.journal.close()

    def _request_cancelled(self) -> None:
        """The program that asked for this run wants it no more: leave, as Ctrl-C without a terminal does."""
        self.signals.leaving = True
        for at in list(self.flying.values()):
            at.abandon()

    def _cancel(self, cancel: Cancel) -> str:
        """End what is running; a second Ctrl-C meanwhile leaves."""
        self._cancelled = cancel
        with self.lock:
            flying = list(self.flying.values())
        for at in flying:
            with contextlib.suppress(TrainError):
                at.stop()
        for at in flying:
            with contextlib.suppress(TrainError), self.signals.waiting():
                if at.pending is not None:
                    at.pending.result(STOP_LIMIT)
        for at in flying:
            with self.lock:
                left = self.flying.pop(at.numbered.id, None)
            if left is not None:
                self._finished(at, Outcome(status="cancelled", reason=cancel.reason), allowed=False, final=False)
        return "cancelled"

    def _cancel_left(self, cancel: Cancel) -> str:
        """End what an earlier process left running on hosts."""
        self._cancelled = cancel
        for each in self.numbers:
            step = self.state.steps.get(each.id)
            if step is None or step.over or isinstance(each.step, Parallel):
                continue
            at = Attempt(self, each, step.attempt, resuming=True, since=step.since)
            if isinstance(each.step, Execute):
                with contextlib.suppress(TrainError):
                    actions.interrupt(at, each.step.session, wait=STOP_LIMIT)
            self._finished(at, Outcome(status="cancelled", reason=cancel.reason), allowed=False, final=False)
        return "cancelled"

    # One step

    def _step(self, step: Numbered) -> bool:
        if isinstance(step.step, Parallel):
            return self._parallel(step)
        before = self.state.steps.get(step.id)
        current = before is not None and (not step.closing or before.round == self.state.round)
        if before is None or not current:
            return self._tries(step, (before.attempt if before else 0) + 1, resuming=False)
        if before.done and step.id not in self.repeat:
            return True
        if before.status == "lost" and not self.retry_lost:
            return self._tries(step, before.attempt, resuming=True)
        if not before.over:
            return self._tries(step, before.attempt, resuming=True)
        return self._tries(step, before.attempt + 1, resuming=False)

    def _tries(self, step: Numbered, number: int, *, resuming: bool) -> bool:
        """Attempts until one goes well or none is left; whether the run may go on."""
        try:
            left = self.values.count(step.step.options.retry)
            delay = self.values.seconds(step.step.options.retry_delay) or RETRY_DELAY
            allowed = self.values.truth(step.step.options.allow_fail)
        except TrainError as error:
            left, delay, allowed = 0, 0.0, False
            self.view.log(error.message)
        while True:
            outcome = self._attempt(step, number, resuming=resuming, final=left <= 0, allowed=allowed)
            if outcome.ok:
                return True
            if left <= 0 or self._cancelled or outcome.status == "cancelled":
                break
            self.view.log(
                f"step {step.id} failed ({outcome.reason.split(chr(10))[0]}); again in {format_duration(delay)}"
            )
            if self._pause(delay):
                break
            left, delay, number, resuming = left - 1, delay * 2, number + 1, False
        if not step.closing and not allowed and self.failure is None:
            self.failure = outcome
        self.view.failed(step, outcome, allowed)
        return allowed and outcome.status != "cancelled"

    def _attempt(self, step: Numbered, number: int, *, resuming: bool, final: bool, allowed: bool) -> Outcome:
        if self._cancelled and not step.closing:
            return Outcome(status="cancelled", reason=self._cancelled.reason)
        before = self.state.steps.get(step.id)
        since = before.since if resuming and before else self._since(step)
        at = Attempt(self, step, number, resuming=resuming, since=since)
        at.gone = resuming and before is not None and before.gone
        session = getattr(step.step, "session", "")
        with self.lock:
            self.flying[step.id] = at
        about: dict[str, Any] = {"session": session, "closing": step.closing, "resumed": resuming}
        data = {key: value for key, value in about.items() if value}
        if since is not None:
            data["since"] = since
        self.record(
            "step.started", step=step.id, kind=step.step.kind, text=step.step.text, line=step.step.span.line,
            attempt=number, **data,
        )  # fmt: skip
        outcome = actions.carry_out(at)
        with self.lock:
            if self._cancelled and not step.closing and not outcome.ok:
                outcome.status = "cancelled"
            mine = self.flying.pop(step.id, None)
        if mine is not None:
            self._finished(at, outcome, allowed=allowed, final=final)
        return outcome

    def _since(self, step: Numbered) -> int | None:
        """Where in the session's log a step cannot have begun before, or a pattern is looked for from."""
        session = self.state.sessions.get(getattr(step.step, "session", ""))
        if session is None:
            return None
        if isinstance(step.step, Wait):
            return session.since() if step.step.condition == "pattern" else None
        return session.end if isinstance(step.step, Execute) else None

    def _finished(self, at: Attempt, outcome: Outcome, *, allowed: bool, final: bool) -> None:
        shown = at.log.finish()
        if shown:
            self.view.output(at.numbered, shown)
        if not outcome.ok:
            outcome.tail = outcome.tail or at.log.tail()
        outcome.reason = self.masked(outcome.reason)
        known = {key: getattr(outcome, key) for key in ("exit", "offset", "end")}
        data: dict[str, Any] = {key: value for key, value in known.items() if value is not None}
        if outcome.reason:
            data["reason"] = outcome.reason
        if allowed:
            data["allowed"] = True
        if outcome.status == "lost" and (outcome.error is None or outcome.error.code != "host_lost"):
            data["gone"] = True
        if final and not outcome.ok and not allowed and not at.numbered.closing:
            data["final"] = True
        session = getattr(at.numbered.step, "session", "")
        if session:
            data["session"] = session
        self.record(
            "step.finished", step=at.numbered.id, attempt=at.number, status=outcome.status,
            seconds=round(outcome.seconds, 3), bytes=outcome.bytes or at.log.bytes, **data, **outcome.more,
        )  # fmt: skip

    def _pause(self, seconds: float) -> bool:
        """Between two attempts; whether the run was cancelled meanwhile."""
        with self.signals.waiting():
            deadline = threading.Event()
            deadline.wait(seconds)
        return self._cancelled is not None

    # A block

    def _parallel(self, step: Numbered) -> bool:
        """All at once; it fails when one fails, after all have ended."""
        results: dict[str, bool] = {}
        problems: list[BaseException] = []
        waiting = threading.Semaphore(0)

        def work(child: Numbered) -> None:
            serve_in_this_thread(self.request)
            try:
                results[child.id] = self._step(child)
            except BaseException as problem:
                problems.append(problem)
            finally:
                waiting.release()

        for child in step.children:
            threading.Thread(target=work, args=(child,), daemon=True).start()
        for _ in step.children:
            with self.signals.waiting():
                waiting.acquire()
        if problems:
            raise problems[0]
        return all(results.values())
