"""The commands of train-host, and how their answers are printed."""

from typing import Annotated, Any, Literal

import msgspec

from trainsh_base.errors import UsageError
from trainsh_base.remote.target import Target
from trainsh_base.request import current
from trainsh_base.system.units import Duration
from trainsh_base.tool.declare import Arg, Handover, Opt, Tool
from trainsh_base.tool.program import run as run_tool
from trainsh_host.browse.model import Entry
from trainsh_host.forward.model import Forward
from trainsh_host.gpus.model import HostGpus
from trainsh_host.model import Listed, Named, Ran, Shown, Stage
from trainsh_host.store import hosts_file
from trainsh_host.ways.resolve import resolve as find

tool = Tool("host", "Machines: add and test them, run commands on them")

CHECK_LIMIT = Duration(10)
GPUS_LIMIT, GPUS_EVERY = Duration(20), Duration(2)
Name = Annotated[
    str, Arg("a host's name, or a host spec in one argument: 'user@host -p 2222'", "NAME", kind="host")
]
Type = Annotated[
    Literal["ssh", "provider", "tunnel", "local"] | None, Opt("what kind of machine it is", name="--type")
]
Address = Annotated[str | None, Opt("its address, as ssh takes it", metavar="HOST", also=("hostname",))]
User = Annotated[str | None, Opt("the account on it", short="-l", metavar="USER", also=("username",))]
Port = Annotated[int | None, Opt("the port of its sshd", short="-p", metavar="PORT")]
Key = Annotated[
    str | None, Opt("the private key to log in with", short="-i", metavar="FILE", also=("ssh_key_path",))
]
Auth = Annotated[Literal["key", "agent", "password"] | None, Opt("how to log in", also=("auth_method",))]
Jump = Annotated[
    str | None, Opt("the machine to go through: a host's name or user@host", short="-J", also=("jump_host",))
]
Options = Annotated[
    list[str] | None,
    Opt("an ssh option (repeatable)", "-o", "KEY=VALUE", name="--option", also=("option", "ssh_options")),
]
PasswordSecret = Annotated[str | None, Opt("the name of the secret that is its password", metavar="SECRET")]
Ref = Annotated[str | None, Opt("a provider's machine, as it calls it", metavar="PROVIDER:ID")]
Tunnel = Annotated[Literal["cloudflared", "ngrok"] | None, Opt("the tunnel that leads to it")]
Tags = Annotated[
    list[str] | None, Opt("a word to find it by (repeatable)", metavar="WORD", name="--tag", also=("tag",))
]
Notes = Annotated[str | None, Opt("a note for yourself")]
Favorite = Annotated[bool | None, Opt("list it first", also=("is_favorite",))]
Bootstrap = Annotated[bool | None, Opt("install tmux and rsync on it when they are missing")]


def main() -> None:
    """Run train-host."""
    run_tool(tool)


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


def _show_list(rows: list[Listed]) -> None:
    from trainsh_host.checks.display import print_hosts  # noqa: PLC0415 - for people only

    print_hosts(rows)


@tool.command(name="list", show=_show_list)
def list_(
    check: Annotated[bool, Opt("log in to each, side by side, and say which answer")] = False,
    timeout: Annotated[Duration, Opt("with --check: how long each may take")] = CHECK_LIMIT,
    tags: Annotated[
        list[str] | None,
        Opt("only those with this tag (repeatable: with all)", metavar="WORD", name="--tag", also=("tag",)),
    ] = None,
    providers: Annotated[bool, Opt("also list the machines of installed providers", name="--providers")] = True,
) -> list[Listed]:
    """List the configured machines, favourites first, and below them those of installed providers."""
    from trainsh_host.checks.listing import rows  # noqa: PLC0415 - resolve is the fast path

    found = rows(tags or [])
    if providers and not tags:
        from trainsh_host.checks.instances import instances  # noqa: PLC0415 - brings subprocess

        found += instances()
    if not check:
        return found
    from trainsh_host.checks.reach import check_all  # noqa: PLC0415 - brings subprocess

    return check_all(found, find, float(timeout))


def _say_added(shown: Shown) -> None:
    print(f"added {shown.name}")
    if not _on_terminal():
        print(f"  test it: train host test {shown.name}")


def _on_terminal() -> bool:
    import sys  # noqa: PLC0415 - only then

    return sys.stdin.isatty() and sys.stderr.isatty()


@tool.command(show=_say_added)
def add(
    name: Annotated[str | None, Arg("what you will call it", "NAME")] = None,
    spec: Annotated[str | None, Arg("where it is: user@host, PROVIDER:ID, or an ssh command", "SPEC")] = None,
    *,
    type_: Type = None,
    from_: Annotated[
        str | None,
        Opt("a spec, an ssh command or a Host block to read (- for standard input)", metavar="TEXT"),
    ] = None,
    alias: Annotated[str | None, Opt("take this Host block of ~/.ssh/config", metavar="NAME")] = None,
    host: Address = None,
    user: User = None,
    port: Port = None,
    key: Key = None,
    auth: Auth = None,
    jump: Jump = None,
    options: Options = None,
    password_secret: PasswordSecret = None,
    ref: Ref = None,
    tunnel: Tunnel = None,
    tags: Tags = None,
    notes: Notes = None,
    favorite: Favorite = None,
    bootstrap: Bootstrap = None,
) -> Shown:
    """Add a machine.

    On a terminal it asks for what is not given, and offers to test the machine. Else everything comes by arguments
    or --input.

    \b
    train host add gpu me@gpu-box
    train host add gpu root@1.2.3.4 -p 41022
    train host add gpu 'ssh -p 41022 root@1.2.3.4 -L 8080:localhost:8080'
    """
    from trainsh_host.adding import draft  # noqa: PLC0415 - resolve is the fast path
    from trainsh_host.checks.listing import show as shown  # noqa: PLC0415 - as above
    from trainsh_host.ways import ssh_names  # noqa: PLC0415 - as above

    request = current()
    if spec is None and name is not None and ("@" in name or ":" in name):
        name, spec = None, name
    if name is not None:
        draft.check_name(name)
    values = draft.from_text(_text(from_), request) if from_ else {}
    values |= draft.from_text(spec, request) if spec else {}
    values |= ssh_names.from_user_config(alias) | {"name": alias} if alias else {}
    values |= draft.from_flags(
        type_=type_, host=host, user=user, port=port, key=key, auth=auth, jump=jump, option=options,
        password_secret=password_secret, ref=ref, tunnel=tunnel, tag=tags, notes=notes, favorite=favorite,
        bootstrap=bootstrap,
    )  # fmt: skip
    values |= {"name": name} if name else {}
    table = draft.complete(draft.ask_missing(values, request))
    hosts_file.as_host(table)
    hosts_file.add(table)
    added = shown(table["name"])
    if request.for_people and _on_terminal() and request.ask("confirm", "Test it now?", default="yes") == "yes":
        _test_now(added.name)
    return added


def _test_now(name: str) -> None:
    from trainsh_host.checks.display import stage_lines  # noqa: PLC0415 - for people only
    from trainsh_host.checks.stages import test as stages  # noqa: PLC0415 - resolve is the fast path

    request = current()
    for stage in stages(find(name), request):
        request.emit("log", message=stage_lines(stage))


def _text(given: str) -> str:
    if given != "-":
        return given
    import sys  # noqa: PLC0415 - only then

    return sys.stdin.read()


@tool.command(
    name="import",
    show=lambda added: print("\n".join(f"added {one.name}" for one in added) or "nothing to import"),
)
def import_(
    names: Annotated[list[str] | None, Arg("Host blocks of ~/.ssh/config", "NAME")] = None,
    all_: Annotated[bool, Opt("every block that is not configured yet", name="--all")] = False,
) -> list[Named]:
    """Take machines from ~/.ssh/config into hosts.toml; the names that were added.

    A name of ~/.ssh/config works everywhere without this. Blocks with a pattern (Host *) are left out.
    """
    from trainsh_host.adding.importing import import_blocks  # noqa: PLC0415 - resolve is the fast path

    return [Named(name=name) for name in import_blocks(names or [], all_)]


def _show_host(shown: Shown) -> None:
    import shlex  # noqa: PLC0415 - for people only

    from trainsh_base.tool.display import fields  # noqa: PLC0415 - for people only

    told = msgspec.structs.asdict(shown)
    apart = ("more", "ssh", "file", "problem", *([] if shown.favorite else ["favorite"]))
    listed = {key: value for key, value in told.items() if key not in apart}
    fields(listed | shown.more | {"ssh": shlex.join(shown.ssh), "problem": shown.problem})


@tool.command(show=_show_host)
def show(name: Name) -> Shown:
    """Show a machine, and the ssh command that reaches it."""
    from trainsh_host.checks.listing import show as shown  # noqa: PLC0415 - resolve is the fast path

    return shown(name)


@tool.command(show=lambda shown: print(f"changed {shown.name}"))
def edit(
    name: Annotated[str, Arg("a host's name", "NAME", kind="host")],
    *,
    rename: Annotated[str | None, Opt("a new name", metavar="NAME")] = None,
    type_: Type = None,
    host: Address = None,
    user: User = None,
    port: Port = None,
    key: Key = None,
    auth: Auth = None,
    jump: Jump = None,
    options: Options = None,
    password_secret: PasswordSecret = None,
    ref: Ref = None,
    tunnel: Tunnel = None,
    tags: Tags = None,
    notes: Notes = None,
    favorite: Favorite = None,
    bootstrap: Bootstrap = None,
    unset: Annotated[list[str] | None, Opt("take this key out (repeatable)", metavar="KEY")] = None,
) -> Shown:
    """Change a machine.

    By flags (a list replaces the one that was there), or in your editor when there are none. Comments, unknown
    keys and the other machines stay as they are.
    """
    from trainsh_host.adding import draft, editing  # noqa: PLC0415 - resolve is the fast path
    from trainsh_host.checks.listing import show as shown  # noqa: PLC0415 - as above

    values = draft.from_flags(
        type_=type_, host=host, user=user, port=port, key=key, auth=auth, jump=jump, option=options,
        password_secret=password_secret, ref=ref, tunnel=tunnel, tag=tags, notes=notes, favorite=favorite,
        bootstrap=bootstrap,
    )  # fmt: skip
    if rename is not None:
        values["name"] = draft.check_name(rename)
    if values or unset:
        return shown(editing.change(name, values, unset or []))
    return shown(editing.in_editor(name, current()))


@tool.command(show=lambda gone: print(f"removed {gone.name}"))
def remove(
    name: Annotated[str, Arg("a host's name", "NAME", kind="host")],
    yes: Annotated[bool, Opt("do not ask", short="-y")] = False,
) -> Named:
    """Forget a machine.

    Nothing is done on the machine itself.
    """
    hosts_file.get_raw(name)
    if not yes:
        answer = current().ask("confirm", f"Remove host {name}?", default="no", flag="--yes")
        if answer != "yes":
            raise UsageError(f"{name} was not removed", code="declined")
    hosts_file.remove(name)
    return Named(name=name)


@tool.command(
    show=lambda stages: None, status=lambda stages: next((stage.exit for stage in stages if stage.exit), 0)
)
def test(name: Name) -> list[Stage]:
    """Test every stage of reaching a machine.

    The stages are name, port, host key, authentication, shell, tmux, processes, rsync, rclone, GPU and disk. The
    exit status is that of the first that failed: 8 unreachable, 4 login refused, 7 shell, GPU or disk, 9 a program
    is missing on it.
    """
    from trainsh_host.checks.display import stage_lines  # noqa: PLC0415 - for people only
    from trainsh_host.checks.stages import test as stages  # noqa: PLC0415 - resolve is the fast path

    request, target = current(), find(name)
    found: list[Stage] = []
    for stage in stages(target, request):
        found.append(stage)
        if request.for_people:  # stages were printed as they ended, so there is no answer left to print
            print(stage_lines(stage), flush=True)
        else:
            total = 11 if target.kind == "ssh" else 6
            request.emit("progress", done=len(found), total=total, unit="stages", message=stage.name)
    return found


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


def _show_entries(entries: list[Entry]) -> None:
    from trainsh_host.browse.listing import print_entries  # noqa: PLC0415 - for people only

    print_entries(entries)


@tool.command(show=_show_entries)
def browse(
    name: Name,
    path: Annotated[str, Arg("where to begin (default: the home)", "PATH")] = "",
) -> list[Entry]:
    """Walk through the files of a machine: look at them, download, upload and delete.

    On a terminal it fills the screen; the keys are shown there, and ? lists all. Elsewhere, and with --json, it is
    the listing of PATH.
    """
    from trainsh_host.browse import listing  # noqa: PLC0415 - resolve is the fast path

    request = current()
    if not (request.for_people and _on_terminal() and _shows_screens()):
        return listing.listing(find(name), path, request)
    from trainsh_host.browse.screen import browse as walk  # noqa: PLC0415 - loads textual

    walk(name, find(name), path, request)
    return []


def _shows_screens() -> bool:
    import os  # noqa: PLC0415 - only then
    import sys  # noqa: PLC0415 - as above

    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def _show_gpus(rows: list[HostGpus]) -> None:
    from trainsh_host.gpus.display import print_gpus  # noqa: PLC0415 - for people only

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
        bool, Opt("look again and again, with a short history, until q or Ctrl-C", short="-w")
    ] = False,
    every: Annotated[Duration, Opt("with --watch: how often to look", kind="duration")] = GPUS_EVERY,
    timeout: Annotated[Duration, Opt("how long each host may take", kind="duration")] = GPUS_LIMIT,
) -> list[HostGpus]:
    """Show the GPUs of hosts: memory, use, temperature, power, and whose processes run on them.

    nvidia-smi is asked on all hosts at once. A host that cannot be reached is shown in a row, and the exit
    status is that of the first such host. A host without a GPU is shown in a row too, and is no error.
    """
    from trainsh_host.gpus import looking, watching  # noqa: PLC0415 - resolve is the fast path

    hosts = looking.watched(names or looking.every(), find, float(timeout))
    try:
        return watching.watch(hosts, float(every), current()) if watch else looking.look(hosts)
    finally:
        looking.close(hosts)


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
