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
tool = Tool("recipe", "Run recipes; watch, resume and stop their jobs")

HostOpt = Annotated[
    dict[str, str],
    Opt("the machine for a host of the recipe", name="--host", metavar="NAME=SPEC", kind="recipe-host"),
]
StorageOpt = Annotated[
    dict[str, str],
    Opt(
        "the storage for a storage name of the recipe", name="--storage", metavar="NAME=SPEC", kind="recipe-storage"
    ),
]
VarOpt = Annotated[
    dict[str, str], Opt("the value of a variable", name="--var", metavar="NAME=VALUE", kind="recipe-var")
]
Visual = Annotated[bool, Opt("show the live view on a terminal, else plain lines")]
ShowOutput = Annotated[bool, Opt("with plain lines: also show what the steps print")]
JobArg = Annotated[
    str | None, Arg("the job's id, or the beginning or end of the id", metavar="JOB", kind="job", also=("id",))
]
MaxTime = Annotated[
    Duration | None, Opt("cancel the job when it has run for this long", metavar="DURATION", kind="duration")
]
MaxCost = Annotated[
    float | None, Opt("cancel the job when it has cost this many dollars", metavar="USD", kind="money")
]
Hold = Annotated[
    Duration | None,
    Opt("keep a machine at most this long for a required output", metavar="DURATION", kind="duration"),
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
    name: Annotated[str, Arg("the recipe's name (in the settings folder or this one), or its path", kind="recipe")],
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
    dry_run: Annotated[bool, Opt("resolve all names and show the steps, but change nothing", short="-n")] = False,
) -> JobReport | list[Planned]:
    """Run a recipe.

    Exit status: 0 success; 1 a step failed or timed out; 2 the recipe was refused before its first step;
    130, 143, 129 the job was interrupted by Ctrl-C, SIGTERM, SIGHUP, and can be resumed.
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

    A host is given by its configured name and needs no definition; each host gets one session for all lines. The
    output and the exit status are those of the commands. Ctrl-C is passed to the running command, standard input
    is not: use a here-document.
    """
    from trainsh_recipe.ui import start  # noqa: PLC0415 - for commands that run a job

    lines = sys.stdin.read() if text == ["-"] else "\n".join(text)
    answer, status = start.exec_lines(lines, overrides(host, var, storage, []))
    _end(status)
    return answer


@tool.command(show=_show_run, status=_exit_status)
def resume(
    job: JobArg = None,
    check: Annotated[bool, Opt("show what would happen, but change nothing")] = False,
    from_: Annotated[str | None, Opt("run this step and all later ones again", metavar="N")] = None,
    retry_lost: Annotated[bool, Opt("run lost steps again (their host or session is gone)")] = False,
    edited: Annotated[bool, Opt("use the recipe as edited since; steps that have run must be unchanged")] = False,
    visual: Visual = True,
    output: ShowOutput = True,
    max_time: MaxTime = None,
    max_cost: MaxCost = None,
    hold: Hold = None,
    abandon: Abandon = False,
    detach: Annotated[bool, Opt("run it in the background, without a terminal", short="-d")] = False,
) -> JobReport | list[Planned]:
    """Resume a job that was interrupted or failed.

    Without JOB, the newest such job is resumed. No step runs twice: if it is not known how a step ended, the host
    is asked.
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
    report.show_jobs(found, "No job is running or can be resumed. Other jobs: train recipe jobs")
    report.show_spending(found)
    report.show_checkpoints(found)


@tool.command(show=_show_status)
def status(
    all_: Annotated[bool, Opt("also show jobs that are over")] = False,
) -> list[JobReport]:
    """Show the jobs that run or can be resumed, and what they cost.

    A failed job is shown too if it left a machine running. For a job that uploads checkpoints (xfer.follow), the
    age of the newest uploaded checkpoint is shown.
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
    from trainsh_base.tool.display import table  # noqa: PLC0415 - people only

    if not rows:
        print("There is no recipe yet. Create one: train recipe new NAME", file=sys.stderr)
    kept = str(recipes_home())
    table([
        {"name": row.name, "where": "" if row.path.startswith(kept) else "this folder", "about": visible(row.about)}
        for row in rows
    ])  # fmt: skip


@tool.command(name="list", show=_show_list)
def list_() -> list[RecipeReport]:
    """List the recipes in the settings folder and in the current folder.

    If both folders have a recipe of the same name, the name means the one in the settings folder. The other one is
    listed by its path.
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


_shown = (texts.Selection(), True)  # which lines of the logs to print, and whether with headings


def _show_logs(found: list[LogReport] | Executions) -> None:
    if isinstance(found, list):
        texts.show(found, _shown[0], headings=_shown[1])
        return
    report.show_jobs(found.jobs)
    if found.jobs:
        print(
            "To show a job's output: train recipe logs JOB, or for the newest job: train recipe logs --last",
            file=sys.stderr,
        )


@tool.command(show=_show_logs)
def logs(
    job: JobArg = None,
    last: Annotated[bool, Opt("show the newest job (the default if there is another option)")] = False,
    step: Annotated[str | None, Opt("show the output of this step only", metavar="N")] = None,
    follow: Annotated[bool, Opt("show new output too, until the job ends", short="-f")] = False,
    grep: Annotated[str | None, Opt("show only lines that match", metavar="REGEX")] = None,
    tail: Annotated[int | None, Opt("show only the last N lines of each step", metavar="N")] = None,
    since: Annotated[
        Duration | None, Opt("show only steps that still run or ended within this time", metavar="AGE")
    ] = None,
) -> list[LogReport] | Executions:
    """Show what the steps of a job printed: train recipe logs --last --tail 20

    Without arguments, list the newest jobs. If a progress bar redrew a line, only its last state is shown.
    """
    global _shown  # noqa: PLW0603 - how the people face shows it
    if job is not None and last:
        raise UsageError("pass JOB or --last, not both")
    if follow and (grep is not None or tail is not None or since is not None):
        raise UsageError(
            "--follow cannot be combined with --grep, --tail or --since", "train recipe logs --follow | grep ..."
        )
    if tail is not None and tail < 0:
        raise UsageError(f"--tail must be 0 or more, not {tail}")
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
            print("No step has run, or none within that time. See: train recipe jobs", file=sys.stderr)
        return reports
    return [structs.replace(each, text=texts.text(each, wanted)) for each in reports]


@tool.command()
def attach(
    job: JobArg = None,
    session: Annotated[
        str | None, Opt("the session (default: the one of the running step)", metavar="NAME")
    ] = None,
) -> Handover:
    """Attach the terminal to a job's tmux session on its host; C-b d detaches."""
    from trainsh_recipe.ui import remote_control  # noqa: PLC0415 - for jobs of other processes

    return remote_control.attach(remote_control.choose(job), session)


@tool.command(show=lambda _: None, status=lambda answer: 0 if answer.status in ("ok", "running") else 1)
def watch(job: JobArg = None, visual: Visual = True, output: ShowOutput = True) -> JobReport:
    """Show a job that runs in the background, until it ends. Ctrl-C stops the display, not the job."""

    from trainsh_recipe.ui import remote_control  # noqa: PLC0415 - for jobs of other processes

    return remote_control.show(remote_control.choose(job), visual=visual, show_output=output)


@tool.command(show=lambda answer: print(f"job {jobs.short(answer.id)} {answer.status}"))
def cancel(job: JobArg = None, abandon: Abandon = False) -> JobReport:
    """Cancel the running job, or an interrupted one by its id: its running step is ended, then finally runs.

    If a machine is kept because the job failed or a required output has not arrived, cancelling the job releases
    the machine.
    """

    from trainsh_recipe.ui import remote_control  # noqa: PLC0415 - for jobs of other processes

    found = remote_control.cancel(job, abandon=abandon)
    return report.job_report(found, found.state())


@tool.command(show=lambda answer: print(f"job {jobs.short(answer.id)}: its required outputs were given up"))
def abandon(job: JobArg = None) -> JobReport:
    """Give up a job's required outputs that have not arrived, so that its machines can be released.

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
        print("Nothing was removed: no job is over, or none for that long.", file=sys.stderr)


@tool.command(show=_show_removed)
def rm(
    name: Annotated[
        list[str], Arg("ids of jobs (or the ends of ids), and names of recipes", metavar="JOB|RECIPE", kind="job")
    ] = [],  # noqa: B006
    older_than: Annotated[
        Duration | None, Opt("remove every job that ended longer ago than this", metavar="AGE")
    ] = None,
    all_: Annotated[bool, Opt("remove every job that is over")] = False,
    yes: Annotated[bool, Opt("do not ask", short="-y")] = False,
) -> list[Removed]:
    """Remove jobs (journals and logs), or recipes by name: train recipe rm --older-than 30d

    Files that jobs left on hosts stay there. A running job is refused; --older-than and --all also skip
    interrupted jobs.
    """
    from trainsh_recipe.ui import removing  # noqa: PLC0415 - for one command

    return removing.remove(removing.meant(name, older_than=older_than, all_=all_), yes=yes)


def main() -> None:
    """Run train-recipe."""
    run_tool(tool)
