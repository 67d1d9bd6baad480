"""Checks, on a resume, whether the recipe has been edited, and which of its steps may differ."""

from pathlib import Path

from trainsh_base.errors import Conflict, TrainError
from trainsh_base.request import current
from trainsh_recipe.engine.job.source import Source, digest, parse
from trainsh_recipe.engine.outside.questions import Questions
from trainsh_recipe.engine.outside.tools import Tools
from trainsh_recipe.engine.outside.view import View
from trainsh_recipe.plan import numbering
from trainsh_recipe.plan.document import Parallel, Plan
from trainsh_recipe.store.jobs import Job
from trainsh_recipe.store.journal import Silent
from trainsh_recipe.store.state import State, StepState


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


def check(job: Job, state: State, document: Plan, first: str | None) -> None:
    """Raise Conflict if the plan of the edited recipe differs in a step that ran and will not run again.

    `first` is the step that `--from` names. That step and all later ones run again.
    """
    numbers = {each.id: each for each in numbering.all_of(document)}
    differ = []
    for step in state.steps.values():
        if (
            step.closing
            or (step.over and not step.done)
            or (first is not None and _order(step.id) >= _order(first))
        ):
            continue  # the step runs again
        now = numbers.get(step.id)
        if now is None or now.step.text != step.text or now.closing:
            differ.append(step)
    again = _failed_since(job, state) if differ else set()
    for step in differ:
        if step.id not in again:
            raise _refusal(job, step, numbers[step.id].step.text if step.id in numbers else "nothing")


def _refusal(job: Job, step: StepState, now: str) -> Conflict:
    return Conflict(
        f"step {step.id} has run as: {step.text}",
        f"the edited recipe has there: {now}\n"
        "what is done must stay as it was; "
        f"to do it again: train recipe resume {job.short_id} --from {step.id} --edited",
        code="edited_finished_step", data={"step": step.id},
    )  # fmt: skip


def _order(id: str) -> list[int]:
    return [int(part) for part in id.split(".")]


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
