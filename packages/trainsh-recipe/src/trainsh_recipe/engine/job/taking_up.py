"""Takes up a job that was begun before: takes its lock, reads its recipe, and records that the job continues."""

import os
from pathlib import Path
from typing import Any

import msgspec

from trainsh_base.errors import TrainError
from trainsh_base.system.files import write_atomic
from trainsh_recipe import prestart
from trainsh_recipe.engine.job import detach, editing
from trainsh_recipe.engine.job.held_job import HeldJob
from trainsh_recipe.engine.job.source import Source, parse, shown_name
from trainsh_recipe.engine.resuming import choice as resume
from trainsh_recipe.engine.values import Secrets, any_secret
from trainsh_recipe.plan import numbering
from trainsh_recipe.plan.document import Plan
from trainsh_recipe.store import jobs, recipes
from trainsh_recipe.store.fold import apply
from trainsh_recipe.store.journal import Journal, Silent, now
from trainsh_recipe.store.options import Limited, Overrides
from trainsh_recipe.store.state import State


def take_over(job: jobs.Job) -> jobs.Lock:
    """Return the job's lock: the one that the parent process handed over, else a new one."""
    if prestart.lock_handle >= 0:
        handle, prestart.lock_handle = prestart.lock_handle, -1
        same = os.fstat(handle)
        if os.path.samestat(same, Path(job.lock).stat()):
            lock = jobs.Lock(handle)
            lock.sign()
            return lock
    return jobs.take_lock(job)


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """How to resume a job. Options that are not given keep the value in the journal.

    `hosts` maps hosts of the recipe to other machines. If `locked` is false, the job is only inspected.
    """

    from_step: str | None = None
    retry_lost: bool = False
    edited: bool = False
    limits: Limited = Limited()
    abandon: bool = False
    hosts: dict[str, str] = {}
    locked: bool = True
    secrets_first: bool = False  # whether to look up the secrets of the steps to run, before anything is recorded

    def overrides(self, before: Overrides) -> Overrides:
        """Return the overrides of the job, changed by the machines that this resume sets."""
        return {**before, "hosts": {**before.get("hosts", {}), **self.hosts}} if self.hosts else before

    def given(self) -> dict[str, Any]:
        """Return the options that this resume changes, except the overrides."""
        found = {"from_step": self.from_step, "retry_lost": self.retry_lost, "abandon": self.abandon}
        found |= msgspec.structs.asdict(self.limits)
        return {name: value for name, value in found.items() if value}


def take_up(job: jobs.Job, state: State, wanted: Wanted) -> HeldJob:
    """Take a job's lock, read its recipe, and record that the job continues."""
    lock = take_over(job) if wanted.locked else jobs.Lock(-1)
    state = job.state() if wanted.locked else state
    text = recipes.read(Path(state.file if wanted.edited and state.file else job.recipe))
    file = state.file if wanted.edited and state.file else job.recipe
    source = Source(text=text, file=file, name=state.name, exec_=state.kind == "exec")
    overrides = wanted.overrides(state.overrides)
    parsed = parse(source, overrides)
    numbers = numbering.all_of(parsed.plan)
    again = resume.from_step(state, numbers, wanted.from_step) if wanted.from_step else []
    skipped = resume.before_step(numbers, wanted.from_step) if wanted.from_step else []
    begun: list[str] = []
    if wanted.edited:
        begun = editing.check(job, state, parsed.plan, wanted.from_step)
    fresh_round = resume.new_round(state) or bool(again)
    secrets = detach.handed()
    if wanted.secrets_first and (fresh_round or not (state.failing or state.closing)):
        # where only `finally` is left to do, a missing secret must not prevent it
        secrets = _secrets(parsed.plan, overrides, secrets, (state, again), lock)
    if wanted.edited and wanted.locked:
        write_atomic(Path(job.recipe), text)  # after all that can refuse the resume
    events = resume.events(
        state, fresh_round=fresh_round, again=again,
        skipped=[each for each in numbers if each.id in skipped], digest=parsed.digest,
        given=wanted.given() | ({"overrides": overrides} if wanted.hosts else {}),
        total=len(numbering.leaves(numbers)),
    )  # fmt: skip
    if begun:
        events.append(("again", {"steps": begun, "reason": "the recipe was edited"}))
    journal = Journal(job.events) if wanted.locked else None
    for event, data in events:
        done = journal.write(event, **data) if journal else {"t": now(), "event": event, **data}
        apply(state, done)
    if journal:
        jobs.set_mark(job)
        journal.sync()
        if fresh_round:
            Path(job.abandoned).unlink(missing_ok=True)  # the file was about outputs of the run that is over
    shown = shown_name(msgspec.structs.replace(source, file=state.file))
    return HeldJob(
        job=job, lock=lock, plan=parsed.plan, journal=journal or Silent(), state=state, name=shown, secrets=secrets
    )


def _secrets(
    plan: Plan, overrides: Overrides, handed: Secrets | None, past: tuple[State, list[str]], lock: jobs.Lock
) -> Secrets | None:
    """Look up the secrets of the steps to run. Raises UsageError if one is missing."""
    if not any_secret(plan, overrides):
        return handed
    from trainsh_recipe.engine.job import secrets_ahead  # noqa: PLC0415 - most recipes have no secret

    try:
        return secrets_ahead.look_up(secrets_ahead.needed(plan, overrides, *past), handed)
    except TrainError:
        lock.release()
        raise
