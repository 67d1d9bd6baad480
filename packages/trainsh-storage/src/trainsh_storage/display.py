"""Prints storages and their contents for people."""

from trainsh_base.system.secret import MASK
from trainsh_base.system.units import format_size
from trainsh_base.tool.display import fields, folded, nothing, remark, table
from trainsh_storage.model import Entry, Listed, Removed, Resolved, Shown, Stage, Usage

SIGNS = {"ok": "ok", "failed": "FAILED", "skipped": "-"}


def show_list(rows: list[Listed]) -> None:
    """Print one row for each storage. If there are no storages, print how to add one."""
    if not rows:
        remark("No storages yet. Add one: train storage add NAME r2:BUCKET")
    columns = {"name": "name", "kind": "kind", "where": "where"}
    columns |= {"default": "default"} if any(row.default for row in rows) else {}
    columns |= {"problem": "problem"} if any(row.problem for row in rows) else {}
    table([{key: getattr(row, key) for key in columns} for row in rows], columns)


def show_storage(shown: Shown) -> None:
    """Print the keys of a storage, and then each of its credentials and whether it is set."""
    fields({"name": shown.name, "kind": shown.kind, "where": shown.where, **shown.config})
    for one in shown.credentials:
        print(f"secret {one.name}: {'set' if one.set else f'not set (train secrets set {one.name})'}")


def show_added(shown: Shown) -> None:
    """Print what was added, and what to do next."""
    print(f"added {shown.name} ({shown.where})")
    for one in shown.credentials:
        if not one.set:
            print(f"  it needs a secret: train secrets set {one.name}")
    if not shown.tested:
        print(f"  test it: train storage test {shown.name}")


def show_removed(removed: Removed) -> None:
    """Print a line for the storage that was removed, and one for each of its secrets."""
    print(f"removed {removed.name}")
    for name in removed.secrets:
        print(f"deleted the secret {name}")


def show_stages(stages: list[Stage]) -> None:
    """Print one line for each stage. Below a failed stage, print how to fix it."""
    width = max(len(stage.name) for stage in stages)
    for stage in stages:
        cause = f" ({stage.cause})" if stage.cause else ""
        line = f"{stage.name:<{width}}  {SIGNS[stage.state]}{cause}"
        print(f"{line}  {folded(stage.detail, len(line) + 2)}".rstrip())
        if stage.fix:
            print(f"{'':<{width}}  {stage.fix}")


def show_entries(entries: list[Entry]) -> None:
    """Print one row for each file or folder. The name of a folder ends with a slash."""
    if not entries:
        nothing("It is empty.")
    table(
        [
            {
                "name": entry.name + ("/" if entry.folder else ""),
                "size": "" if entry.size is None else format_size(entry.size),
                "modified": entry.modified[:19].replace("T", " "),
            }
            for entry in entries
        ]
    )


def show_usage(usage: Usage) -> None:
    """Print a line such as `1.2 GiB in 340 files`."""
    print(f"{format_size(usage.size)} in {usage.files} file{'' if usage.files == 1 else 's'}")


def show_resolved(place: Resolved) -> None:
    """Print how a storage is reached, with secret values masked."""
    fields({"engine": place.engine, "host": place.host, "place": place.remote + place.root})
    for key, value in place.env.items():
        print(f"{key}={MASK if key in place.secret_env else value}")
