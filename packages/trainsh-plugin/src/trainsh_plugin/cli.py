"""The commands of train-plugin."""

import sys
from typing import Annotated, Literal

from trainsh_base.errors import UsageError
from trainsh_base.provider.installed import Provider, installed
from trainsh_base.request import current
from trainsh_base.tool.declare import Arg, Handover, Opt, Tool
from trainsh_base.tool.program import run
from trainsh_plugin.model import Report, Written

tool = Tool("plugin", "Write your own tools and providers, and check them")


def main() -> None:
    """Run train-plugin."""
    run(tool)


def _show_report(report: Report) -> None:
    from trainsh_base.tool.display import show  # noqa: PLC0415 - for people only

    show(report.rows)
    said = f"{report.failed} failed" if report.failed else "all hold"
    print(f"train-{report.name}: {said}", file=sys.stderr)


@tool.command()
def new(
    name: Annotated[str, Arg("the name of the tool, as in: train NAME")],
    *,
    lang: Annotated[Literal["sh", "python"], Opt("the language")] = "sh",
    hosts: Annotated[bool, Opt("create a provider of machines (default: a tool with one command)")] = False,
    into: Annotated[str, Opt("the folder to create it in", metavar="FOLDER", kind="folder")] = ".",
) -> Written:
    """Create a working tool and its test in the folder train-NAME.

    \b
    train plugin new acme --hosts
    train-acme/test.sh
    """
    from trainsh_plugin import writing  # noqa: PLC0415 - help does without

    return writing.write(name, lang, hosts, into)


@tool.command(show=_show_report, status=lambda report: 1 if report.failed else 0)
def check(
    name: Annotated[str, Arg("the tool's name such as acme, or the path of train-acme")],
    *,
    set_: Annotated[
        dict[str, str] | None, Opt("a parameter of pick (repeatable)", name="--set", metavar="NAME=VALUE")
    ] = None,
    no_rent: Annotated[bool, Opt("rent no machine, and skip the checks that need one")] = False,
    yes: Annotated[bool, Opt("do not ask before machines are rented")] = False,
) -> Report:
    """Check a tool against the rules of docs/providers.md; exit 1 if a check fails.

    For a provider, about eight machines are rented and destroyed, one after the other.
    """
    from trainsh_plugin.check import checks  # noqa: PLC0415 - help does without
    from trainsh_plugin.check.subject import Subject  # noqa: PLC0415 - as above

    with Subject(name, set_ or {}) as subject:
        rents = subject.provides and not no_rent
        if rents and not yes:
            question = f"This check rents machines of {subject.name} and destroys them again. Continue?"
            if current().ask("confirm", question, default="no", flag="--yes, or --no-rent") != "yes":
                raise UsageError("nothing was checked", f"train plugin check {name} --no-rent", code="refused")
        return checks.report(subject, rents)


@tool.command(name="list")
def list_() -> list[Provider]:
    """List the tools that provide machines, with their paths."""
    return installed()


@tool.command()
def locked(
    name: Annotated[str, Arg("the lock: provider, job and host, such as acme-JOB-gpu")],
    command: Annotated[list[str], Arg("the command to run under the lock, after --", "COMMAND")],
) -> Handover:
    """Run a command under a lock: for providers, so that only one process looks for a machine and rents it.

    The command ignores Ctrl-C, hangup and SIGTERM. The lock is released when the command ends, even if its caller
    ended before that.
    """
    from trainsh_plugin import locking  # noqa: PLC0415 - help does without

    return locking.locked(name, command)
