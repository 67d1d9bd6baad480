"""Removes jobs and recipes: finds those that are meant, asks the person, and removes them."""

import time
from pathlib import Path

import msgspec

from trainsh_base.errors import Cancelled, Conflict, NotFound, UsageError
from trainsh_base.request import current
from trainsh_base.system.units import format_duration
from trainsh_recipe.model import Removed
from trainsh_recipe.store import finding, jobs, recipes
from trainsh_recipe.store.journal import seconds_of

OVER = ("ok", "failed", "cancelled")
SHOWN = 5  # how many names the question lists; the others are only counted


class Meant(msgspec.Struct, frozen=True):
    """The jobs and the recipe files to remove. `about` has a text for people about each."""

    jobs: list[jobs.Job]
    recipes: list[Path]
    about: list[str]


def remove(meant: Meant, *, yes: bool) -> list[Removed]:
    """Ask the person unless `yes`, then remove the jobs and recipes. Returns what was removed."""
    if not meant.about:
        return []
    if not yes and current().ask("confirm", _question(meant.about), default="no", flag="--yes") != "yes":
        raise Cancelled("nothing was removed")
    for job in meant.jobs:
        jobs.remove(job)
    for path in meant.recipes:
        path.unlink(missing_ok=True)
    gone = [Removed(name=job.id, kind="job") for job in meant.jobs]
    return gone + [Removed(name=path.stem, kind="recipe") for path in meant.recipes]


def _question(about: list[str]) -> str:
    more = f", and {len(about) - SHOWN} more" if len(about) > SHOWN else ""
    return f"Remove {', '.join(about[:SHOWN])}{more}?"


def named(words: list[str]) -> Meant:
    """Return the jobs and recipes with these names.

    Raises NotFound for an unknown name, Conflict for a running job or an ambiguous name.
    """
    found: dict[str, jobs.Job] = {}
    files: dict[str, Path] = {}
    about: dict[str, str] = {}
    for word in words:
        file = recipes.kept(word)
        job = _job(word, or_none=file is not None)
        if job is not None and file is not None:
            raise Conflict(
                f"{word!r} is the name of a recipe and of job {job.id}",
                "give more characters of the job's id",
                code="ambiguous_job",
            )
        if job is not None:
            found[job.id] = job
            about[job.id] = _idle(job)
        elif file is not None:
            files[file.stem] = file
            about[file.name] = f"recipe {file.stem}"
    return Meant(list(found.values()), list(files.values()), list(about.values()))


def _job(word: str, *, or_none: bool) -> jobs.Job | None:
    try:
        return finding.find(word)
    except NotFound:
        if or_none:
            return None
        raise NotFound(
            f"there is no job or recipe {word!r}", "see: train recipe jobs; train recipe list", code="no_job"
        ) from None


def _idle(job: jobs.Job) -> str:
    """Return a description of the job. Raises Conflict if the job runs."""
    if jobs.holder(job) is not None:
        raise Conflict(
            f"job {job.short_id} is running",
            f"end it first: train recipe cancel {job.short_id}",
            code="job_locked",
        )
    state = job.state()
    return f"job {job.short_id} ({state.name or 'not begun'}, {state.status})"


def over(older_than: float | None) -> Meant:
    """Return the jobs that are over; with `older_than`, only those that ended at least that many seconds ago."""
    before = time.time() - (older_than or 0)
    latest = time.strftime("%Y%m%d-%H%M%S", time.gmtime(before + 1))
    found = []
    for name in sorted(jobs.names()):
        if older_than is not None and name > latest:  # the job began too late to have ended that long ago
            break
        job = jobs.Job(name)
        state = job.state()
        ended = older_than is None or seconds_of(state.ended) <= before
        if state.status in OVER and ended and jobs.holder(job) is None:
            found.append(job)
    age = f" that ended more than {format_duration(older_than)} ago" if older_than is not None else " that are over"
    return Meant(found, [], [f"{len(found)} job{'' if len(found) == 1 else 's'}{age}"] if found else [])


def meant(words: list[str], *, older_than: float | None, all_: bool) -> Meant:
    """Return the jobs and recipes that the command line selects, by name or by an option."""
    given = bool(words) + (older_than is not None) + all_
    if given != 1:
        raise UsageError("pass one of: names of jobs or recipes, --older-than AGE, --all", "see: train recipe jobs")
    return named(words) if words else over(older_than)
