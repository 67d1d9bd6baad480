"""Commands that look at a machine: test, browse, gpus."""

from typing import Annotated

from trainsh_base.request import current
from trainsh_base.system.units import Duration
from trainsh_base.tool.declare import Arg, Opt
from trainsh_host.browse.model import Entry
from trainsh_host.commands.parameters import Name, on_terminal, tool
from trainsh_host.gpus.model import HostGpus
from trainsh_host.model import Stage
from trainsh_host.ways.resolve import resolve as find

GPUS_LIMIT, GPUS_EVERY = Duration(20), Duration(2)


@tool.command(
    show=lambda stages: None, status=lambda stages: next((stage.exit for stage in stages if stage.exit), 0)
)
def test(name: Name) -> list[Stage]:
    """Test every stage of reaching a machine.

    The stages are name, port, host key, authentication, shell, tmux, processes, rsync, rclone, GPU and disk. The
    exit status is that of the first stage that failed: 8 unreachable, 4 login refused, 7 shell, GPU or disk, 9 the
    machine lacks a program.
    """
    from trainsh_host.checks.display import stage_lines  # noqa: PLC0415 - only output for people needs it
    from trainsh_host.checks.stages import test as stages  # noqa: PLC0415 - so that `resolve` starts fast

    request, target = current(), find(name)
    found: list[Stage] = []
    for stage in stages(target, request):
        found.append(stage)
        if request.for_people:  # for people, each stage was printed when it ended, so no answer is left to print
            print(stage_lines(stage), flush=True)
        else:
            total = 11 if target.kind == "ssh" else 6
            request.emit("progress", done=len(found), total=total, unit="stages", message=stage.name)
    return found


def _show_entries(entries: list[Entry]) -> None:
    from trainsh_host.browse.listing import print_entries  # noqa: PLC0415 - only output for people needs it

    print_entries(entries)


@tool.command(show=_show_entries)
def browse(
    name: Name,
    path: Annotated[str, Arg("the first folder to show (default: the home folder)", "PATH")] = "",
) -> list[Entry]:
    """Browse the files of a machine: view, download, upload and delete them.

    On a terminal this is a full-screen program that shows its keys; ? lists all of them. Without a terminal, or
    with --json, the files in PATH are listed.
    """
    from trainsh_host.browse import listing  # noqa: PLC0415 - so that `resolve` starts fast

    request = current()
    if not (request.for_people and on_terminal() and _shows_screens()):
        return listing.listing(find(name), path, request)
    from trainsh_host.browse.screen import browse as walk  # noqa: PLC0415 - loads textual

    walk(name, find(name), path, request)
    return []


def _shows_screens() -> bool:
    import os  # noqa: PLC0415 - only then
    import sys  # noqa: PLC0415 - as above

    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def _show_gpus(rows: list[HostGpus]) -> None:
    from trainsh_host.gpus.display import print_gpus  # noqa: PLC0415 - only output for people needs it

    print_gpus(rows)


def _gpus_status(rows: list[HostGpus]) -> int:
    return next((row.exit for row in rows if row.exit), 0)


@tool.command(show=_show_gpus, status=_gpus_status)
def gpus(
    names: Annotated[
        list[str],
        Arg("hosts (default: every configured one, and running machines of providers)", "NAME", kind="host"),
    ] = [],  # noqa: B006
    watch: Annotated[
        bool, Opt("update the display until q or Ctrl-C is pressed, with a short history", short="-w")
    ] = False,
    every: Annotated[Duration, Opt("with --watch: the time between two updates", kind="duration")] = GPUS_EVERY,
    timeout: Annotated[Duration, Opt("the time limit for each host", kind="duration")] = GPUS_LIMIT,
) -> list[HostGpus]:
    """Show the GPUs of hosts: memory, use, temperature, power, and the processes on them with their owners.

    nvidia-smi runs on all hosts at once. A host whose GPUs cannot be read gets a row with the error. The exit
    status is that of the first such error. A host without a GPU gets a row too, and this is not an error.
    """
    from trainsh_host.gpus import looking, watching  # noqa: PLC0415 - so that `resolve` starts fast

    hosts = looking.watched(names or looking.every(), find, float(timeout))
    try:
        return watching.watch(hosts, float(every), current()) if watch else looking.look(hosts)
    finally:
        looking.close(hosts)
