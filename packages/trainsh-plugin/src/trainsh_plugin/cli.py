"""The commands of train-plugin."""

import sys
from typing import Annotated, Literal

from trainsh_base.errors import UsageError
from trainsh_base.provider.installed import Provider, installed
from trainsh_base.request import current
from trainsh_base.tool.declare import Arg, Handover, Opt, Tool
from trainsh_base.tool.program import run
from trainsh_plugin.model import Report, Written

tool = Tool("plugin", "Write tools and providers of your own, and check them")


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
    name: Annotated[str, Arg("what it is called: train NAME")],
    *,
    lang: Annotated[Literal["sh", "python"], Opt("the language")] = "sh",
    hosts: Annotated[bool, Opt("a provider of machines (else a tool with one command)")] = False,
    into: Annotated[str, Opt("the folder it is written into", metavar="FOLDER", kind="folder")] = ".",
) -> Written:
    """Write a tool that works, with its test, into the folder train-NAME.

    \b
    train plugin new acme --hosts
    train-acme/test.sh
    """
    from trainsh_plugin import writing  # noqa: PLC0415 - help does without

    return writing.write(name, lang, hosts, into)


@tool.command(show=_show_report, status=lambda report: 1 if report.failed else 0)
def check(
    name: Annotated[str, Arg("the tool: acme, or the path of train-acme")],
    *,
    set_: Annotated[
        dict[str, str] | None, Opt("a parameter of pick (repeatable)", name="--set", metavar="NAME=VALUE")
    ] = None,
    no_rent: Annotated[bool, Opt("rent no machine: leave out the checks that need one")] = False,
    yes: Annotated[bool, Opt("do not ask before it rents")] = False,
) -> Report:
    """Hold a tool against what docs/providers.md asks; exit 1 when a check fails.

    A provider's machines are rented and destroyed on the way: about eight, one after the other.
    """
    from trainsh_plugin.check import checks  # noqa: PLC0415 - help does without
    from trainsh_plugin.check.subject import Subject  # noqa: PLC0415 - as above

    with Subject(name, set_ or {}) as subject:
        rents = subject.provides and not no_rent
        if rents and not yes:
            question = f"This rents machines of {subject.name} and destroys them again. Go on?"
            if current().ask("confirm", question, default="no", flag="--yes, or --no-rent") != "yes":
                raise UsageError("nothing was checked", f"train plugin check {name} --no-rent", code="refused")
        return checks.report(subject, rents)


@tool.command(name="list")
def list_() -> list[Provider]:
    """List the tools that provide machines, and where each is."""
    return installed()


@tool.command()
def locked(
    name: Annotated[str, Arg("the lock: provider, job and host, such as acme-JOB-gpu")],
    command: Annotated[list[str], Arg("what runs while it is held, after --", "COMMAND")],
) -> Handover:
    """Run a command under a lock that outlives whoever asked: for providers, around look and create.

    The command ignores Ctrl-C, hangup and SIGTERM. The lock is released when it has ended, whoever is gone by then.
    """
    from trainsh_plugin import locking  # noqa: PLC0415 - help does without

    return locking.locked(name, command)
