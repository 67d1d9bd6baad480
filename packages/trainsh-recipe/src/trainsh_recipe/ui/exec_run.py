"""`train exec`: lines of the language run at once; their output is ours, and so is their exit status."""

import sys

from trainsh_base.errors import TrainError
from trainsh_base.request import current
from trainsh_recipe.engine.held_job import HeldJob
from trainsh_recipe.engine.outcome import Outcome
from trainsh_recipe.engine.view import View
from trainsh_recipe.store import jobs
from trainsh_recipe.store.state import State
from trainsh_recipe.ui import foreground as running
from trainsh_recipe.ui.json_lines import JsonLines
from trainsh_recipe.ui.raw_output import Output


def carry_out(begun: HeldJob) -> tuple[State, int]:
    """Run it; the state and the exit status. A failure that is no command's own is raised."""
    request = current()
    view: View = Output() if request.for_people else JsonLines(request)
    runner = running.make_runner(begun, view, running.to_command)
    state, status = running.carry_out(begun, runner)
    if state.status != "interrupted":
        running.over(begun.job, runner)
        left = any(session.open for session in state.sessions.values())
        jobs.set_mark(begun.job) if left else jobs.clear_mark(begun.job)
    if status == 1 and runner.failure is not None:
        status = exit_status(runner.failure)
    sys.stdout.flush()
    return state, status


def exit_status(failure: Outcome) -> int:
    """The command's own status; errors of ours are raised, for the boundary to show."""
    if failure.error is not None:
        raise failure.error
    if failure.status == "timeout":
        return 6
    if failure.status == "lost":
        raise TrainError(failure.reason or "the session is gone", code="lost")
    return failure.exit or 1
