"""Reports jobs and steps, as documents and as lines for people."""

import sys
import time

from trainsh_base.system.printable import visible
from trainsh_base.system.units import format_duration
from trainsh_base.tool.display import table
from trainsh_recipe.model import JobReport, Planned, SessionReport, StepReport
from trainsh_recipe.store import jobs
from trainsh_recipe.store.journal import now, seconds_of
from trainsh_recipe.store.state import State, StepState


def job_report(job: jobs.Job, state: State, *, steps: bool = True) -> JobReport:
    """The job as a document; without its steps for listings."""
    who = jobs.holder(job) if state.status == "running" else None
    current = next((step for step in state.steps.values() if step.status == "running"), None)
    seconds = state.seconds if state.ended else state.active
    if who is not None and state.last:
        seconds += max(0.0, seconds_of(now()) - seconds_of(state.last))
    return JobReport(
        id=job.id, name=state.name, kind=state.kind, status=state.status, started=state.started, ended=state.ended,
        seconds=round(seconds, 3), done=sum(step.done for step in state.steps.values()), total=state.total,
        step=f"{current.id} {current.text.split(chr(10))[0]}" if current else "", reason=state.reason,
        round=state.round, pid=who[0] if who else None, recipe=state.file, folder=str(job.folder),
        sessions=[SessionReport(name=each.name, host=each.host) for each in state.sessions.values() if each.open],
        steps=[step_report(job, state, step) for step in state.steps.values()] if steps else [],
    )  # fmt: skip


def step_report(job: jobs.Job, state: State, step: StepState) -> StepReport:
    """One step as a document."""
    first, _, second = step.id.partition(".")
    log = job.log(f"{int(first):03d}" + (f".{int(second):02d}" if second else ""))
    status = "interrupted" if step.status == "running" and state.status != "running" else step.status
    return StepReport(
        id=step.id, kind=step.kind, text=step.text, line=step.line, status=status, attempt=step.attempt,
        exit=step.exit, reason=step.reason, seconds=step.seconds, bytes=step.bytes,
        log=str(log) if log.exists() else "",
    )  # fmt: skip


def when(stamp: str) -> str:
    """A time for people, in the local time zone."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds_of(stamp))) if stamp else ""


def show_jobs(reports: list[JobReport], without: str = "No jobs yet. Start one: train recipe run NAME") -> None:
    """Print a row for each job; if there are none, print `without` on stderr."""
    if not reports:
        print(without, file=sys.stderr)
        return
    short = jobs.short_forms()
    rows = [
        {
            "id": short(each.id), "recipe": each.name, "status": each.status,
            "started": when(each.started),
            "time": format_duration(each.seconds), "steps": f"{each.done}/{each.total}",
            "now": each.step if each.status == "running" else each.reason.split("\n")[0],
        }
        for each in reports
    ]  # fmt: skip
    table(rows)


def show_planned(steps: list[Planned]) -> None:
    """Print a row for each step, with what would be done."""
    rows = [
        {"step": each.id, "line": each.line, "what": each.action, "of": each.text, "how": each.detail}
        for each in steps
    ]
    table([{**row, "of": visible(str(row["of"]).split("\n")[0]), "how": visible(str(row["how"]))} for row in rows])
