"""Runs a job: its steps in order, then `finally`, then the end."""

import contextlib
import threading
import time
from collections.abc import Callable
from typing import Any

from trainsh_base.errors import TrainError
from trainsh_base.request import Request, serve_in_this_thread
from trainsh_base.system.deadline import Deadline
from trainsh_base.tool.peer import Pending
from trainsh_recipe.engine.attempt import Attempt
from trainsh_recipe.engine.outcome import Outcome
from trainsh_recipe.engine.outside.cancellation import Cancel, Leave
from trainsh_recipe.engine.outside.questions import Questions
from trainsh_recipe.engine.outside.tools import Tools
from trainsh_recipe.engine.outside.view import View
from trainsh_recipe.engine.resuming.ground import Ground
from trainsh_recipe.engine.run import Run
from trainsh_recipe.engine.tries import Tries
from trainsh_recipe.plan.document import Execute, Parallel, Plan
from trainsh_recipe.plan.numbering import Numbered
from trainsh_recipe.store import jobs
from trainsh_recipe.store.journal import Journal, Silent, seconds_of
from trainsh_recipe.store.state import State
from trainsh_recipe.store.words import ended

STOP_LIMIT = 40.0  # seconds that a cancelled step may take to end, in addition to its grace
RELEASE_LIMIT = 10.0


class Runner:
    """Runs the steps of a job. `ground` checks whether finished steps still have their effect."""

    def __init__(
        self, job: jobs.Job, document: Plan, state: State, journal: Journal | Silent, *, view: View,
        request: Request, on_interrupt: Callable[[Run], None], tools: Tools, questions: Questions,
    ) -> None:  # fmt: skip
        self.run = Run(
            job, document, state, journal, view=view, questions=questions, tools=tools, on_interrupt=on_interrupt
        )
        self.request = request
        self.leave_sessions = self._release  # called at the end for the sessions that are still open
        self.tries = Tries(self.run, self._reopened, self._release)
        self.ground = Ground(self.run, self.tries.machines)

    def _reopened(self, session: str) -> None:
        self.ground.reopened(session)

    @property
    def cancelled_status(self) -> int:
        """The exit status of a cancelled run."""
        accepted = self.run.cancellation.accepted
        return accepted.status if accepted else 1

    # The whole run

    def to_end(self, cancel: Cancel | None = None) -> State:
        """Run the job to its end. With `cancel`, end interrupted steps, and then run only `finally`.

        Raises Leave if the runner has to end before the job.
        """
        run = self.run
        run.cancellation.watch(self._wake)
        self.request.on_cancel(lambda: run.cancellation.request(Leave(130, "the request was cancelled")))
        try:
            with run.signals.installed():
                run.limits.start()
                status = self._cancel_left(cancel) if cancel else run.state.closing
                status = status or ("failed" if run.state.failing else self._main())
                self._finally(status)
        except Leave as leave:
            with run.lock, contextlib.suppress(OSError):  # without this event, too, the job is interrupted
                run.record("job.left", reason=leave.reason)
                run.journal.close()
            raise
        except OSError as error:  # the journal cannot be written, so no step may begin
            from trainsh_base.tool.faces.bug_reports import as_failure  # noqa: PLC0415 - disks are rarely full

            raise Leave(5, as_failure(error, "train-recipe").message) from error
        finally:
            run.limits.stop()
        return run.state

    def _wake(self) -> None:
        """Act on a request to end the run.

        After a Leave, the attempts stop waiting, and commands on hosts continue. After a Cancel, the attempts are
        ended.
        """
        leaving = self.run.cancellation.leaving is not None
        for at in self.tries.flying():
            if leaving:
                at.abandon()
            elif not at.numbered.closing:
                with contextlib.suppress(TrainError):
                    at.stop()

    def _main(self) -> str:
        try:
            for step in self.run.steps:
                if not self._step(step):
                    return "failed"
        except Cancel as cancel:
            return self._cancel(cancel)
        return "ok"

    def _finally(self, status: str) -> None:
        run = self.run
        if run.cancellation.cancelling and not run.cancellation.accepted:  # requested after the last step
            run.cancellation.accept(run.cancellation.cancelling)
            status = "cancelled"
        accepted = run.cancellation.accepted
        reason = accepted.reason if accepted else ""
        if not run.state.closing:
            self.ground.settle()
            if status == "failed":
                self._hold()
            run.record("finally.started", status=status, reason=reason)
        run.values.status = status
        well = True
        for step in run.closing:
            try:
                well = self._step(step) and well
            except Cancel as cancel:
                self._cancel(cancel)
                well = False
        self.leave_sessions()
        if status == "ok" and not well:
            status, reason = "failed", reason or "a step of finally failed"
        if status == "failed" and not reason:
            reason = self._why()
        more: dict[str, Any] = {"from": self.ground.foreseen()} if status == "failed" else {}
        run.record(
            "job.finished", status=status, reason=reason, seconds=round(run.state.active, 3),
            **{key: value for key, value in more.items() if value},
        )  # fmt: skip
        run.journal.close()
        if status != "failed":
            jobs.clear_mark(run.job)
        run.view.end(run.state)

    def _hold(self) -> None:
        """Keep the machines of the failed job for the longest `hold=` of its renting verbs."""
        seconds, hosts = self.tries.held_by()
        if seconds and hosts:
            self.tries.gate.after_failure(seconds, hosts)

    def _why(self) -> str:
        """Return the reason of the step that made the job fail, in this process or an earlier one."""
        for step in self.run.state.steps.values():
            if not step.closing and step.status not in ("running", "again") and not step.done:
                return f"step {step.id} {ended(step.status, step.reason)}"
        return ""

    def _release(self) -> None:
        """Turn sessions that are still open into ordinary shells, so that a person can use them."""
        run, pending = self.run, []
        for session in run.state.sessions.values():
            if session.open and session.host_name not in run.state.stopped:
                with contextlib.suppress(TrainError):
                    pending.append(run.tools.start("tmux", "release", run.sessions.params(session.name)))
        deadline = Deadline.after(RELEASE_LIMIT)
        for each in pending:
            with contextlib.suppress(TrainError), run.signals.waiting():
                each.result(deadline.left())

    # Cancelling

    def _cancel(self, cancel: Cancel) -> str:
        """End the running steps. If Ctrl-C is pressed again meanwhile, leave the job."""
        self.run.cancellation.accept(cancel)
        flying = self.tries.flying()
        for at in flying:
            with contextlib.suppress(TrainError):
                at.stop()
        for at in flying:
            unknown = self._await_end(at)
            self.tries.finish(at, Outcome(status="cancelled", reason=cancel.reason + unknown, seconds=at.seconds))
        return "cancelled"

    def _await_end(self, at: Attempt) -> str:
        """Wait until a stopped step has ended.

        Returns "", or a note if its host does not say whether it has ended.
        """
        limit = STOP_LIMIT + self._grace(at.numbered)
        with self.run.signals.waiting():
            try:
                if isinstance(at.stopping, Pending) and not (at.pending and at.pending.ready):
                    at.stopping.result(limit)
            except TrainError as error:
                if at.pending is None or not at.pending.ready:
                    return self._not_known(at, error)
            with contextlib.suppress(TrainError):
                if at.pending is not None:
                    at.pending.result(limit)
        return ""

    def _not_known(self, at: Attempt, error: TrainError) -> str:
        note = f"it is not known whether step {at.numbered.id} has ended on its host: {error.message}"
        self.run.view.log(note)
        return f"; {note}"

    def _cancel_left(self, cancel: Cancel) -> str:
        """End the steps that an earlier process left running on hosts."""
        run = self.run
        run.cancellation.accept(cancel)
        for each in run.numbers:
            step = run.state.steps.get(each.id)
            if step is None or step.over or isinstance(each.step, Parallel):
                continue
            at, unknown = Attempt(run, each, step.attempt, resuming=True, since=step.since), ""
            if isinstance(each.step, Execute):
                grace = run.values.seconds(each.step.options.grace)
                try:
                    pending = run.sessions.interrupt(each.step.session, at.name, grace)
                    pending.result(STOP_LIMIT + self._grace(each))
                except TrainError as error:
                    unknown = self._not_known(at, error)
            took = max(0.0, time.time() - seconds_of(step.started))
            self.tries.record_end(at, Outcome(status="cancelled", reason=cancel.reason + unknown, seconds=took))
        return "cancelled"

    def _grace(self, step: Numbered) -> float:
        with contextlib.suppress(TrainError):
            if isinstance(step.step, Execute):
                return self.run.values.seconds(step.step.options.grace) or self.run.values.default("tmux.grace")
        return 0.0

    # One step

    def _step(self, step: Numbered) -> bool:
        """Run the step, unless it is done and its effect still exists. Returns whether the run may continue."""
        if not step.closing or self.run.cancellation.leaving:
            self.run.cancellation.check()
        if isinstance(step.step, Parallel):
            return self._parallel(step)
        if not step.closing:
            self.ground.look(step)
        before = self.run.state.steps.get(step.id)
        if before is not None and before.done and not step.closing:
            if step.id in self.ground.repeated():
                return self.tries.all(step, before.attempt + 1)
            self.ground.tell_changed(step)
            return True
        stop = self.ground.stops(step)
        if stop is not None:
            return self.tries.refuse(step, before.attempt if before else 1, stop)
        if before is None or (step.closing and before.round != self.run.state.round):
            return self.tries.all(step, (before.attempt if before else 0) + 1)
        if before.done:
            return True
        retry_lost = self.run.state.options.retry_lost
        if not before.over or (before.status == "lost" and not retry_lost):
            return self.tries.all(step, before.attempt, resuming=True)
        return self.tries.all(step, before.attempt + 1)

    def _parallel(self, step: Numbered) -> bool:
        """Run all steps of a block at once, and wait for all of them. Returns False if one failed."""
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
            with self.run.signals.waiting():
                waiting.acquire()
        if problems:
            raise problems[0]
        return all(results.values())


def make(
    job: jobs.Job, document: Plan, state: State, journal: Journal | Silent, view: View, request: Request,
    on_interrupt: Callable[[Run], None],
) -> Runner:  # fmt: skip
    """Make the runner of a job and start its tools."""
    questions = Questions(request, view)
    runner = Runner(
        job, document, state, journal, view=view, request=request, on_interrupt=on_interrupt,
        tools=Tools(job.folder, questions.ask, cwd=state.cwd), questions=questions,
    )  # fmt: skip
    runner.run.tools.prepare([*runner.run.steps, *runner.run.closing])
    return runner
