"""A job that this process has started or resumed, with its lock, plan and journal."""

import os
from typing import Any

import msgspec

from trainsh_base import VERSION
from trainsh_recipe import prestart
from trainsh_recipe.engine.job.source import Parsed, Source, shown_name
from trainsh_recipe.engine.values import Secrets
from trainsh_recipe.plan import numbering
from trainsh_recipe.plan.document import Plan
from trainsh_recipe.store import jobs
from trainsh_recipe.store.fold import fold
from trainsh_recipe.store.journal import Journal, Silent
from trainsh_recipe.store.options import Overrides, RunOptions
from trainsh_recipe.store.state import State


class HeldJob(msgspec.Struct, kw_only=True):
    """A job whose lock this process holds, ready to run."""

    job: jobs.Job
    lock: jobs.Lock
    plan: Plan
    journal: Journal | Silent
    state: State
    name: str  # the recipe's name in messages
    secrets: Secrets | None = None  # those that were looked up before the first step


def begin(source: Source, parsed: Parsed, options: RunOptions) -> HeldJob:
    """Create the job's folder, take its lock, and write its first event.

    If that cannot be written, for instance because the disk is full, no folder is left behind.
    """
    job = jobs.create(prestart.job_id if source.exec_ else "")
    try:
        lock = jobs.take_lock(job)
        jobs.set_mark(job)
        _write(job.recipe, source.text)
        journal, first = _first_event(job, source, parsed, options)
    except OSError:
        jobs.discard(job)
        raise
    return HeldJob(
        job=job, lock=lock, plan=parsed.plan, journal=journal, state=fold([first]), name=shown_name(source)
    )


def _first_event(
    job: jobs.Job, source: Source, parsed: Parsed, options: RunOptions
) -> tuple[Journal, dict[str, Any]]:
    journal = Journal(job.events)
    steps = numbering.leaves(numbering.all_of(parsed.plan))
    first = journal.write(
        "job.started", sync=True, version=VERSION, job=job.id, name=source.name,
        kind="exec" if source.exec_ else "recipe", file=source.file, digest=parsed.digest,
        plan=parsed.plan_digest, vars=_shown_vars(parsed.plan, options.overrides),
        cwd=os.getcwd(), pid=os.getpid(), host=os.uname().nodename, steps=len(steps), **options.journaled(),  # noqa: PTH109
    )  # fmt: skip
    return journal, first


def _write(path: str, data: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data)


def _shown_vars(document: Plan, overrides: Overrides) -> dict[str, Any]:
    """Return the values of the variables, with overrides. A secret is replaced by its name."""
    given = overrides.get("vars", {})
    return {name: given.get(name, variable.value) for name, variable in document.vars.items()}
