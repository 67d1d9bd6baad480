"""The commands that run a job: run, exec, resume."""

import sys
from typing import Annotated

from trainsh_base.errors import UsageError
from trainsh_base.tool.declare import Arg, Opt
from trainsh_recipe.commands.parameters import (
    Abandon,
    Hold,
    HostOpt,
    JobArg,
    MaxCost,
    MaxTime,
    ShowOutput,
    StorageOpt,
    VarOpt,
    Visual,
    tool,
)
from trainsh_recipe.model import JobReport, Planned
from trainsh_recipe.store.options import Limited

_status = 0


def _exit_status(_report: object) -> int:
    return _status


def _end(status: int) -> None:
    global _status  # noqa: PLW0603 - the framework asks for it once the answer is there
    _status = status


def overrides(
    host: dict[str, str], var: dict[str, str], storage: dict[str, str], words: list[str]
) -> dict[str, dict[str, str]]:
    """Return the overrides of the command line, which are options or arguments of the form `VAR=value`."""
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
        from trainsh_recipe.ui import reports  # noqa: PLC0415 - for --dry-run and --check only

        reports.show_planned(answer)


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
    130, 143, 129, 141 the job was interrupted by Ctrl-C, SIGTERM, SIGHUP, a closed pipe, and can be resumed.
    """
    from trainsh_recipe.store import recipes  # noqa: PLC0415 - not for `exec`
    from trainsh_recipe.ui import start  # noqa: PLC0415 - for commands that run a job

    given = overrides(host, var, storage, values)
    answer, status = start.run(
        recipes.find(name), given, pick_host=pick_host, dry_run=dry_run,
        limits=Limited(max_time=max_time, max_cost=max_cost, hold=hold),
        shown=start.Shown(detach=detach, visual=visual, output=output),
    )  # fmt: skip
    _end(status)
    return answer


def _check_words(text: list[str]) -> None:
    """Raise UsageError for `train exec HOST -- COMMAND`, which is how other programs are called."""
    first, *words = text
    if not words or not first.isascii() or first in ("parallel", "finally", "end"):
        return
    if not first[:1].isalpha() or not first.replace("-", "_").replace(":", "_").isidentifier():
        return
    if any(word.lstrip().startswith("@") for word in words):
        return
    import shlex  # noqa: PLC0415 - only an error needs it

    command = shlex.join(words)
    raise UsageError(
        "train exec takes lines of a recipe, not a host and a command", f"train host run {first} -- {command}"
    )


@tool.command(name="exec", show=lambda _: None, status=_exit_status)
def exec_(
    text: Annotated[list[str], Arg("lines of a recipe, - for standard input", metavar="DSL")],
    host: HostOpt = {},  # noqa: B006
    var: VarOpt = {},  # noqa: B006
    storage: StorageOpt = {},  # noqa: B006
) -> JobReport:
    """Run lines of the recipe language: train exec '@gpu > nvidia-smi'

    A host is given by its configured name and needs no definition. All lines for a host run in one session. The
    output and the exit status are those of the commands. Ctrl-C is passed to the running command. Standard input is
    not passed to it: use a here-document.
    """
    from trainsh_recipe.ui import exec_run  # noqa: PLC0415 - for commands that run a job

    _check_words(text)
    lines = sys.stdin.read() if text == ["-"] else "\n".join(text)
    answer, status = exec_run.run(lines, overrides(host, var, storage, []))
    _end(status)
    return answer


@tool.command(show=_show_run, status=_exit_status)
def resume(
    job: JobArg = None,
    check: Annotated[bool, Opt("show what would happen, but change nothing")] = False,
    from_: Annotated[str | None, Opt("run this step and all later ones again", metavar="N")] = None,
    retry_lost: Annotated[bool, Opt("run lost steps again (their host or session is gone)")] = False,
    edited: Annotated[bool, Opt("use the edited recipe; the steps that are done must be unchanged in it")] = False,
    host: HostOpt = {},  # noqa: B006
    visual: Visual = True,
    output: ShowOutput = True,
    max_time: MaxTime = None,
    max_cost: MaxCost = None,
    hold: Hold = None,
    abandon: Abandon = False,
    detach: Annotated[bool, Opt("run it in the background, without a terminal", short="-d")] = False,
) -> JobReport | list[Planned]:
    """Resume a job that was interrupted or failed.

    Without JOB, the newest job is resumed. No step runs twice: if it is not known how a step ended, the host is
    asked. The job continues with the text and the values that it began with; to change a command, edit the recipe
    and give --edited. On another machine (--host), the steps that ran on the old one run again.
    """
    from trainsh_recipe.ui import start  # noqa: PLC0415 - for commands that run a job

    answer, status = start.resume(
        job, check=check, from_step=from_, retry_lost=retry_lost, edited=edited, hosts=host,
        abandon=abandon,
        limits=Limited(max_time=max_time, max_cost=max_cost, hold=hold),
        shown=start.Shown(detach=detach, visual=visual, output=output),
    )  # fmt: skip
    _end(status)
    return answer
