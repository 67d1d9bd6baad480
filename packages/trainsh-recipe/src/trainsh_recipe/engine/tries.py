"""Makes the attempts of a step: writes each start and end to the journal, and retries failures as `retry` says."""

import contextlib
import os
import time
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

from trainsh_base.errors import TrainError
from trainsh_base.system.printable import printable
from trainsh_base.system.units import format_duration
from trainsh_recipe.engine.attempt import Attempt
from trainsh_recipe.engine.executors.session import SessionExecutor
from trainsh_recipe.engine.machines import Machines
from trainsh_recipe.engine.outcome import Outcome, of_error, ours
from trainsh_recipe.engine.outside.cancellation import Cancel, Leave
from trainsh_recipe.engine.run import Run
from trainsh_recipe.plan.document import AnyStep, Control, Execute, Parallel, Sleep, Transfer, Wait
from trainsh_recipe.plan.numbering import Numbered
from trainsh_recipe.store.journal import seconds_of

if TYPE_CHECKING:
    from trainsh_recipe.engine.executors.verb import VerbExecutor
    from trainsh_recipe.engine.gate import Gate

RETRY_DELAY = 1.0  # seconds before the first retry if there is no `retry_delay`; each later delay is twice as long


class Tries:
    """Runs steps. `reopened` is called if a session has a new shell.

    `release` turns sessions into ordinary shells.
    """

    def __init__(self, run: Run, reopened: Callable[[str], None], release: Callable[[], None]) -> None:
        self.run = run
        self.failure: Outcome | None = None
        self.machines = Machines(run.state, run.job.id, run.tools, run.record)
        self._flying: dict[str, Attempt] = {}
        self._release = release
        self._sessions = SessionExecutor(
            run.values, run.sessions, run.state, run.fresh, run.view, run.record, reopened, run.resumable_after
        )

    # The modules of the executors are loaded when a step needs them. Two threads may make an executor at the same
    # time; this is harmless, because executors keep nothing.

    @cached_property
    def gate(self) -> "Gate":
        """What keeps machines after a failure, and until required outputs have arrived."""
        from trainsh_recipe.engine.gate import Gate  # noqa: PLC0415 - for rented machines only

        return Gate(self.run, self.machines, self.again, self._release)

    @cached_property
    def _verbs(self) -> "VerbExecutor":
        from trainsh_recipe.engine.executors.verb import VerbExecutor  # noqa: PLC0415 - see above

        run = self.run
        return VerbExecutor(
            run.values, run.state, run.tools, run.numbers, run.view, run.record, run.limits,
            self.gate.before_release,
        )  # fmt: skip

    def _executor(self, step: AnyStep) -> Any:
        """Return what runs a step."""
        run = self.run
        if isinstance(step, Control):
            return self._sessions if step.tool == "tmux" and step.verb in ("open", "close") else self._verbs
        if isinstance(step, Execute):
            from trainsh_recipe.engine.executors.command import CommandExecutor  # noqa: PLC0415 - see above

            return CommandExecutor(run.values, run.sessions, run.fresh, run.capture)
        if isinstance(step, Wait):
            from trainsh_recipe.engine.executors.waiting import WaitExecutor  # noqa: PLC0415 - see above

            return WaitExecutor(run.values, run.sessions, run.numbers, run.job.shown)
        if isinstance(step, Transfer):
            from trainsh_recipe.engine.executors.copying import TransferExecutor  # noqa: PLC0415 - see above

            return TransferExecutor(run.values, run.state.cwd, run.view, self.machines)
        if isinstance(step, Sleep):
            from trainsh_recipe.engine.executors.sleeping import SleepExecutor  # noqa: PLC0415 - see above

            return SleepExecutor(run.values, run.state)
        from trainsh_recipe.engine.executors.notifying import NotifyExecutor  # noqa: PLC0415 - see above

        title = f"train: {run.state.name}"
        return NotifyExecutor(run.values, title, run.job.folder, run.view, run.masked, run.record)

    def load(self) -> None:
        """Load the modules that the steps of the job need.

        For a recipe, nothing is left for later, because it may run for days, and train may be upgraded meanwhile.
        """
        import trainsh_base.system.configuration.config  # noqa: F401, PLC0415 - commands have a default timeout

        for each in self.run.numbers:
            if not isinstance(each.step, Parallel):
                self._executor(each.step)
        if self.run.state.kind == "recipe":
            import trainsh_recipe.engine.resuming.shell_state  # noqa: F401, PLC0415 - see above

            _ = self._verbs

    def flying(self) -> list[Attempt]:
        """Return the attempts in progress."""
        with self.run.lock:
            return list(self._flying.values())

    def all(self, step: Numbered, number: int, *, resuming: bool = False) -> bool:
        """Make attempts from `number` on until one succeeds or no retry is left.

        Returns whether the run may continue.
        """
        run = self.run
        try:
            left = run.values.count(step.step.options.retry)
            delay = run.values.seconds(step.step.options.retry_delay) or RETRY_DELAY
            allowed = run.values.truth(step.step.options.allow_fail)
        except TrainError as error:
            left, delay, allowed = 0, 0.0, False
            run.view.log(error.message)
        while True:
            outcome = self._attempt(step, number, resuming=resuming, final=left <= 0, allowed=allowed)
            if outcome.ok:
                return True
            if left <= 0 or run.cancellation.accepted or not outcome.again:
                break
            reason = outcome.reason.split("\n")[0]
            run.view.log(f"step {step.id} failed ({reason}); trying again in {format_duration(delay)}")
            if self._pause(step, delay):
                break
            left, delay, number, resuming = left - 1, delay * 2, number + 1, False
        return self._given_up(step, outcome, allowed)

    def held_by(self) -> tuple[float, list[str]]:
        """Return (the longest `hold` in seconds, the hosts that are not stopped yet) of the finished steps that
        rent machines.
        """
        return self._verbs.held_by()

    def again(self, step: Numbered, number: int) -> bool:
        """Try a step again while another step waits for it. A Cancel ends the attempt and is then raised."""
        try:
            return self._attempt(step, number, resuming=False, final=True, allowed=False).ok
        except Cancel as cancel:
            for at in self.flying():
                if at.numbered is step:
                    at.stop()
                    self.finish(at, Outcome(status="cancelled", reason=cancel.reason, seconds=at.seconds))
            raise

    def _given_up(self, step: Numbered, outcome: Outcome, allowed: bool) -> bool:
        forgiven = allowed and outcome.forgiven and outcome.status != "cancelled"
        if not step.closing and not forgiven and self.failure is None:
            self.failure = outcome
        self.run.view.failed(step, outcome, forgiven)
        return forgiven

    def refuse(self, step: Numbered, number: int, outcome: Outcome) -> bool:
        """Record `outcome` for a step without running the step. Returns whether the run may continue."""
        at = Attempt(self.run, step, number, resuming=True, since=None)
        self._record_start(step, number, resuming=False, since=None)
        self.record_end(at, outcome, final=True)
        return self._given_up(step, outcome, False)

    def _pause(self, step: Numbered, seconds: float) -> bool:
        """Wait between two attempts. Returns whether the run was cancelled meanwhile. Raises Leave and Cancel."""
        cancellation = self.run.cancellation
        with self.run.signals.waiting():
            cancellation.pause(seconds)
        if not step.closing or cancellation.leaving:
            cancellation.check()
        return cancellation.accepted is not None

    def _attempt(self, step: Numbered, number: int, *, resuming: bool, final: bool, allowed: bool) -> Outcome:
        run = self.run
        accepted = run.cancellation.accepted
        if accepted and not step.closing:
            return Outcome(status="cancelled", reason=accepted.reason)
        before = run.state.steps.get(step.id)
        since = before.since if resuming and before else self._since(step)
        at = Attempt(run, step, number, resuming=resuming, since=since)
        if resuming and before:
            at.gone = before.gone
            at.seconds_before = max(0.0, time.time() - seconds_of(before.started)) if before.started else 0.0
        with run.lock:
            self._flying[step.id] = at
        self._record_start(step, number, resuming=resuming, since=since)
        outcome = self._carry_out(at)
        if outcome.status == "interrupted":
            return self._interrupted(at, outcome)
        self.finish(at, outcome, allowed=allowed and outcome.forgiven, final=final or not outcome.again)
        if outcome.status == "cancelled" and not step.closing:
            run.cancellation.check()
        return outcome

    def _record_start(self, step: Numbered, number: int, *, resuming: bool, since: int | None) -> None:
        before = self.run.state.steps.get(step.id)
        about = self._place(step, resuming, since)
        if before is not None and before.done and not resuming:
            about["repeated"] = True  # the previous attempt of the step succeeded
        written = self.run.job.log(step.file)
        if before is not None and os.path.exists(written):  # noqa: PTH110 - `train exec` does without pathlib
            about["log"] = os.path.getsize(written)  # noqa: PTH202
        self.run.record(
            "step.started", step=step.id, kind=step.step.kind, text=step.step.text, line=step.step.span.line,
            attempt=number, **about,
        )  # fmt: skip

    def _place(self, step: Numbered, resuming: bool, since: int | None) -> dict[str, Any]:
        """Return the session, machine and node (see hello.sh) of the step, if they are known when the step
        starts.
        """
        name = getattr(step.step, "session", "")
        session = self.run.sessions.get(name)
        about: dict[str, Any] = {"session": name, "closing": step.closing, "resumed": resuming}
        if isinstance(step.step, Execute | Wait) and session is not None:
            about |= {"token": session.token, "machine": session.machine, "node": session.node}
        if isinstance(step.step, Execute):
            about["background"] = step.step.background
        data = {key: value for key, value in about.items() if value}
        return data if since is None else data | {"since": since}

    def _carry_out(self, at: Attempt) -> Outcome:
        """Run the step. Every exception except Leave and Cancel becomes an outcome, so that `finally` runs."""
        step = at.numbered.step
        try:
            outcome: Outcome = self._executor(step).run(at, step)
        except TrainError as error:
            outcome = of_error(error)
            if error.code == "peer_lost" or (ours(error) and (at.reached or isinstance(step, Execute | Wait))):
                outcome.status = "interrupted"
        except Exception as error:
            from trainsh_base.tool.faces.bug_reports import as_failure  # noqa: PLC0415 - a bug is rare

            failure = as_failure(error, "train-recipe")
            outcome = of_error(failure)
            outcome.own = False
            if failure.code == "no_space" and isinstance(step, Execute | Wait):  # the command on its host continues
                outcome.status = "interrupted"
        outcome.seconds = at.seconds
        if outcome.reason:
            outcome.reason = printable(at.for_people(outcome.reason))
        cancelling = self.run.cancellation.cancelling
        if cancelling and not at.numbered.closing and not outcome.ok:
            outcome.status, outcome.reason = "cancelled", cancelling.reason
        return outcome

    def _interrupted(self, at: Attempt, outcome: Outcome) -> Outcome:
        """Handle a failure that train caused and that lasted until the step's time was over.

        Raises Leave, unless a machine costs money, the step belongs to `finally`, or the job is an `exec`. In these
        cases the run continues, and `outcome` is returned with the status "unknown", so that a resume first asks
        the host how the step ended.
        """
        reason = outcome.reason.split("\n")[0]
        state = self.run.state
        if state.kind == "recipe" and not at.numbered.closing and not state.billing():
            with self.run.lock:
                self._flying.pop(at.numbered.id, None)
            with contextlib.suppress(OSError):  # the disk may be full; a resume reads the output again
                shown = at.log.finish()
                if shown:
                    self.run.view.output(at.numbered, shown)
            status = outcome.error.exit_status if outcome.error and outcome.error.code == "no_space" else 1
            raise Leave(status, f"step {at.numbered.id} is interrupted: {reason}")
        outcome.status = "unknown"
        self.finish(at, outcome, final=True)
        return outcome

    def _since(self, step: Numbered) -> int | None:
        """Return the offset in the session's log at which the search for the step's output or a pattern begins."""
        session = self.run.sessions.get(getattr(step.step, "session", ""))
        if session is None:
            return None
        if isinstance(step.step, Wait):
            return session.since() if step.step.condition == "pattern" else None
        return session.end if isinstance(step.step, Execute) else None

    def finish(self, at: Attempt, outcome: Outcome, *, allowed: bool = False, final: bool = False) -> None:
        """Record the end of an attempt, unless another thread has already recorded it."""
        with self.run.lock:
            mine = self._flying.pop(at.numbered.id, None)
        if mine is not None:
            self.record_end(at, outcome, allowed=allowed, final=final)

    def record_end(self, at: Attempt, outcome: Outcome, *, allowed: bool = False, final: bool = False) -> None:
        """Record the end of an attempt."""
        run = self.run
        shown = at.log.finish()
        if shown:
            run.view.output(at.numbered, shown)
        if not outcome.ok:
            outcome.tail = outcome.tail or at.log.tail()
        outcome.reason = run.masked(outcome.reason)
        known = {key: getattr(outcome, key) for key in ("exit", "offset", "end")}
        data: dict[str, Any] = {key: value for key, value in known.items() if value is not None}
        if outcome.reason:
            data["reason"] = outcome.reason
        if allowed:
            data["allowed"] = True
        if outcome.status == "lost":
            data["gone"] = True
        if final and not outcome.ok and not allowed and not at.numbered.closing and outcome.status != "cancelled":
            data["final"] = True
        session = getattr(at.numbered.step, "session", "")
        if session:
            data["session"] = session
        run.record(
            "step.finished", step=at.numbered.id, attempt=at.number, status=outcome.status,
            seconds=round(outcome.seconds, 3), bytes=outcome.bytes or at.log.bytes, **data, **outcome.more,
        )  # fmt: skip
