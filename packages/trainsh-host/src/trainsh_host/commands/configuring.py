"""Commands on hosts.toml: list, add, import, show, edit, remove."""

from typing import Annotated

import msgspec

from trainsh_base.errors import UsageError
from trainsh_base.request import current
from trainsh_base.system.units import Duration
from trainsh_base.tool.declare import Arg, Opt
from trainsh_host.commands.parameters import (
    Address,
    Auth,
    Bootstrap,
    Configured,
    Favorite,
    Jump,
    Key,
    Name,
    Notes,
    Options,
    PasswordSecret,
    Port,
    Ref,
    Tags,
    Tunnel,
    Type,
    User,
    on_terminal,
    tool,
)
from trainsh_host.model import Listed, Named, Shown
from trainsh_host.store import hosts_file
from trainsh_host.ways.resolve import resolve as find

CHECK_LIMIT = Duration(10)


def _show_list(rows: list[Listed]) -> None:
    from trainsh_host.checks.display import print_hosts  # noqa: PLC0415 - only output for people needs it

    print_hosts(rows)


@tool.command(name="list", show=_show_list)
def list_(
    check: Annotated[bool, Opt("log in to all machines at once, and show which answer")] = False,
    timeout: Annotated[Duration, Opt("with --check: the time limit for each machine")] = CHECK_LIMIT,
    tags: Annotated[
        list[str] | None,
        Opt("only those with this tag (repeatable: with all)", metavar="WORD", name="--tag", also=("tag",)),
    ] = None,
    providers: Annotated[bool, Opt("also list the machines of installed providers", name="--providers")] = True,
) -> list[Listed]:
    """List the configured machines, favourites first, then the machines of installed providers."""
    from trainsh_host.checks.listing import rows  # noqa: PLC0415 - so that `resolve` starts fast

    found = rows(tags or [])
    if providers and not tags:
        from trainsh_host.checks.instances import instances  # noqa: PLC0415 - it imports subprocess

        found += instances()
    if not check:
        return found
    from trainsh_host.checks.reach import check_all  # noqa: PLC0415 - it imports subprocess

    return check_all(found, find, float(timeout))


def _say_added(shown: Shown) -> None:
    if not on_terminal():
        print(f"added {shown.name}")
        print(f"  test it: train host test {shown.name}")


@tool.command(show=_say_added)
def add(
    name: Annotated[str | None, Arg("the name of the new host", "NAME")] = None,
    spec: Annotated[str | None, Arg("its address: user@host, PROVIDER:ID, or an ssh command", "SPEC")] = None,
    *,
    type_: Type = None,
    from_: Annotated[
        str | None,
        Opt("a spec, an ssh command or a Host block to read (- for standard input)", metavar="TEXT"),
    ] = None,
    alias: Annotated[str | None, Opt("copy this Host block of ~/.ssh/config", metavar="NAME")] = None,
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

    On a terminal, train asks for missing values and offers to test the machine. Without a terminal, all values come
    from arguments or --input.

    \b
    train host add gpu me@gpu-box
    train host add gpu root@1.2.3.4 -p 41022
    train host add gpu 'ssh -p 41022 root@1.2.3.4 -L 8080:localhost:8080'
    """
    from trainsh_host.adding import draft  # noqa: PLC0415 - so that `resolve` starts fast
    from trainsh_host.checks.listing import show as shown  # noqa: PLC0415 - as above
    from trainsh_host.ways import ssh_names  # noqa: PLC0415 - as above

    request = current()
    if spec is None and name is not None and ("@" in name or ":" in name):
        name, spec = None, name
    if name is not None:
        draft.check_name(name)
        hosts_file.check_new(name)
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
    if request.for_people and on_terminal():
        request.emit("log", message=f"added {added.name}")
        if request.ask("confirm", "Test it now?", default="yes") == "yes":
            _test_now(added.name)
    return added


def _test_now(name: str) -> None:
    from trainsh_host.checks.display import stage_lines  # noqa: PLC0415 - only output for people needs it
    from trainsh_host.checks.stages import test as stages  # noqa: PLC0415 - so that `resolve` starts fast

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
    """Copy machines from ~/.ssh/config into hosts.toml, and print the names that were added.

    Names of ~/.ssh/config also work without this. Blocks with a pattern (Host *) are
    skipped.
    """
    from trainsh_host.adding.importing import import_blocks  # noqa: PLC0415 - so that `resolve` starts fast

    return [Named(name=name) for name in import_blocks(names or [], all_)]


def _show_host(shown: Shown) -> None:
    import shlex  # noqa: PLC0415 - only output for people needs it

    from trainsh_base.tool.display import fields  # noqa: PLC0415 - only output for people needs it

    told = msgspec.structs.asdict(shown)
    apart = ("more", "ssh", "file", "problem", *([] if shown.favorite else ["favorite"]))
    listed = {key: value for key, value in told.items() if key not in apart}
    fields(listed | shown.more | {"ssh": shlex.join(shown.ssh), "problem": shown.problem})


@tool.command(show=_show_host)
def show(name: Name) -> Shown:
    """Show a machine, and the ssh command that reaches it."""
    from trainsh_host.checks.listing import show as shown  # noqa: PLC0415 - so that `resolve` starts fast

    return shown(name)


@tool.command(show=lambda shown: print(f"changed {shown.name}"))
def edit(
    name: Configured,
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
    unset: Annotated[list[str] | None, Opt("remove this key (repeatable)", metavar="KEY")] = None,
) -> Shown:
    """Change a machine.

    Flags set the new values (a list replaces the old list); without flags, your editor opens. Comments, unknown
    keys and the other machines stay as they are.
    """
    from trainsh_host.adding import draft, editing  # noqa: PLC0415 - so that `resolve` starts fast
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
    name: Configured,
    yes: Annotated[bool, Opt("do not ask", short="-y")] = False,
) -> Named:
    """Remove a machine from hosts.toml.

    Nothing is done on the machine itself.
    """
    hosts_file.get_raw(name)
    if not yes:
        answer = current().ask("confirm", f"Remove host {name}?", default="no", flag="--yes")
        if answer != "yes":
            raise UsageError(f"{name} was not removed", code="declined")
    hosts_file.remove(name)
    return Named(name=name)
