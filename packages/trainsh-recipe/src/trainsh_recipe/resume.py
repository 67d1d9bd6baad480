"""Going on with a job: which one, which of its steps are done again, what would happen."""

import os
from typing import Any

from trainsh_base import VERSION
from trainsh_base.errors import NotFound, TrainError, UsageError
from trainsh_recipe import jobs, plan
from trainsh_recipe.control import ensures
from trainsh_recipe.model import Planned
from trainsh_recipe.plan import Control, Execute, Numbered, Parallel
from trainsh_recipe.runner import Runner
from trainsh_recipe.state import ENDS, State, StepState

RESUMABLE = ("interrupted", "failed")


def choose(word: str | None) -> tuple[jobs.Job, State]:
    """The job called `word`, else the newest recipe that was interrupted or failed; NotFound when there is none."""
    if word is not None:
        job = jobs.find(word)
        state = job.state()
        jobs.settle_mark(job, state)
        if not state.started:
            raise NotFound(
                f"job {job.id} had not begun", f"remove it: train recipe rm {job.id}", code="nothing_to_resume"
            )
        if state.status == "ok":
            raise NotFound(f"there is nothing to resume: job {job.id} is done", code="nothing_to_resume")
        return job, state
    for job in jobs.open_jobs():
        state = job.state()
        jobs.settle_mark(job, state)
        if state.status in RESUMABLE and state.kind == "recipe" and state.started:
            return job, state
    raise NotFound(
        "there is nothing to resume: no job was interrupted or failed",
        "see: train recipe jobs",
        code="nothing_to_resume",
    )


def new_round(state: State) -> bool:
    """Whether the attempt before came to its end, `finally` included; another is taken up where it was."""
    return state.status in ("failed", "cancelled")


def from_step(state: State, numbers: list[Numbered], first: str) -> list[str]:
    """The ids of finished steps from number `first` on, which are to run anew; UsageError for no such number."""
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
    """The ids of the steps before number `first`."""
    ids = [each.id for each in numbers if not each.closing]
    return ids[: ids.index(first)]


def events(
    state: State, *, fresh_round: bool, again: list[str], skipped: list[Numbered], digest: str,
    max_time: float | None, total: int,
) -> list[tuple[str, dict[str, Any]]]:  # fmt: skip
    """What the journal is to say when a job goes on."""
    first: dict[str, Any] = {"pid": os.getpid(), "version": VERSION, "steps": total}
    if fresh_round:
        first["new_round"] = True
    if again:
        first["again"] = again
    if digest != state.digest:
        first["digest"] = digest
    if max_time is not None:
        first["max_time"] = max_time
    found = [("job.resumed", first)]
    for each in skipped:
        if not _done(state, each) and not isinstance(each.step, Parallel):
            found += _skipped(each)
    return found


def _skipped(each: Numbered) -> list[tuple[str, dict[str, Any]]]:
    """A step before `--from N` that had not been done counts as left out by hand."""
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


def repeats(runner: Runner) -> set[str]:
    """The finished steps that are done again: they ensure a state that later steps need and none ended."""
    main = [each for each in plan.every(runner.steps) if not isinstance(each.step, Parallel)]
    state = runner.state
    if all(_done(state, each) for each in main):
        return set()
    found: set[str] = set()
    for place, each in enumerate(main):
        if not (isinstance(each.step, Control) and _done(state, each) and ensures(runner.tools, each.step)):
            continue
        if not any(_ended(each.step, later) for later in main[place + 1 :] if _done(state, later)):
            found.add(each.id)
    return found


def _done(state: State, step: Numbered) -> bool:
    return step.id in state.steps and state.steps[step.id].done


def _ended(step: Control, later: Numbered) -> bool:
    """Whether `later` ends what `step` made sure of: the same session closed, the same tool's host stopped."""
    other = later.step
    if not isinstance(other, Control) or other.tool != step.tool or other.verb not in ENDS:
        return False
    if step.tool == "tmux":
        return other.session == step.session
    return not other.host or not step.host or other.host == step.host


def expectations(runner: Runner) -> list[Planned]:
    """What a resume would do, step by step; hosts are asked for what was started, and nothing is changed."""
    state = runner.state
    skip_main = bool(state.closing or state.failing)
    found = []
    for each in runner.numbers:
        if isinstance(each.step, Parallel):
            continue
        if each.closing:
            done = (
                each.id in state.steps and state.steps[each.id].round == state.round and state.steps[each.id].over
            )
            action, detail = ("done", "") if done else ("run", "finally")
        elif skip_main and not _done(state, each):
            action, detail = "leave out", "a step failed, and finally was not over"
        else:
            action, detail = _expected(runner, each)
        found.append(
            Planned(id=each.id, line=each.step.span.line, action=action, text=each.step.text, detail=detail)
        )
    return found


def _expected(runner: Runner, each: Numbered) -> tuple[str, str]:
    step = runner.state.steps.get(each.id)
    if step is None:
        return "run", ""
    if step.done:
        return ("make sure", "its state has to hold") if each.id in runner.repeat else ("done", "")
    if step.status == "lost" and runner.retry_lost:
        return "run again", "it was lost"
    if isinstance(each.step, Execute) and (step.status in ("running", "lost")):
        return _asked(runner, each, step)
    if step.status == "running":
        return "go on", f"attempt {step.attempt} was started"
    return "run again", f"{step.status}: {step.reason}".split("\n")[0].rstrip(": ")


def _asked(runner: Runner, each: Numbered, step: StepState) -> tuple[str, str]:
    assert isinstance(each.step, Execute)
    session = runner.state.sessions.get(each.step.session)
    if session is None:
        return "run", "its session was never opened"
    params: dict[str, Any] = {
        "session": session.name, "host": session.host, "job": runner.job.id, "step": f"{each.file}-{step.attempt}",
        "command": "", "only_ask": True,
    }  # fmt: skip
    try:
        answer = runner.tools.peer("tmux").request("run", params, timeout=120)
    except TrainError as error:
        return "ask", f"the host cannot be asked now: {error.message}"
    if step.gone and answer["state"] == "running":
        return "leave it lost", "its session is gone; --retry-lost runs it again"
    words = {
        "never": ("run", "it never arrived at the host"),
        "running": ("wait for it", "it is still running"),
    }
    ended = ("take its result", f"it ended meanwhile with {answer.get('exit')}")
    return words.get(answer["state"], ended)
