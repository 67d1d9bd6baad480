"""The commands that list jobs, and those that list, show and write recipes."""

from typing import Annotated

from msgspec import structs

from trainsh_base.errors import UsageError
from trainsh_base.system.paths import recipes_home
from trainsh_base.system.printable import visible
from trainsh_base.tool.declare import Arg, Opt
from trainsh_recipe.commands.parameters import JobArg, MaxTime, VarOpt, tool
from trainsh_recipe.model import JobReport, RecipeReport, RecipeText
from trainsh_recipe.store import jobs, recipes
from trainsh_recipe.store.state import State
from trainsh_recipe.ui import reports as report


def _just_failed(state: State, last: str) -> bool:
    """Return whether the job has failed and is the newest job of a recipe.

    This is the job that `resume` takes without a name.
    """
    return state.status == "failed" and state.id == last


def _with_steps(word: str) -> JobReport:
    from trainsh_recipe.store import finding  # noqa: PLC0415 - a run does without

    job = finding.find(word)
    state = job.state()
    return structs.replace(report.job_report(job, state), checkpoints=report.checkpoints(state))


def _show_status(found: list[JobReport]) -> None:
    report.show_jobs(found, "No job is running, interrupted or just failed. Other jobs: train recipe jobs")
    if len(found) == 1 and found[0].steps:  # of a job that was named
        report.show_steps(found[0])
    report.show_spending(found)
    report.show_checkpoints(found)


@tool.command(show=_show_status)
def status(
    job: JobArg = None,
    all_: Annotated[bool, Opt("also show jobs that are over")] = False,
) -> list[JobReport]:
    """Show the jobs that run or can be resumed, and what they cost; or JOB, with its steps.

    A failed job is shown too if it is the newest one, or left a machine running. For a job that uploads
    checkpoints (xfer.follow), the age of the newest uploaded checkpoint is shown.
    """
    if job is not None:
        if all_:
            raise UsageError("pass JOB or --all, not both")
        return [_with_steps(job)]
    found = jobs.open_jobs()
    if all_:
        known = {each.id for each in found}
        found = sorted(
            [*found, *(each for each in jobs.newest() if each.id not in known)],
            key=lambda each: each.id,
            reverse=True,
        )
    states = [(each, each.state()) for each in found]
    for each, state in states:
        jobs.settle_mark(each, state)
    last = next((each.id for each in jobs.newest(1)), "")
    return [
        structs.replace(report.job_report(each, state, steps=False), checkpoints=report.checkpoints(state))
        for each, state in states
        if state.started
        and (all_ or state.status in ("running", "interrupted") or state.billing() or _just_failed(state, last))
    ]


@tool.command(name="jobs", show=report.show_jobs)
def jobs_(
    last: Annotated[int, Opt("the number of jobs to list, newest first", short="-n", metavar="N")] = jobs.NEWEST,
    exec_: Annotated[
        bool, Opt("list the jobs of train exec, of which the newest 50 are kept", name="--exec")
    ] = False,
    open_: Annotated[
        bool, Opt("list all jobs that are not over: running, interrupted, failed", name="--open")
    ] = False,
) -> list[JobReport]:
    """List the newest jobs of recipes; with --exec those of train exec, with --open those that are not over."""
    if last < 1:
        raise UsageError(f"-n must be 1 or more, not {last}")
    found = jobs.open_jobs() if open_ else jobs.newest(last, exec_=exec_)
    states = [(job, job.state()) for job in found]
    return [report.job_report(job, state, steps=False) for job, state in states if state.started]


def _show_list(rows: list[RecipeReport]) -> None:
    from trainsh_base.tool.display import remark, table  # noqa: PLC0415 - people only

    if not rows:
        remark("No recipes yet. Create one: train recipe new NAME")
    kept = str(recipes_home())
    table([
        {"name": row.name, "where": "" if row.path.startswith(kept) else "this folder", "about": visible(row.about)}
        for row in rows
    ])  # fmt: skip


@tool.command(name="list", show=_show_list)
def list_() -> list[RecipeReport]:
    """List the recipes in the settings folder and in the current folder.

    If both folders have a recipe with the same name, this name means the recipe in the settings folder. The other
    recipe is listed by its path.
    """
    named, here = recipes.named(), recipes.here()
    taken = {path.name for path in named}
    names = [(path.stem, path) for path in named]
    names += [(f"./{path.name}" if path.name in taken else path.stem, path.absolute()) for path in here]
    return [RecipeReport(name=name, path=str(path), about=recipes.about(path)) for name, path in names]


def _show_text(found: RecipeText) -> None:
    if found.cost is not None:
        from trainsh_recipe.ui.views import costs  # noqa: PLC0415 - for --cost only

        costs.show(found.name, found.cost)
        return
    if found.graph:
        print(found.graph, end="" if found.graph.endswith("\n") else "\n")
        return
    print(f"# {found.path}: {found.steps} steps, {found.finally_steps} in finally")
    text = visible(found.text)
    print(text, end="" if text.endswith("\n") else "\n")


@tool.command(show=_show_text)
def show(
    name: Annotated[str, Arg("a recipe's name, or its path", kind="recipe")],
    graph: Annotated[bool, Opt("a Mermaid flowchart of the steps and of what each depends on")] = False,
    cost: Annotated[bool, Opt("the machines that the recipe would rent now, and their cost")] = False,
    var: VarOpt = {},  # noqa: B006
    max_time: MaxTime = None,
) -> RecipeText:
    """Show a recipe's text; with --graph, a flowchart of its steps; with --cost, an estimate of its cost."""
    if (var or max_time is not None) and not cost:
        raise UsageError("--var and --max-time go with --cost")
    from trainsh_recipe.engine.job.described import described  # noqa: PLC0415 - it reads a plan

    found = described(recipes.find(name), graph=graph)
    if not cost:
        return found
    from trainsh_recipe.engine.job.estimate import estimated  # noqa: PLC0415 - it asks providers

    return structs.replace(found, cost=estimated(recipes.find(name), var, max_time))


@tool.command(show=lambda made: print(made.path))
def new(
    name: Annotated[str, Arg("the name of the new recipe")],
    template: Annotated[str, Opt("the template to copy; an unknown name lists all templates")] = "minimal",
) -> RecipeReport:
    """Create a recipe from a template, and print its path."""
    from trainsh_recipe.ui import editing  # noqa: PLC0415 - for two commands only

    path = editing.create(name, template)
    return RecipeReport(name=path.stem, path=str(path), about=recipes.about(path))


@tool.command(show=lambda edited: print(edited.path))
def edit(name: Annotated[str, Arg("a recipe's name, or its path", kind="recipe")]) -> RecipeReport:
    """Edit a recipe in $VISUAL or $EDITOR; the recipe is checked when the editor is closed."""
    from trainsh_recipe.ui import editing  # noqa: PLC0415 - for two commands only

    path = recipes.find(name)
    editing.edit(path)
    return RecipeReport(name=path.stem, path=str(path), about=recipes.about(path))
