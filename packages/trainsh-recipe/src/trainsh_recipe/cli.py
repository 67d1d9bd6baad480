"""train-recipe: the commands, and how their results are printed. Only commands that run a job load the engine."""

import sys
from typing import Annotated

from msgspec import structs

from trainsh_base.errors import UsageError
from trainsh_base.request import current
from trainsh_base.system.paths import recipes_home
from trainsh_base.system.printable import visible
from trainsh_base.system.units import Duration
from trainsh_base.tool.declare import Arg, Handover, Opt, Tool
from trainsh_base.tool.program import run as run_tool
from trainsh_recipe.model import (
    Executions,
    JobReport,
    LogReport,
    Planned,
    RecipeReport,
    RecipeText,
    Removed,
)
from trainsh_recipe.store import jobs, recipes
from trainsh_recipe.store.options import Limited
from trainsh_recipe.ui import logs as texts
from trainsh_recipe.ui import reports as report

Overrides = dict[str, dict[str, str]]
tool = Tool("recipe", "Run recipes, and look after what runs")

HostOpt = Annotated[
    dict[str, str], Opt("what a host of the recipe is", name="--host", metavar="NAME=SPEC", kind="recipe-host")
]
StorageOpt = Annotated[
    dict[str, str],
    Opt("what a storage of the recipe is", name="--storage", metavar="NAME=SPEC", kind="recipe-storage"),
]
VarOpt = Annotated[
    dict[str, str], Opt("the value of a variable", name="--var", metavar="NAME=VALUE", kind="recipe-var")
]
Visual = Annotated[bool, Opt("the live view on a terminal; else plain lines")]
ShowOutput = Annotated[bool, Opt("with plain lines: what the steps print, too")]
JobArg = Annotated[
    str | None, Arg("the job: its id, or the beginning or end of it", metavar="JOB", kind="job", also=("id",))
]
MaxTime = Annotated[
    Duration | None, Opt("cancel the job when it has run for so long", metavar="DURATION", kind="duration")
]
MaxCost = Annotated[
    float | None, Opt("cancel the job when it has cost so many dollars", metavar="USD", kind="money")
]
Hold = Annotated[
    Duration | None, Opt("keep a machine so long for a required output", metavar="DURATION", kind="duration")
]
Abandon = Annotated[bool, Opt("give up required outputs that have not arrived")]

_status = 0


def _exit_status(_report: object) -> int:
    return _status


def _end(status: int) -> None:
    global _status  # noqa: PLW0603 - the framework asks for it once the answer is there
    _status = status


def overrides(
    host: dict[str, str], var: dict[str, str], storage: dict[str, str], words: list[str]
) -> dict[str, dict[str, str]]:
    """The overrides that the command line gives, by options or as `VAR=value` arguments."""
    values = dict(var)
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name:
            raise UsageError(f"not VAR=value: {word!r}", "variables are set by NAME=VALUE or --var NAME=VALUE")
        values[name] = value
    found = {"hosts": host, "vars": values, "storages": storage}
    return {kind: given for kind, given in found.items() if given}


def _show_run(answer: JobReport | list[Planned]) -> None:
    if isinstance(answer, list):
        report.show_planned(answer)


@tool.command(show=_show_run, status=_exit_status)
def run(
    name: Annotated[str, Arg("a recipe's name (in the settings or this folder), or its path", kind="recipe")],
    values: Annotated[list[str], Arg("values of variables", metavar="VAR=VALUE", kind="recipe-var")] = [],  # noqa: B006
    host: HostOpt = {},  # noqa: B006
    var: VarOpt = {},  # noqa: B006
    storage: StorageOpt = {},  # noqa: B006
    pick_host: Annotated[
        list[str], Opt("choose a machine of a provider for this host (repeatable)", metavar="NAME[=PROVIDER]")
    ] = [],  # noqa: B006
    visual: Visual = True,
    output: ShowOutput = True,
    max_time: MaxTime = None,
    max_cost: MaxCost = None,
    hold: Hold = None,
    detach: Annotated[bool, Opt("run it in the background, without a terminal", short="-d")] = False,
    dry_run: Annotated[bool, Opt("resolve everything, show the steps, and touch nothing", short="-n")] = False,
) -> JobReport | list[Planned]:
    """Run a recipe.

    Exit status: 0 it went well; 1 a step failed or timed out; 2 it was refused before it began; 130, 143, 129 it
    was left by Ctrl-C, SIGTERM, SIGHUP, and can be resumed.
    """
    from trainsh_recipe.ui import start  # noqa: PLC0415 - for commands that run a job

    given = overrides(host, var, storage, values)
    answer, status = start.run(
        recipes.find(name), given, pick_host=pick_host, dry_run=dry_run,
        limits=Limited(max_time=max_time, max_cost=max_cost, hold=hold),
        shown=start.Shown(detach=detach, visual=visual, output=output),
    )  # fmt: skip
    _end(status)
    return answer


@tool.command(name="exec", show=lambda _: None, status=_exit_status)
def exec_(
    text: Annotated[list[str], Arg("lines of a recipe, - for standard input", metavar="DSL")],
    host: HostOpt = {},  # noqa: B006
    var: VarOpt = {},  # noqa: B006
    storage: StorageOpt = {},  # noqa: B006
) -> JobReport:
    """Run lines of the recipe language: train exec '@gpu > nvidia-smi'

    Hosts are named as they are configured, without definitions; each gets one session for all lines. The output
    is the commands' own, and so is the exit status. Ctrl-C goes to the command. Standard input does not: use a
    here-document.
    """
    from trainsh_recipe.ui import start  # noqa: PLC0415 - for commands that run a job

    lines = sys.stdin.read() if text == ["-"] else "\n".join(text)
    answer, status = start.exec_lines(lines, overrides(host, var, storage, []))
    _end(status)
    return answer


@tool.command(show=_show_run, status=_exit_status)
def resume(
    job: JobArg = None,
    check: Annotated[bool, Opt("show what would happen, and touch nothing")] = False,
    from_: Annotated[str | None, Opt("run again from this step on", metavar="N")] = None,
    retry_lost: Annotated[bool, Opt("run steps again that were lost with their host")] = False,
    edited: Annotated[bool, Opt("take the recipe as it is now; what has run must be unchanged")] = False,
    visual: Visual = True,
    output: ShowOutput = True,
    max_time: MaxTime = None,
    max_cost: MaxCost = None,
    hold: Hold = None,
    abandon: Abandon = False,
    detach: Annotated[bool, Opt("run it in the background, without a terminal", short="-d")] = False,
) -> JobReport | list[Planned]:
    """Resume a job that was interrupted or failed.

    Without a name it is the newest such job. No step runs twice: the host is asked about steps that were started.
    """
    from trainsh_recipe.ui import start  # noqa: PLC0415 - for commands that run a job

    answer, status = start.resume(
        job, check=check, from_step=from_, retry_lost=retry_lost, edited=edited, abandon=abandon,
        limits=Limited(max_time=max_time, max_cost=max_cost, hold=hold),
        shown=start.Shown(detach=detach, visual=visual, output=output),
    )  # fmt: skip
    _end(status)
    return answer


def _show_status(found: list[JobReport]) -> None:
    report.show_jobs(found, "No job runs or waits to be resumed. The others: train recipe jobs")
    report.show_spending(found)
    report.show_checkpoints(found)


@tool.command(show=_show_status)
def status(
    all_: Annotated[bool, Opt("also those that are over")] = False,
) -> list[JobReport]:
    """Show what runs, what was interrupted and can be resumed, and what it costs.

    A job that failed and left a machine running is shown too. For a job that uploads checkpoints (xfer.follow), the
    age of the newest one that is safe is asked.
    """
    found = jobs.open_jobs()
    if all_:
        known = {job.id for job in found}
        found = sorted(
            [*found, *(job for job in jobs.newest() if job.id not in known)], key=lambda job: job.id, reverse=True
        )
    states = [(job, job.state()) for job in found]
    for job, state in states:
        jobs.settle_mark(job, state)
    return [
        structs.replace(report.job_report(job, state, steps=False), checkpoints=report.checkpoints(state))
        for job, state in states
        if state.started and (all_ or state.status in ("running", "interrupted") or state.billing())
    ]


@tool.command(name="jobs", show=report.show_jobs)
def jobs_(
    last: Annotated[int, Opt("how many, the newest first", short="-n", metavar="N")] = jobs.NEWEST,
    exec_: Annotated[bool, Opt("those of train exec, of which the newest 50 are kept", name="--exec")] = False,
    open_: Annotated[bool, Opt("all that are not over: running, interrupted, failed", name="--open")] = False,
) -> list[JobReport]:
    """Show the newest jobs of recipes; with --exec those of train exec, with --open those that are not over."""
    if last < 1:
        raise UsageError(f"-n wants a number of jobs from 1 on, not {last}")
    found = jobs.open_jobs() if open_ else jobs.newest(last, exec_=exec_)
    states = [(job, job.state()) for job in found]
    return [report.job_report(job, state, steps=False) for job, state in states if state.started]


def _show_list(rows: list[RecipeReport]) -> None:
    from trainsh_base.tool.display import table  # noqa: PLC0415 - people only

    if not rows:
        print("No recipes yet, nor in this folder. Make one: train recipe new NAME", file=sys.stderr)
    kept = str(recipes_home())
    table([
        {"name": row.name, "where": "" if row.path.startswith(kept) else "this folder", "about": visible(row.about)}
        for row in rows
    ])  # fmt: skip


@tool.command(name="list", show=_show_list)
def list_() -> list[RecipeReport]:
    """List the recipes: those with names, and those in the current folder.

    A recipe of the current folder that has the name of a kept one is listed by its path: the name alone means the
    kept one.
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
    graph: Annotated[bool, Opt("a Mermaid flowchart of what depends on what")] = False,
    cost: Annotated[bool, Opt("what it would rent now, and what that costs")] = False,
    var: VarOpt = {},  # noqa: B006
    max_time: MaxTime = None,
) -> RecipeText:
    """Show a recipe: its text; with --graph what depends on what; with --cost an estimate before starting."""
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
    name: Annotated[str, Arg("what it is to be called")],
    template: Annotated[str, Opt("what to begin with; an unknown name lists them")] = "minimal",
) -> RecipeReport:
    """Make a new recipe, and say where it is."""
    from trainsh_recipe.ui import editing  # noqa: PLC0415 - for two commands only

    path = editing.create(name, template)
    return RecipeReport(name=path.stem, path=str(path), about=recipes.about(path))


@tool.command(show=lambda edited: print(edited.path))
def edit(name: Annotated[str, Arg("a recipe's name, or its path", kind="recipe")]) -> RecipeReport:
    """Edit a recipe in $VISUAL or $EDITOR; it is checked when the editor is closed."""
    from trainsh_recipe.ui import editing  # noqa: PLC0415 - for two commands only

    path = recipes.find(name)
    editing.edit(path)
    return RecipeReport(name=path.stem, path=str(path), about=recipes.about(path))


_shown = (texts.Selection(), True)  # which lines of the logs to print, and whether with headings


def _show_logs(found: list[LogReport] | Executions) -> None:
    if isinstance(found, list):
        texts.show(found, _shown[0], headings=_shown[1])
        return
    report.show_jobs(found.jobs)
    if found.jobs:
        print("One of them: train recipe logs JOB; the newest: train recipe logs --last", file=sys.stderr)


@tool.command(show=_show_logs)
def logs(
    job: JobArg = None,
    last: Annotated[bool, Opt("the newest job (as with an option and no name)")] = False,
    step: Annotated[str | None, Opt("only this step, its output alone", metavar="N")] = None,
    follow: Annotated[bool, Opt("continue while the job runs", short="-f")] = False,
    grep: Annotated[str | None, Opt("only lines that match", metavar="REGEX")] = None,
    tail: Annotated[int | None, Opt("of each step its last lines", metavar="N")] = None,
    since: Annotated[Duration | None, Opt("only steps that run, or ended so lately", metavar="AGE")] = None,
) -> list[LogReport] | Executions:
    """Show what the steps of a job printed; alone: the newest jobs. train recipe logs --last --tail 20

    Of a line that a progress bar drew again and again, its last state is shown.
    """
    global _shown  # noqa: PLW0603 - how the people face shows it
    if job is not None and last:
        raise UsageError("name a job or say --last, not both")
    if follow and (grep is not None or tail is not None or since is not None):
        raise UsageError(
            "--follow goes with none of --grep, --tail and --since", "train recipe logs --follow | grep ..."
        )
    if tail is not None and tail < 0:
        raise UsageError(f"--tail wants a number of lines, not {tail}")
    wanted = texts.Selection(pattern=texts.compiled(grep), tail=tail)
    if job is None and not (last or step or follow or grep is not None or tail is not None or since is not None):
        return Executions(jobs=jobs_())
    _shown = (wanted, step is None)
    found = jobs.find(job) if job is not None else jobs.last()
    if follow and current().for_people:
        texts.follow_job(found, step)
        return []
    reports = texts.reports(found, found.state(), step, since)
    if current().for_people:
        if not reports:
            print("No step to show: none ran, or none so lately. See: train recipe jobs", file=sys.stderr)
        return reports
    return [structs.replace(each, text=texts.text(each, wanted)) for each in reports]


@tool.command()
def attach(
    job: JobArg = None,
    session: Annotated[str | None, Opt("which of its sessions", metavar="NAME")] = None,
) -> Handover:
    """Give the terminal to a job's tmux session, on its host; C-b d gives it back."""
    from trainsh_recipe.ui import remote_control  # noqa: PLC0415 - for jobs of other processes

    return remote_control.attach(remote_control.choose(job), session)


@tool.command(show=lambda _: None, status=lambda answer: 0 if answer.status in ("ok", "running") else 1)
def watch(job: JobArg = None, visual: Visual = True, output: ShowOutput = True) -> JobReport:
    """Show a job that runs in the background, until it ends. Ctrl-C ends the watching alone."""

    from trainsh_recipe.ui import remote_control  # noqa: PLC0415 - for jobs of other processes

    return remote_control.show(remote_control.choose(job), visual=visual, show_output=output)


@tool.command(show=lambda answer: print(f"job {jobs.short(answer.id)} {answer.status}"))
def cancel(job: JobArg = None, abandon: Abandon = False) -> JobReport:
    """Cancel a job: the running one, or an interrupted one by its id. Its running step is ended, finally runs.

    If a machine is being kept for a failed job or for a required output, cancelling the job ends that.
    """

    from trainsh_recipe.ui import remote_control  # noqa: PLC0415 - for jobs of other processes

    found = remote_control.cancel(job, abandon=abandon)
    return report.job_report(found, found.state())


@tool.command(show=lambda answer: print(f"job {jobs.short(answer.id)}: what is required of it is given up"))
def abandon(job: JobArg = None) -> JobReport:
    """Give up required outputs of a job that have not arrived, so that its machines can be released.

    \b
    train recipe abandon 5f01
    """
    from trainsh_recipe.ui import remote_control  # noqa: PLC0415 - for jobs of other processes

    found = remote_control.abandon(job)
    return report.job_report(found, found.state())


def _show_removed(found: list[Removed]) -> None:
    for each in found:
        print(f"removed {each.name}")
    if not found:
        print("No job is over, or none for so long: nothing was removed.", file=sys.stderr)


@tool.command(show=_show_removed)
def rm(
    name: Annotated[
        list[str], Arg("jobs (their ids, or ends of them) and recipes", metavar="JOB|RECIPE", kind="job")
    ] = [],  # noqa: B006
    older_than: Annotated[Duration | None, Opt("every job that ended so long ago", metavar="AGE")] = None,
    all_: Annotated[bool, Opt("every job that is over")] = False,
    yes: Annotated[bool, Opt("do not ask", short="-y")] = False,
) -> list[Removed]:
    """Remove jobs (journals and logs), or recipes by name: train recipe rm --older-than 30d

    What jobs left on hosts stays there. Jobs that run are refused; --older-than and --all leave out also those that
    were interrupted.
    """
    from trainsh_recipe.ui import removing  # noqa: PLC0415 - for one command

    return removing.remove(removing.meant(name, older_than=older_than, all_=all_), yes=yes)


def main() -> None:
    """Run train-recipe."""
    run_tool(tool)
