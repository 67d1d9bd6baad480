"""Reports jobs and steps, as documents and as lines for people."""

import os
import sys
import time

from trainsh_base.system.printable import visible
from trainsh_base.system.step_numbers import file_number
from trainsh_base.system.units import format_duration
from trainsh_base.tool.display import fitted, paint, remark, table, terminal_width
from trainsh_recipe.model import (
    CheckpointReport,
    HoldReport,
    InstanceReport,
    JobReport,
    Planned,
    SessionReport,
    SpendReport,
    StepReport,
)
from trainsh_recipe.store import jobs, rented
from trainsh_recipe.store.journal import now, seconds_of
from trainsh_recipe.store.state import Held, State, StepState
from trainsh_recipe.store.words import WORDS, ended


def job_report(job: jobs.Job, state: State, *, steps: bool = True) -> JobReport:
    """Return the job as a document. Listings need it without its steps."""
    who = jobs.holder(job) if state.status == "running" else None
    current = next((step for step in state.steps.values() if step.status == "running"), None)
    seconds = state.seconds if state.ended else state.active
    if who is not None and state.last:
        seconds += max(0.0, seconds_of(now()) - seconds_of(state.last))
    return JobReport(
        id=job.id, name=state.name, kind=state.kind, status=state.status, started=state.started, ended=state.ended,
        seconds=round(seconds, 3), done=_done(state), total=state.total,
        step=f"{current.id} {current.text.split(chr(10))[0]}" if current else "", reason=state.reason,
        round=state.round, pid=who[0] if who else None, recipe=state.file, folder=job.folder,
        sessions=[SessionReport(name=each.name, host=each.host) for each in state.sessions.values() if each.open],
        steps=[step_report(job, state, step) for step in state.steps.values()] if steps else [],
        instances=[_instance(each) for each in state.instances.values()],
        spend=[
            SpendReport(spent=round(each.spent, 6), per_hour=each.per_hour, currency=each.currency)
            for each in rented.total(state.instances.values(), until(state, alive=who is not None))
        ],
        held=_held(state.held) if who is not None and state.held else None,
    )  # fmt: skip


def _done(state: State) -> int:
    """Return how many steps are done. Those of `finally` count only in the round in which they ran."""
    return sum(step.done and not (step.closing and step.round < state.round) for step in state.steps.values())


def until(state: State, *, alive: bool) -> float:
    """Return the time up to which a job's spending is known: now if it runs, else the time of its last event."""
    return time.time() if alive else seconds_of(state.ended or state.last)


def _instance(each: rented.Rented) -> InstanceReport:
    return InstanceReport(
        provider=each.provider, id=each.id, state=each.state, hosts=each.hosts, price_per_hour=each.price_per_hour,
        storage_per_hour=each.storage_per_hour, currency=each.currency, end=each.end,
    )  # fmt: skip


def _held(held: Held) -> HoldReport:
    return HoldReport(reason=held.reason, until=held.until, hosts=held.hosts, steps=held.steps)


def step_report(job: jobs.Job, state: State, step: StepState) -> StepReport:
    """Return one step as a document."""
    log = job.log(file_number(step.id))
    status = "interrupted" if step.status == "running" and state.status != "running" else step.known
    reason = f"exit {step.exit}, in the background" if status == "failed" and step.status == "ok" else step.reason
    return StepReport(
        id=step.id, kind=step.kind, text=step.text, line=step.line, status=status, attempt=step.attempt,
        exit=step.exit, reason=reason, seconds=step.seconds, bytes=step.bytes,
        log=log if os.path.exists(log) else "",  # noqa: PTH110 - `train exec` does without pathlib
    )  # fmt: skip


def when(stamp: str) -> str:
    """Return a time for people, in the local time zone."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds_of(stamp))) if stamp else ""


def show_jobs(reports: list[JobReport], without: str = "") -> None:
    """Print a row for each job.

    If there are no jobs, print a text on stderr: `without`, or else how to start a job or where the other jobs are.
    """
    if not reports:
        others = "There are none of these. Other jobs: train recipe jobs" if jobs.newest(1) else ""
        remark(without or others or "No jobs yet. Start one: train recipe run NAME")
        return
    short = jobs.short_forms()
    rows = [
        {
            "id": short(each.id), "recipe": each.name, "status": each.status,
            "started": when(each.started)[:-3],
            "time": format_duration(each.seconds), "steps": f"{each.done}/{each.total}",
            "cost": _cost(each),
            "now": _now(each),
        }
        for each in reports
    ]  # fmt: skip
    table(rows)


def show_steps(each: JobReport) -> None:
    """Print a row for each step that has started, and the whole reason of each that did not end well."""
    print()
    table([
        {
            "step": step.id, "status": WORDS.get(step.status, step.status),
            "time": format_duration(step.seconds) if step.seconds else "",
            "what": visible(step.text.split("\n")[0]),
        }
        for step in each.steps
    ])  # fmt: skip
    for step in each.steps:
        if step.reason and step.status not in ("ok", "skipped", "background"):
            print(fitted(f"step {step.id} {visible(ended(step.status, step.reason))}"))


def _now(each: JobReport) -> str:
    if each.held is not None:
        why = (
            f"the output of step {', '.join(each.held.steps)} has not arrived"
            if each.held.steps
            else "the job has failed"
        )
        return f"kept until {when(each.held.until)[-8:-3]}: {why}"
    return each.step if each.status == "running" else each.reason.split("\n")[0]


def _cost(each: JobReport) -> str:
    """Return for example `$0.12, $0.31/h`.

    The price per hour is left out if no machine runs, as far as is known.
    """
    return " + ".join(
        rented.money(spend.spent, spend.currency)
        + (f", {rented.money(spend.per_hour, spend.currency)}/h" if spend.per_hour else "")
        for spend in each.spend
    )


def show_spending(reports: list[JobReport]) -> None:
    """Print, on stderr, what all jobs together spend now, and which job left a machine running."""
    sums: dict[str, float] = {}
    for each in reports:
        for spend in each.spend if each.status == "running" else []:
            sums[spend.currency] = sums.get(spend.currency, 0.0) + spend.per_hour
    spent = [rented.money(amount, currency) for currency, amount in sums.items() if amount]
    if spent:
        remark(f"Spending {' + '.join(spent)} an hour now.")
    for each in reports:
        running = [one for one in each.instances if one.price_per_hour and one.state in ("running", "starting")]
        if each.status != "running" and running:
            what = ", ".join(f"{one.provider} {one.id}" for one in running)
            remark(f"Job {jobs.short(each.id)} left {what} running. To see what costs money now: train bill")


def checkpoints(state: State) -> list[CheckpointReport]:
    """Return the uploaded checkpoints of a job that is not over.

    Asks train-xfer if the job has `xfer.follow` steps.
    """
    from trainsh_recipe.ui import following  # noqa: PLC0415 - for jobs that follow only

    return following.checkpoints(state) if state.status in ("running", "interrupted", "failed") else []


def show_checkpoints(reports: list[JobReport]) -> None:
    """Print a line for each folder whose checkpoints are uploaded."""
    from trainsh_recipe.ui import following  # noqa: PLC0415 - as above

    for each in reports:
        for row in each.checkpoints:
            print(f"{jobs.short(each.id)}  {visible(following.told(row))}")


def show_planned(steps: list[Planned]) -> None:
    """Print a row for each step, with what would be done.

    On a terminal that is too narrow for the last column, its text is below the row instead.
    """
    from trainsh_base.tool.table import cells, draw  # noqa: PLC0415 - only this output needs it

    if not steps:
        return
    heads = ["STEP", "LINE", "WHAT", "OF", "HOW"]
    rows = [
        [each.id, str(each.line), each.action, visible(each.text.split("\n")[0]), visible(each.detail)]
        for each in steps
    ]
    lines = draw(heads, rows, whole=[], width=None)
    if sys.stdout.isatty() and max(map(cells, lines)) > terminal_width():
        first, *others = draw(heads[:-1], [row[:-1] for row in rows], whole=[], width=terminal_width())
        below = [fitted(f"       {row[-1]}").split("\n") if row[-1] else [] for row in rows]
        lines = [first, *(line for row, more in zip(others, below, strict=True) for line in [row, *more])]
    print(paint(lines[0], "1", sys.stdout))
    print("\n".join(lines[1:]))
