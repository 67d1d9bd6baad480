"""Runs a job in the foreground: chooses the view, and handles every way in which the run can end."""

import contextlib
import os
import sys
from collections.abc import Callable

from trainsh_base.errors import EXIT_PIPE
from trainsh_base.request import Request, current
from trainsh_base.tool.faces.boundary import silence_stdout
from trainsh_recipe.engine import runner
from trainsh_recipe.engine.job.held_job import HeldJob
from trainsh_recipe.engine.outside.cancellation import Cancel, Leave
from trainsh_recipe.engine.outside.signals import LEFT_BY
from trainsh_recipe.engine.outside.view import View
from trainsh_recipe.engine.run import Run
from trainsh_recipe.engine.runner import Runner
from trainsh_recipe.store.state import State
from trainsh_recipe.ui.sleep_inhibitor import SleepInhibitor


def choose_view(request: Request, *, visual: bool, show_output: bool, watching: bool = False) -> View:
    """Return the live view on a terminal, else the view as lines.

    For programs, return the view as JSON events; with --quiet, the view of failures. `watching` means that another
    process runs the job.
    """
    if not request.for_people:
        from trainsh_recipe.ui.views.json_lines import JsonLines  # noqa: PLC0415 - one view is loaded

        return JsonLines(request)
    if request.quiet:
        from trainsh_recipe.ui.views.quiet import Quiet  # noqa: PLC0415 - as above

        return Quiet()
    if visual and sys.stdout.isatty() and sys.stderr.isatty() and os.environ.get("TERM", "dumb") != "dumb":
        from trainsh_recipe.ui.views.live import Live  # noqa: PLC0415 - as above

        return Live(watching=watching)
    from trainsh_recipe.ui.views.lines import Lines  # noqa: PLC0415 - as above

    return Lines(show_output=show_output)


def make_runner(held: HeldJob, view: View, on_interrupt: Callable[[Run], None]) -> Runner:
    """Make the runner of a job and start its tools."""
    made = runner.make(held.job, held.plan, held.state, held.journal, view, current(), on_interrupt)
    made.run.secrets.keep(held.secrets)
    made.run.meanwhile = lambda: _load_later(made)
    return made


def _load_later(at_work: Runner) -> None:
    """Load the modules that the run needs only later, while its first request is at work."""
    at_work.tries.load()
    import trainsh_recipe.engine.job.detach  # noqa: PLC0415 - see above
    import trainsh_recipe.ui.reports  # noqa: PLC0415
    import trainsh_recipe.ui.views.end_signal  # noqa: PLC0415
    import trainsh_recipe.ui.views.summary  # noqa: F401, PLC0415


def carry_out(held: HeldJob, at_work: Runner, cancel: Cancel | None = None) -> tuple[State, int]:
    """Run the job until it ends or is left. With `cancel`, end its steps, and run only `finally`.

    Returns its state and the exit status of this process. A closed pipe is not mentioned in a pipeline.
    """
    state, view, id = held.state, at_work.run.view, held.job.short_id
    if cancel:
        at_work.run.cancellation.accept(cancel)
    view.begin(state, at_work.run.numbers, held.name)
    inhibitor = SleepInhibitor(f"train is running {state.name}")
    inhibitor.start()
    try:
        at_work.to_end(cancel)
    except Leave as leave:
        view.close()
        _drop_unshown(at_work.run)
        if leave.background:
            from trainsh_recipe.engine.job import detach  # noqa: PLC0415 - few runs are detached so

            held.secrets = at_work.run.secrets
            pid = detach.give(held)
            say(f"job {id} continues in the background (process {pid}): train recipe watch {id}")
            return state, 0
        state.status, state.reason = "interrupted", leave.reason
        held.lock.release()
        if leave.status not in LEFT_BY.values() and leave.status != EXIT_PIPE:
            say(leave.reason)
        if leave.status != EXIT_PIPE or sys.stderr.isatty():
            say(f"job {id} is interrupted; to continue it: train recipe resume {id}")
        _say_billing(state)
        return state, leave.status
    except BaseException:
        view.close()
        _say_billing(state)
        raise
    finally:
        inhibitor.stop()
    view.close()
    held.lock.release()
    from trainsh_recipe.ui.views.end_signal import signal_end  # noqa: PLC0415 - loaded by `_load_later`
    from trainsh_recipe.ui.views.summary import ending  # noqa: PLC0415 - as above

    signal_end(f"train: {state.name}", ending(state), state.seconds)
    unshown = _drop_unshown(at_work.run)
    if unshown is not None and unshown.status != EXIT_PIPE:
        say(unshown.reason)
    if state.status == "ok":
        return state, unshown.status if unshown is not None else 0
    return state, at_work.cancelled_status if state.status == "cancelled" else 1


def _drop_unshown(run: Run) -> Leave | None:
    """Return why the output could not be shown, or None. The buffered rest is dropped if it cannot be written."""
    if run.unshown is not None:
        try:
            sys.stdout.flush()
        except OSError:
            silence_stdout()
    return run.unshown


def _say_billing(state: State) -> None:
    from trainsh_recipe.ui.views.summary import billing  # noqa: PLC0415 - it may be loaded already

    for line in billing(state):
        say(line)


def say(text: str) -> None:
    """Print a line for people on stderr."""
    from trainsh_base.tool.display import fitted  # noqa: PLC0415 - an exec says little

    with contextlib.suppress(OSError):
        sys.stdout.flush()
    with contextlib.suppress(OSError):
        print(fitted(text), file=sys.stderr, flush=True)
