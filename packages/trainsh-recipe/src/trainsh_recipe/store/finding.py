"""Finds the job that a person means: by its id, by a part of the id, or the newest job."""

from pathlib import Path

from trainsh_base.errors import Conflict, NotFound
from trainsh_base.system.suggest import did_you_mean
from trainsh_recipe.store import jobs


def find(word: str) -> jobs.Job:
    """Return the job whose id, or its last part, is `word`; else the only job whose id begins or ends with `word`.

    Raises NotFound if there is no such job, Conflict if there are several.
    """
    if word and "/" not in word and Path(jobs.Job(word).events).exists():
        return jobs.Job(word)
    known = jobs.names() if word else []
    found = [name for name in known if name.endswith(f"-{word}")]
    if len(found) != 1 or len(word) < jobs.SHORT:
        found = [name for name in known if name.startswith(word) or name.endswith(word)]
    if not found:
        raise NotFound(f"there is no job {word!r}", _near(word, known), code="no_job")
    if len(found) > 1:
        raise Conflict(
            f"{len(found)} jobs are called {word!r}: "
            f"{', '.join(sorted(found)[-3:])}", "give more characters of the id",
            code="ambiguous_job",
        )  # fmt: skip
    return jobs.Job(found[0])


def _near(word: str, known: list[str]) -> str:
    """Return a hint: the newest job of a recipe that is called `word`, or the job with the most similar id."""
    newest = sorted(known, reverse=True)[: jobs.NEWEST]
    for name in newest:
        if jobs.Job(name).state().name == word:
            return f"the last job of {word} is {jobs.short(name)}"
    shown = [name[-jobs.SHORT :] if len(word) <= jobs.SHORT else name for name in newest]
    return did_you_mean(word, shown, "see: train recipe jobs") if shown else "see: train recipe jobs"


def last() -> jobs.Job:
    """Return the newest job of a recipe, else the newest of `exec`. Raises NotFound if there is none."""
    found = jobs.newest(1) or jobs.newest(1, exec_=True)
    if not found:
        raise NotFound("there are no jobs yet", "start one: train recipe run NAME", code="no_job")
    return found[0]
