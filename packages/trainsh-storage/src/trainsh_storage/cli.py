"""The commands of train-storage."""

from typing import Annotated

import msgspec

from trainsh_base.errors import Cancelled, UsageError
from trainsh_base.request import current
from trainsh_base.tool.declare import Arg, Opt, Tool
from trainsh_base.tool.program import run as run_tool
from trainsh_storage import browse, check, credentials, display, draft, kinds, spec, storages_file
from trainsh_storage.model import Entry, Listed, Removed, Resolved, Shown, Stage, Storage, Usage
from trainsh_storage.resolve import find
from trainsh_storage.resolve import resolve as reach

tool = Tool("storage", "Buckets and drives: add and test them, look inside")

Name = Annotated[str, Arg("a configured storage, or a spec such as r2:my-bucket", metavar="NAME", kind="storage")]
Configured = Annotated[str, Arg("a configured storage", metavar="NAME", kind="storage")]
Path = Annotated[str, Arg("a folder in it (default: the top)", metavar="PATH")]


@tool.command(name="list", show=display.show_list)
def list_() -> list[Listed]:
    """List the configured storages."""
    return [
        Listed(
            name=one.name,
            kind=one.kind,
            where=spec.where(one),
            default=one.default,
            problem="" if one.kind in kinds.KINDS else f"unknown kind {one.kind}",
        )
        for one in storages_file.load()
    ]


def shown(storage: Storage) -> Shown:
    """The answer for a storage, with the names of its credentials."""
    return Shown(
        name=storage.name,
        kind=storage.kind,
        where=spec.where(storage),
        default=storage.default,
        config=storage.config,
        credentials=credentials.listed(storage) if credentials.needs(storage) else [],
    )


@tool.command(show=display.show_storage)
def show(name: Name) -> Shown:
    """Show a storage: its settings, and the names of the secrets it uses (never a value)."""
    return shown(find(name))


@tool.command(show=display.show_added)
def add(
    name: Annotated[str | None, Arg("the name of the new storage", metavar="NAME")] = None,
    where: Annotated[
        str | None, Arg("a spec: r2:BUCKET, s3:BUCKET, gdrive:PATH, file:/path", metavar="SPEC")
    ] = None,
    keys: Annotated[
        list[str], Arg("settings of this kind of storage, such as region=eu-west-1", metavar="KEY=VALUE")
    ] = [],  # noqa: B006
    *,
    kind: Annotated[str | None, Opt("r2, b2, s3, gcs, gdrive, ssh, smb, local or rclone", metavar="KIND")] = None,
    default: Annotated[bool, Opt("make it the default storage")] = False,
    test_: Annotated[bool | None, Opt("test the new storage", name="--test")] = None,
) -> Shown:
    """Add a storage.

    On a terminal, train asks for the settings and credentials that this kind of storage needs, and offers to test
    the storage. A credential is never an argument: it is stored in train secrets, as NAME_ACCESS_KEY and similar
    names.

    \b
    train storage add checkpoints r2:my-bucket account_id=0123abcd
    train storage add nas --kind ssh host=me@nas path=/data
    """
    if where is not None and ":" not in where and "=" in where:
        keys, where = [where, *keys], None
    if where is not None and kind is not None:
        raise UsageError("SPEC and --kind exclude each other", "train storage add --help")
    request = current()
    made = draft.make(name, where, kind, draft.pairs(keys), request)
    storages_file.check_new(made.name)
    answers = _credentials(made)
    storages_file.add(Storage(name=made.name, kind=made.kind, config=made.config, default=default))
    for secret, value in answers.items():
        credentials.store(secret, value)
    if folder := draft.make_folder(made):
        request.emit("log", message=f"made the folder {folder}")
    elif absent := draft.absent_folder(made):
        request.emit("log", message=f"note: there is no folder {absent}; mount its disk, or: mkdir -p {absent}")
    try:
        wanted = test_ or (test_ is None and _wants("Test it now?"))
    except Cancelled:
        request.emit("log", message=_left(made))
        raise
    if wanted:
        display.show_stages(list(check.stages(made)))
    return msgspec.structs.replace(shown(storages_file.get(made.name)), tested=wanted)


def _credentials(storage: Storage) -> dict[str, str]:
    """Ask for missing credentials if a person can be asked. Otherwise `show_added` lists them.

    Ctrl-C leaves with nothing added. Return the answers.
    """
    try:
        return credentials.ask(storage, current())
    except UsageError as error:
        if error.code != "cannot_ask":
            raise
        return {}
    except Cancelled:
        current().emit("log", message="nothing was added")
        raise


def _left(storage: Storage) -> str:
    """The message after Ctrl-C at a question. The storage was added before the question.

    The message has the commands that set the storage's missing keys.
    """
    missing = [one.name for one in shown(storage).credentials if not one.set]
    lacks = f", but lacks {' and '.join(missing)}" if missing else ""
    return "\n".join([f"{storage.name} was added{lacks}", *(f"  train secrets set {name}" for name in missing)])


def _wants(question: str) -> bool:
    try:
        return current().ask("confirm", question, default="yes", flag="--test") == "yes"
    except UsageError:
        return False


@tool.command(show=lambda changed: print(f"changed {changed.name}"), ensures=True)
def edit(
    name: Configured,
    keys: Annotated[list[str], Arg("settings to change", metavar="KEY=VALUE")] = [],  # noqa: B006
    unset: Annotated[list[str], Opt("remove this setting (repeatable)", metavar="KEY")] = [],  # noqa: B006
    default: Annotated[bool | None, Opt("make it the default storage")] = None,
) -> Shown:
    """Change a storage's settings; the rest of storages.toml, with its comments, does not change."""
    values = draft.pairs(keys)
    if not values and not unset and default is None:
        raise UsageError("nothing to change", f"train storage edit {name} KEY=VALUE", code="usage")
    draft.check_keys(storages_file.get(name).kind, {**values, **dict.fromkeys(unset, "")})
    return shown(storages_file.change(name, values, unset, default))


@tool.command(show=display.show_removed)
def remove(
    name: Configured,
    yes: Annotated[bool, Opt("do not ask", short="-y")] = False,
    secrets: Annotated[bool, Opt("also delete the secrets that only this storage uses")] = False,
) -> Removed:
    """Remove a storage from storages.toml. The files in the storage are not deleted."""
    storage = storages_file.get(name)
    if not yes and current().ask("confirm", f"Remove {name}?", default="no", flag="--yes") != "yes":
        raise Cancelled("nothing was removed")
    storages_file.remove(name)
    return Removed(name=name, secrets=credentials.delete_own(storage) if secrets else [])


def _first_failure(stages: list[Stage]) -> int:
    return next((stage.exit for stage in stages if stage.exit), 0)


@tool.command(show=display.show_stages, status=_first_failure)
def test(name: Name) -> list[Stage]:
    """Test a storage: write a small object, read it back, list it, delete it.

    The exit status is that of the first failed stage: 4 credentials refused, 3 no such bucket, 8 not reachable.
    """
    return list(check.stages(find(name)))


@tool.command(show=display.show_entries)
def ls(name: Name, path: Path = "") -> list[Entry]:
    """List a folder of a storage."""
    return browse.entries(find(name), path)


@tool.command(show=display.show_usage)
def du(name: Name, path: Path = "") -> Usage:
    """Print the number and total size of the files in a storage, or in a folder of it."""
    return browse.usage(find(name), path)


@tool.command(show=display.show_resolved)
def resolve(
    spec: Name,
    remote: Annotated[str, Opt("the name of rclone's remote", metavar="NAME")] = "STORAGE",
) -> Resolved:
    """Print how a storage is reached, for programs: rclone's environment, with the credentials.

    No connection to the storage is made, but Amazon may be asked for a bucket's region.
    """
    return reach(find(spec), remote)


def main() -> None:
    """Run train-storage."""
    run_tool(tool)
