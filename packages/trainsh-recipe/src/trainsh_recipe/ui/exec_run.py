"""Runs the lines of `train exec`, prints the output of their commands, and exits with their exit status."""

import contextlib
import signal
import sys

from msgspec import structs

from trainsh_base.errors import EXIT_INTERRUPTED, TrainError
from trainsh_base.request import Request, current
from trainsh_base.system.deadline import Deadline
from trainsh_recipe import prestart
from trainsh_recipe.engine.job import held_job, source
from trainsh_recipe.engine.job.held_job import HeldJob
from trainsh_recipe.engine.outcome import Outcome
from trainsh_recipe.engine.outside.cancellation import Cancel
from trainsh_recipe.engine.outside.tools import AnyPending
from trainsh_recipe.engine.outside.view import View
from trainsh_recipe.engine.run import Run
from trainsh_recipe.model import JobReport
from trainsh_recipe.store import jobs
from trainsh_recipe.store.options import Overrides, RunOptions
from trainsh_recipe.store.state import SessionState, State
from trainsh_recipe.ui import foreground

ANSWER_LIMIT = 10.0  # seconds within which each host must answer that it closes the sessions


def run(text: str, overrides: Overrides) -> tuple[JobReport, int]:
    """Run lines of the language. Returns the report of their job, and the exit status."""
    lines = source.Source(text=text.encode(), file="", name="exec", exec_=True)
    parsed = source.parse(lines, overrides)
    source.fill_storages(parsed.plan, overrides)
    held = held_job.begin(lines, parsed, RunOptions(overrides=overrides))
    jobs.set_exec_mark(held.job)
    state, status = carry_out(held)
    jobs.prune_exec()
    # these modules were loaded while the first request was at work
    from trainsh_recipe.ui import reports  # noqa: PLC0415

    if prestart.loaded:
        from trainsh_base.system.configuration.config import config_value  # noqa: PLC0415

        prestart.leave_spares(config_value("exec.spare_time") or 0.0)
    report = reports.job_report(held.job, state)
    return report if current().for_people else structs.replace(report, output=_output(held.job, state)), status


def _output(job: jobs.Job, state: State) -> str:
    from trainsh_recipe.ui import logs  # noqa: PLC0415 - a person has seen the output already

    found = (report for report in logs.reports(job, state, None) if state.steps[report.step].kind == "execute")
    return "".join(logs.text(report, logs.Selection()) for report in found)


def carry_out(held: HeldJob) -> tuple[State, int]:
    """Run the job, and return its state and the exit status. Raises errors that are not a command's own failure."""
    request = current()
    view = _view(request)
    interrupt = Interrupt()
    runner = foreground.make_runner(held, view, interrupt.pass_on)
    runner.leave_sessions = lambda: over(runner.run)
    state, status = foreground.carry_out(held, runner)
    if state.status != "interrupted":
        left = any(session.open for session in state.sessions.values())
        jobs.set_mark(held.job) if left else jobs.clear_mark(held.job)
    if status == 1 and runner.tries.failure is not None:
        status = exit_status(runner.tries.failure)
    if status == EXIT_INTERRUPTED and interrupt.passed:
        status = -signal.SIGINT  # this also ends a script or a loop that runs this command
    sys.stdout.flush()
    return state, status


def _view(request: Request) -> View:
    if request.for_people:
        from trainsh_recipe.ui.views.raw_output import Output  # noqa: PLC0415 - one view is loaded

        return Output()
    from trainsh_recipe.ui.views.json_lines import JsonLines  # noqa: PLC0415 - as above

    return JsonLines(request)


def exit_status(failure: Outcome) -> int:
    """Return the command's exit status. If train and not the command failed, raise the error instead."""
    if failure.error is not None and failure.exit is None:
        raise failure.error
    if failure.status == "timeout":
        return 6
    if failure.status == "lost":
        raise TrainError(failure.reason or "the session is gone", code="lost")
    return failure.exit or 1


class Interrupt:
    """Handles Ctrl-C in `exec`. `passed` is true if a Ctrl-C was passed to a command."""

    def __init__(self) -> None:
        self.passed = False

    def pass_on(self, run: Run) -> None:
        """Pass Ctrl-C to the running command, or cancel the job if no command runs."""
        steps = [step for step in run.state.steps.values() if step.status == "running" and step.kind == "execute"]
        if not steps:
            raise Cancel("interrupted", EXIT_INTERRUPTED)
        self.passed = True
        for step in steps:
            with contextlib.suppress(TrainError):
                params = {**run.sessions.params(step.session), "text": "C-c", "keys": True}
                run.tools.start("tmux", "send", params)


def over(run: Run) -> None:
    """Close the sessions at the end of an `exec`. The hosts do so in the background.

    A session in which a background command was left becomes an ordinary shell.
    """
    asked = [(session, _ask_end(run, session)) for session in run.state.sessions.values() if session.open]
    deadline = Deadline.after(ANSWER_LIMIT)
    for session, pending in asked:
        if session.left:
            foreground.say(
                f"the command still runs in session {session.name}: train recipe attach {run.job.short_id}"
            )
        # Ctrl-C ends only the wait, because the commands have ended.
        with contextlib.suppress(TrainError, Cancel), run.signals.waiting():
            if pending is not None:
                done = pending.result(deadline.left())["done"]
                if not session.left:
                    run.record("session", session=session.name, state="closing" if done == "closing" else "closed")


def _ask_end(run: Run, session: SessionState) -> AnyPending | None:
    params = run.sessions.params(session.name)
    try:
        if session.left:
            return run.tools.start("tmux", "release", params)
        # An exec is not resumed, so it needs no snapshot.
        return run.tools.start("tmux", "close", {**params, "snapshot": False, "wait": False})
    except TrainError:
        return None
