"""Checks, on a resume, whether the recipe has been edited, and which of its steps may differ."""

from pathlib import Path
from typing import Any

from trainsh_base.errors import Conflict, TrainError
from trainsh_base.request import current
from trainsh_base.system.step_numbers import attempt_name
from trainsh_recipe.engine.job.source import Source, digest, parse
from trainsh_recipe.engine.outside.questions import Questions
from trainsh_recipe.engine.outside.tools import Tools
from trainsh_recipe.engine.outside.view import View
from trainsh_recipe.plan import numbering
from trainsh_recipe.plan.document import Control, Parallel, Plan
from trainsh_recipe.plan.numbering import Numbered
from trainsh_recipe.store.jobs import Job
from trainsh_recipe.store.journal import Silent
from trainsh_recipe.store.state import State, StepState

ASK_LIMIT = 120.0


def changed(job: Job, state: State, options: str = "") -> str:
    """Return a line for people if the recipe's file no longer has the text that the job runs.

    Returns "" if the file still has that text, or is gone.
    """
    if not state.file or state.kind != "recipe":
        return ""
    try:
        now = digest(Path(state.file).read_bytes())
    except OSError:
        return ""
    if now == state.digest:
        return ""
    name = Path(state.file).name
    again = f"train recipe resume {job.short_id}{options} --edited"
    return f"{name} has changed since this job began; to use the new text: {again}"


def check(job: Job, state: State, document: Plan, first: str | None) -> list[str]:
    """Raise Conflict if the plan of the edited recipe differs in a step that is done and will not run again.

    `first` is the step that `--from` names. That step and all later ones run again. Returns the steps that were
    interrupted and now differ: their next attempt is a new one. A command that still runs on its host, or has gone
    well there since, must be unchanged.
    """
    numbers = {each.id: each for each in numbering.all_of(document)}
    differ, begun = [], []
    for step in state.steps.values():
        now = numbers.get(step.id)
        if step.closing or (now is not None and now.step.text == step.text and not now.closing):
            continue
        later = first is not None and _order(step.id) >= _order(first)
        if not step.over and not (step.kind == "control" and not later and _verb(now) == step.text.split()[0]):
            begun.append(step)
        elif step.done and not later:
            differ.append(step)
    again = _failed_since(job, state) if differ else set()
    for step in differ:
        if step.id not in again:
            raise _refusal(job, step, _text(numbers.get(step.id)))
    commands = [step for step in begun if step.kind == "execute"]
    answers = _asked(job, state, commands) if commands else {}
    for step in begun:
        if step.kind == "control" and not step.text.startswith("tmux.") and first is None:
            raise _refusal(job, step, _text(numbers.get(step.id)), "was interrupted as")
        answer = answers.get(step.id, {})
        if answer.get("state") == "running":
            raise Conflict(
                f"step {step.id} still runs as: {step.text}",
                f"to wait for it: train recipe resume {job.short_id}\n"
                f"to end it (C-c there): train recipe attach {job.short_id}",
                code="edited_running_step", data={"step": step.id},
            )  # fmt: skip
        if answer.get("exit") == 0:
            raise _refusal(job, step, _text(numbers.get(step.id)))
    return [step.id for step in begun if answers.get(step.id, {}).get("state") != "lost"]


def _text(now: Numbered | None) -> str:
    return now.step.text if now is not None else "nothing"


def _verb(now: Numbered | None) -> str:
    """Return `tool.verb` of a verb's step, which may look for what its interrupted attempt left; else ""."""
    return f"{now.step.tool}.{now.step.verb}" if now is not None and isinstance(now.step, Control) else ""


def _refusal(job: Job, step: StepState, now: str, what: str = "has run as") -> Conflict:
    return Conflict(
        f"step {step.id} {what}: {step.text}",
        f"the edited recipe has there: {now}\n"
        "what is done must stay as it was; "
        f"to do it again: train recipe resume {job.short_id} --from {step.id} --edited",
        code="edited_finished_step", data={"step": step.id},
    )  # fmt: skip


def _order(id: str) -> list[int]:
    return [int(part) for part in id.split(".")]


def _asked(job: Job, state: State, steps: list[StepState]) -> dict[str, dict[str, Any]]:
    """Return what the hosts answer about commands that had begun when the runner ended, by step."""
    tools = Tools(job.folder, Questions(current(), View()).ask, cwd=state.cwd)
    found = {}
    try:
        for step in steps:
            session = state.sessions.get(step.session)
            if session is None:
                continue  # it was never opened
            params: dict[str, Any] = {
                "session": session.name, "host": session.host, "job": job.id,
                "step": attempt_name(step.id, step.attempt), "command": "", "only_ask": True,
            }  # fmt: skip
            found[step.id] = tools.peer("tmux").request("run", params, timeout=ASK_LIMIT)
    finally:
        tools.close()
    return found


def _failed_since(job: Job, state: State) -> set[str]:
    """Return the steps that were done, but run again because of what their hosts answer now.

    An example is a background step that has failed since.
    """
    from trainsh_recipe.engine.machines import Machines  # noqa: PLC0415 - few resumes ask here
    from trainsh_recipe.engine.resuming.ground import Ground  # noqa: PLC0415 - as above
    from trainsh_recipe.engine.run import Run  # noqa: PLC0415 - as above

    source = Source(text=Path(job.recipe).read_bytes(), file=job.recipe, name=state.name)
    document = parse(source, state.overrides).plan
    copy, view, request = job.state(), View(), current()
    questions = Questions(request, view)
    tools = Tools(job.folder, questions.ask, cwd=state.cwd)
    run = Run(
        job, document, copy, Silent(), view=view, questions=questions, tools=tools, on_interrupt=lambda _: None
    )
    ground = Ground(run, Machines(copy, job.id, tools, run.record))
    try:
        for each in run.numbers:
            if not each.closing and not isinstance(each.step, Parallel):
                ground.look(each)
    except TrainError:
        return set()  # the resume itself reports a host that cannot be asked
    finally:
        tools.close()
    lost = {step.id for step in copy.steps.values() if step.status == "lost"}
    return set(ground.again) | lost
