"""Commands that use the connection to a machine: ssh, run, forward, disconnect, resolve."""

from typing import Annotated, Any

from trainsh_base.errors import UsageError
from trainsh_base.remote.target import Target
from trainsh_base.request import current
from trainsh_base.tool.declare import Arg, Handover, Opt
from trainsh_host.commands.parameters import Name, tool
from trainsh_host.forward.model import Forward
from trainsh_host.model import Ran
from trainsh_host.ways.resolve import resolve as find


@tool.command()
def ssh(
    name: Name,
    command: Annotated[list[str], Arg("the command to run instead of a shell, after --", "COMMAND")] = [],  # noqa: B006
) -> Handover:
    """Open a shell on a machine, or run a command on it, using ssh directly.

    ssh takes over the terminal, and uses the shared connection to the machine if there is one.
    """
    from trainsh_host.ways import command as commands  # noqa: PLC0415 - so that `resolve` starts fast

    target = find(name)
    commands.ensure_if_stored(target, current())
    line = commands.shell_line(command) if command else None
    return Handover(argv=commands.handover_argv(target, line), env=target.env)


@tool.command(show=lambda ran: None, status=lambda ran: ran.exit)
def run(
    name: Name,
    command: Annotated[
        list[str], Arg("the command, after --; a single argument is run as a line by the shell there", "COMMAND")
    ],
) -> Ran:
    """Run a command on a machine, and exit with the command's status.

    The command's standard streams are passed through byte for byte. With --json, its output is part of the answer.
    """
    from trainsh_host.ways import command as commands  # noqa: PLC0415 - so that `resolve` starts fast

    return commands.run(find(name), commands.shell_line(command), current())


def _show_forwards(forwards: list[Forward]) -> None:
    from trainsh_host.forward.display import print_forwards  # noqa: PLC0415 - only output for people needs it

    print_forwards(forwards)


@tool.command(show=_show_forwards)
def forward(
    name: Annotated[str | None, Arg("a host's name or spec", "NAME", kind="host")] = None,
    ports: Annotated[
        list[str], Arg("8888, LOCAL:REMOTE, or LOCAL:HOST:REMOTE for another machine that this one reaches", "PORT")
    ] = [],  # noqa: B006
    *,
    detach: Annotated[bool, Opt("keep the forward running in the background", short="-d")] = False,
    list_: Annotated[bool, Opt("list the forwards", name="--list")] = False,
    stop: Annotated[bool, Opt("end all forwards of the host, or only those of the given ports")] = False,
    all_: Annotated[bool, Opt("with --stop: of every host", name="--all")] = False,
    bind: Annotated[str, Opt("the address of this machine to listen on", metavar="ADDRESS")] = "127.0.0.1",
) -> list[Forward]:
    """Forward local ports to ports of a machine, for instance for Jupyter or TensorBoard.

    The forward lasts until Ctrl-C or, with --detach, until --stop. A lost connection is made again, with growing
    pauses. Only programs on this machine can use the local ports, unless --bind is given.

    \b
    train host forward gpu 8888 6006
    train host forward gpu 9999:8888 --detach
    train host forward gpu --stop
    """
    from trainsh_host.forward import commands  # noqa: PLC0415 - so that `resolve` starts fast

    if list_:
        return commands.listed(name)
    if stop:
        return commands.stop(name, ports, all_)
    if name is None:
        raise UsageError("forward ports of which machine?", "usage: train host forward NAME PORT...")
    return commands.start(name, ports, bind, detach=detach, resolve=find, request=current())


def _say_disconnected(ended: dict[str, Any]) -> None:
    count = ended["connections"]
    print(f"ended {count} connection{'' if count == 1 else 's'}" if count else "nothing was connected")


@tool.command(show=_say_disconnected)
def disconnect(
    name: Annotated[str | None, Arg("a host's name or spec", "NAME", kind="host")] = None,
    all_: Annotated[bool, Opt("every machine", name="--all")] = False,
) -> dict[str, Any]:
    """Close the shared connection to a machine.

    Programs in the machine's sessions keep running.
    """
    from trainsh_base.remote import ssh as connections  # noqa: PLC0415 - so that `resolve` starts fast

    if (name is None) != all_:
        raise UsageError("name a machine, or pass --all", "usage: train host disconnect NAME")
    return {"connections": connections.disconnect_all() if name is None else connections.disconnect(find(name))}


@tool.command()
def resolve(
    name: Name,
    from_tool: Annotated[
        bool, Opt("the spec comes from another tool's answer: accept only harmless ssh options")
    ] = False,
    machine: Annotated[str, Opt("with --from-tool: the id under which its host key is kept", metavar="ID")] = "",
) -> Target:
    """Print how a machine is reached, for programs.

    The answer is the argv that starts ssh, with related settings; the other tools use it. No connection is made.
    """
    if from_tool:
        return find(name, from_tool=True, machine=machine)
    from trainsh_host.ways import kept  # noqa: PLC0415 - for `resolve` only

    return kept.resolve(name)
