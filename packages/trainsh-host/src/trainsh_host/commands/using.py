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
    command: Annotated[list[str], Arg("what to run instead of a shell, after --", "COMMAND")] = [],  # noqa: B006
) -> Handover:
    """Open a shell on a machine, or run a command on it, using ssh directly.

    The terminal is given to ssh. The shared connection carries it when there is one.
    """
    from trainsh_host.ways import command as commands  # noqa: PLC0415 - resolve is the fast path

    target = find(name)
    commands.ensure_if_stored(target, current())
    line = commands.shell_line(command) if command else None
    return Handover(argv=commands.handover_argv(target, line), env=target.env)


@tool.command(show=lambda ran: None, status=lambda ran: ran.exit)
def run(
    name: Name,
    command: Annotated[list[str], Arg("the command, after --; one word is a line for its shell", "COMMAND")],
) -> Ran:
    """Run a command on a machine and end with its status.

    Its standard streams are ours, byte for byte. With --json they are collected.
    """
    from trainsh_host.ways import command as commands  # noqa: PLC0415 - resolve is the fast path

    return commands.run(find(name), commands.shell_line(command), current())


def _show_forwards(forwards: list[Forward]) -> None:
    from trainsh_host.forward.display import print_forwards  # noqa: PLC0415 - for people only

    print_forwards(forwards)


@tool.command(show=_show_forwards)
def forward(
    name: Annotated[str | None, Arg("a host's name or spec", "NAME", kind="host")] = None,
    ports: Annotated[
        list[str], Arg("8888, LOCAL:REMOTE, or LOCAL:HOST:REMOTE for a machine behind it", "PORT")
    ] = [],  # noqa: B006
    *,
    detach: Annotated[bool, Opt("leave it running in the background", short="-d")] = False,
    list_: Annotated[bool, Opt("list what is forwarded", name="--list")] = False,
    stop: Annotated[bool, Opt("end the forwards of the host, or only those of the ports named")] = False,
    all_: Annotated[bool, Opt("with --stop: of every host", name="--all")] = False,
    bind: Annotated[str, Opt("the address of this machine to listen on", metavar="ADDRESS")] = "127.0.0.1",
) -> list[Forward]:
    """Bring ports of a machine to this one: Jupyter, TensorBoard.

    It lasts until Ctrl-C, or until --stop with --detach. A lost connection is made again, with growing pauses. Only
    programs on this machine reach the ports, unless --bind says otherwise.

    \b
    train host forward gpu 8888 6006
    train host forward gpu 9999:8888 --detach
    train host forward gpu --stop
    """
    from trainsh_host.forward import commands  # noqa: PLC0415 - resolve is the fast path

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
    """End the shared connection to a machine.

    What runs in its sessions goes on.
    """
    from trainsh_base.remote import ssh as connections  # noqa: PLC0415 - resolve is the fast path

    if (name is None) != all_:
        raise UsageError("say which machine, or --all", "usage: train host disconnect NAME")
    return {"connections": connections.disconnect_all() if name is None else connections.disconnect(find(name))}


@tool.command()
def resolve(
    name: Name,
    from_tool: Annotated[bool, Opt("the spec comes from a tool's answer: take harmless ssh options only")] = False,
    machine: Annotated[str, Opt("with --from-tool: the id under which its host key is kept", metavar="ID")] = "",
) -> Target:
    """Say how a machine is reached, for programs.

    The answer is the argv that starts ssh, and what belongs to it; the other tools ask for it. Nothing is
    connected.
    """
    return find(name, from_tool=from_tool, machine=machine)
