"""train-recipe: the commands, and how their answers are shown."""

import os
import sys
from typing import Annotated

from trainsh_base.errors import UsageError
from trainsh_base.request import current
from trainsh_base.tool import Arg, Opt, Tool
from trainsh_base.units import Duration

from trainsh_recipe import jobs, launch, lookup, report, running
from trainsh_recipe.launch import Overrides, Source
from trainsh_recipe.model import JobReport

tool = Tool("recipe", "Run recipes, and look after what runs")

HostOpt = Annotated[dict[str, str], Opt("what a host of the recipe is", name="--host", metavar="NAME=SPEC")]
StorageOpt = Annotated[dict[str, str], Opt("what a storage of the recipe is", name="--storage", metavar="NAME=SPEC")]
VarOpt = Annotated[dict[str, str], Opt("the value of a variable", name="--var", metavar="NAME=VALUE")]
Visual = Annotated[bool, Opt("the live view on a terminal; else plain lines")]
ShowOutput = Annotated[bool, Opt("with plain lines: also what the steps print", name="--output")]
MaxTime = Annotated[Duration | None, Opt("cancel the job when it has run for so long")]

_status = 0


def _exit_status(_report: object) -> int:
    return _status


def _end(status: int) -> None:
    global _status  # noqa: PLW0603 - the framework asks for it once the answer is there
    _status = status


def overrides(host: dict[str, str], var: dict[str, str], storage: dict[str, str], words: list[str]) -> Overrides:
    """What the command line sets, `VAR=value` words with it."""
    values = dict(var)
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name:
            raise UsageError(f"not VAR=value: {word!r}", "variables are set by NAME=VALUE or --var NAME=VALUE")
        values[name] = value
    found = {"hosts": host, "vars": values, "storages": storage}
    return {kind: given for kind, given in found.items() if given}


@tool.command(show=lambda _: None, status=_exit_status)
def run(
    name: Annotated[str, Arg("a recipe's name, or its path (with a slash, or ending in .recipe)")],
    values: Annotated[list[str], Arg("values of variables", metavar="VAR=VALUE")] = [],  # noqa: B006
    host: HostOpt = {},  # noqa: B006
    var: VarOpt = {},  # noqa: B006
    storage: StorageOpt = {},  # noqa: B006
    visual: Visual = True,
    output: ShowOutput = False,
    max_time: MaxTime = None,
) -> JobReport:
    """Run a recipe.

    Exit status: 0 it went well; 1 a step failed or timed out; 2 it was refused before it began; 130, 143, 129 it
    was left by Ctrl-C, SIGTERM, SIGHUP, and can be resumed.
    """
    source = launch.from_file(lookup.find(name))
    given = overrides(host, var, storage, values)
    document, digest = launch.parse(source, given)
    begun = launch.begin(source, document, digest, given, max_time)
    view = running.choose_view(current(), visual=visual, show_output=output)
    runner = running.make_runner(begun, view, running.menu)
    state, status = running.carry_out(begun, runner)
    _end(status)
    return report.job_report(begun.job, state)


def main() -> None:
    """Run train-recipe."""
    tool.main()
