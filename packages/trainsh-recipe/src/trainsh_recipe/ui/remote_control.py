"""What commands do with jobs that other processes run: choose, watch, attach, abandon, cancel."""

import time
from pathlib import Path

from trainsh_base.errors import Conflict, Exit, NotFound, TimedOut
from trainsh_base.request import current
from trainsh_base.tool.declare import Handover
from trainsh_base.tool.peer import ANSWER_LIMIT, call
from trainsh_recipe.engine.job import taking_up
from trainsh_recipe.engine.job.source import Source, parse
from trainsh_recipe.engine.outside import signals
from trainsh_recipe.engine.outside.cancellation import Cancel
from trainsh_recipe.engine.outside.view import View
from trainsh_recipe.model import JobReport
from trainsh_recipe.plan import numbering
from trainsh_recipe.store import finding, jobs
from trainsh_recipe.store.state import State
from trainsh_recipe.ui import foreground, reports
from trainsh_recipe.ui.interrupt_menu import menu
from trainsh_recipe.ui.watching import watch_job

CANCEL_LIMIT = 120.0  # seconds within which the runner must end its step and run `finally`, if no machine is kept


def choose(word: str | None) -> jobs.Job:
    """Return the job that `word` names; if it is None, the newest running job, else the newest that is not over.

    Raises NotFound if there is no such job.
    """
    if word is not None:
        return finding.find(word)
    open_jobs = jobs.open_jobs()
    if not open_jobs:
        raise NotFound("no job is running", "see: train recipe jobs", code="no_job")
    return next((job for job in open_jobs if jobs.holder(job) is not None), open_jobs[0])


def watch(job: jobs.Job, view: View) -> State:
    """Show the job until its runner ends, and return its state."""
    state = job.state()
    source = Source(
        text=Path(job.recipe).read_bytes(), file="" if state.kind == "exec" else job.recipe, name=state.name,
        exec_=state.kind == "exec",
    )  # fmt: skip
    document = parse(source, state.overrides).plan
    return watch_job(job, numbering.all_of(document), view, state.file or state.name)


def show(job: jobs.Job, *, visual: bool, show_output: bool) -> JobReport:
    """Show the job until its runner ends, and return its report."""
    view = foreground.choose_view(current(), visual=visual, show_output=show_output, watching=True)
    try:
        state = watch(job, view)
    except KeyboardInterrupt:
        view.close()
        if jobs.holder(job) is not None:
            foreground.say(f"job {job.short_id} continues; to watch it again: train recipe watch {job.short_id}")
        raise
    finally:
        view.close()
    return reports.job_report(job, state)


def attach(job: jobs.Job, name: str | None) -> Handover:
    """Return the argv that attaches the terminal to a session of the job: the running step's, else the newest."""
    state = job.state()
    there = [session for session in state.sessions.values() if session.open]
    if name is not None:
        there = [session for session in there if session.name == name]
    if not there:
        opened = ", ".join(state.sessions) or "none"
        raise NotFound(
            f"job {job.short_id} has no open session{f' {name!r}' if name else ''}",
            f"it opened {opened}",
            code="no_session",
        )
    running_in = {step.session for step in state.steps.values() if step.status == "running"}
    session = next((each for each in there if each.name in running_in), there[-1])
    asked = {"session": session.name, "host": session.host, "job": job.id}
    answer = call("tmux", "attach", asked, timeout=ANSWER_LIMIT)
    return Handover(argv=answer["argv"], env=answer.get("env") or {})


def abandon(word: str | None) -> jobs.Job:
    """Give up the required outputs of a job that is not over.

    A file tells this to the job's runner, or to its next one.
    """
    job = choose(word)
    state = job.state()
    if state.status not in ("running", "interrupted"):
        raise Conflict(f"job {job.short_id} keeps no machine: it is {state.status}", code="not_running")
    Path(job.abandoned).touch(mode=0o600)
    return job


def cancel(word: str | None, *, abandon: bool = False) -> jobs.Job:
    """Cancel the job that `word` names; if it is None, the newest running job. Raises NotFound if there is none.

    A live runner gets a signal. An interrupted job has no runner, so this process ends its steps and runs
    `finally`. With `abandon`, no machine is kept for a required output.
    """
    job = finding.find(word) if word is not None else _running()
    if abandon:
        Path(job.abandoned).touch(mode=0o600)
    who = jobs.holder(job)
    if who is not None:
        _tell(job, *who)
        return job
    state = job.state()
    if not state.started or state.status != "interrupted":
        raise Conflict(f"job {job.short_id} is not running: it is {state.status}", code="not_running")
    held = taking_up.take_up(job, state, taking_up.Wanted())
    view = foreground.choose_view(current(), visual=False, show_output=False)
    runner = foreground.make_runner(held, view, menu)
    state, status = foreground.carry_out(held, runner, Cancel("cancelled"))
    if state.status != "cancelled":
        raise Exit(status)
    return job


def _running() -> jobs.Job:
    open_jobs = jobs.open_jobs()
    found = next((job for job in open_jobs if jobs.holder(job) is not None), None)
    if found is not None:
        return found
    left = next((job for job in open_jobs if job.state().status == "interrupted"), None)
    hint = f"job {left.short_id} is interrupted; to cancel it: train recipe cancel {left.short_id}" if left else ""
    raise NotFound("no job is running", hint or "see: train recipe jobs", code="no_job")


def _tell(job: jobs.Job, pid: int, host: str, since: str) -> None:
    import os  # noqa: PLC0415 - here alone

    if host != os.uname().nodename:
        raise Conflict(
            f"job {job.short_id} runs on {host}",
            f"cancel it there: train recipe cancel {job.short_id}",
            code="elsewhere",
        )
    before = job.state().held
    signals.cancel_runner(pid)
    deadline = time.monotonic() + CANCEL_LIMIT
    while jobs.holder(job) is not None:
        held = job.state().held
        if held is not None and held != before:
            raise Conflict(
                f"job {job.short_id} is cancelled, and keeps {', '.join(held.hosts)} until the output of step "
                f"{', '.join(held.steps)} has arrived",
                f"to give that output up: train recipe abandon {job.short_id}", code="held",
            )  # fmt: skip
        if time.monotonic() > deadline:
            raise TimedOut(
                f"the runner of job {job.short_id} (process {pid}, since {since}) "
                f"did not end within {CANCEL_LIMIT:g} seconds"
            )
        time.sleep(0.05)
