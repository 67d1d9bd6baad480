"""Which finished steps a resume does again, and what it would do with each step."""

from typing import Any

from trainsh_base.errors import TrainError
from trainsh_recipe.engine.control import ensures
from trainsh_recipe.engine.resume import done
from trainsh_recipe.engine.runner import Runner
from trainsh_recipe.model import Planned
from trainsh_recipe.plan.document import Control, Execute, Parallel
from trainsh_recipe.plan.numbering import Numbered, every
from trainsh_recipe.store.state import ENDS, StepState


def repeats(runner: Runner) -> set[str]:
    """The finished steps that are done again: they ensure a state that later steps need and none ended."""
    main = [each for each in every(runner.steps) if not isinstance(each.step, Parallel)]
    state = runner.state
    if all(done(state, each) for each in main):
        return set()
    found: set[str] = set()
    for place, each in enumerate(main):
        if not (isinstance(each.step, Control) and done(state, each) and ensures(runner.tools, each.step)):
            continue
        if not any(_ended(each.step, later) for later in main[place + 1 :] if done(state, later)):
            found.add(each.id)
    return found


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
            over = (
                each.id in state.steps and state.steps[each.id].round == state.round and state.steps[each.id].over
            )
            action, detail = ("done", "") if over else ("run", "finally")
        elif skip_main and not done(state, each):
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
