"""Chooses which job is resumed, and which of its steps run again."""

import os
from typing import Any

from trainsh_base import VERSION
from trainsh_base.errors import NotFound, UsageError
from trainsh_recipe.plan.document import Parallel
from trainsh_recipe.plan.numbering import Numbered
from trainsh_recipe.store import jobs
from trainsh_recipe.store.state import State

RESUMABLE = ("interrupted", "failed")


def choose(word: str | None) -> tuple[jobs.Job, State]:
    """Return the job that `word` names. If `word` is None, return the newest job of a recipe.

    Raises NotFound if that job cannot be resumed. Without a name, an older job is never chosen instead: it might do
    something that the person has long forgotten, such as rent a machine.
    """
    if word is not None:
        from trainsh_recipe.store import finding  # noqa: PLC0415 - a run does without

        job = finding.find(word)
        state = job.state()
        jobs.settle_mark(job, state)
        if not state.started:
            raise NotFound(
                f"job {job.short_id} had not begun",
                f"remove it: train recipe rm {job.short_id}",
                code="nothing_to_resume",
            )
        if state.status == "ok":
            raise NotFound(f"there is nothing to resume: job {job.short_id} is done", code="nothing_to_resume")
        return job, state
    for job in jobs.newest():
        state = job.state()
        jobs.settle_mark(job, state)
        if not state.started:
            continue
        if state.status in RESUMABLE:
            return job, state
        raise NotFound(
            f"nothing to resume: {job.short_id} ({state.name}), the last job, {_WENT[state.status]}",
            _instead(job, state), code="nothing_to_resume",
        )  # fmt: skip
    raise NotFound(
        "nothing to resume: there are no jobs yet", "start one: train recipe run NAME", code="nothing_to_resume"
    )


_WENT = {"ok": "went well", "cancelled": "was cancelled", "running": "still runs"}


def _instead(job: jobs.Job, state: State) -> str:
    """Return a hint with commands for a person who wants something else than the newest job."""
    if state.status == "running":
        return f"look at it: train recipe watch {job.short_id}"
    found = (
        [f"to resume it all the same: train recipe resume {job.short_id}"] if state.status == "cancelled" else []
    )
    for older in jobs.open_jobs():
        before = older.state()
        if before.status in RESUMABLE and before.kind == "recipe" and before.started:
            found.append(f"an older job, {before.name}, {before.status}: train recipe resume {older.short_id}")
            break
    return "\n".join(found) or "see: train recipe jobs"


def new_round(state: State) -> bool:
    """Return whether the resume begins a new run of the job.

    It does if the last run reached its end, including `finally`.
    """
    return state.status in ("failed", "cancelled")


def from_step(state: State, numbers: list[Numbered], first: str) -> list[str]:
    """Return the ids of the finished steps from number `first` on, which run again.

    Raises UsageError if no step has that number.
    """
    main = [each for each in numbers if not each.closing]
    ids = [each.id for each in main]
    if first not in ids:
        raise UsageError(
            f"there is no step {first}",
            f"the steps are 1 to {ids[-1].partition('.')[0] if ids else 0}",
            code="no_step",
        )
    later = ids[ids.index(first) :]
    return [id for id in later if id in state.steps and state.steps[id].over]


def before_step(numbers: list[Numbered], first: str) -> list[str]:
    """Return the ids of the steps before number `first`."""
    ids = [each.id for each in numbers if not each.closing]
    return ids[: ids.index(first)]


def events(
    state: State, *, fresh_round: bool, again: list[str], skipped: list[Numbered], digest: str,
    given: dict[str, Any], total: int,
) -> list[tuple[str, dict[str, Any]]]:  # fmt: skip
    """Return the events to write to the journal when a job is resumed."""
    first: dict[str, Any] = {"pid": os.getpid(), "version": VERSION, "steps": total}
    if fresh_round:
        first["new_round"] = True
    if again:
        first["again"] = again
    if digest != state.digest:
        first["digest"] = digest
    first |= given
    found = [("job.resumed", first)]
    for each in skipped:
        if not done(state, each) and not isinstance(each.step, Parallel):
            found += _skipped(each)
    return found


def _skipped(each: Numbered) -> list[tuple[str, dict[str, Any]]]:
    """Return the events that mark a step before `--from N` as skipped."""
    begun = {
        "step": each.id,
        "kind": each.step.kind,
        "text": each.step.text,
        "line": each.step.span.line,
        "attempt": 1,
    }
    return [
        ("step.started", begun),
        ("step.finished", {"step": each.id, "attempt": 1, "status": "skipped", "reason": "left out by --from"}),
    ]


def done(state: State, step: Numbered) -> bool:
    """Return whether the step need not run again."""
    return step.id in state.steps and state.steps[step.id].done
