"""Imports Host blocks of ~/.ssh/config into hosts.toml."""

from collections.abc import Collection, Mapping

from trainsh_base.errors import NotFound, UsageError
from trainsh_base.system.suggest import did_you_mean
from trainsh_host.adding import draft
from trainsh_host.store import hosts_file
from trainsh_host.ways.ssh_names import fields, user_blocks


def import_blocks(names: list[str], every: bool) -> list[str]:
    """Add the blocks `names`. With `every`, add all blocks that are not in hosts.toml yet.

    Return the names that were added. Raises NotFound for a block that does not exist, Conflict for a name that is
    taken, and UsageError for a name that recipes cannot use. All these errors are raised before anything is
    written.
    """
    blocks = user_blocks()
    configured = hosts_file.names(hosts_file.load_raw())
    if every:
        names = [name for name in blocks if name not in configured and _can_be_said(name)]
    elif not names:
        raise UsageError(f"no names given; {_offered(blocks, configured)}", "train host import NAME..., or --all")
    for name in names:
        if name not in blocks:
            raise NotFound(
                f"~/.ssh/config has no Host block for {name!r}", did_you_mean(name, blocks), code="no_alias"
            )  # fmt: skip
        draft.check_name(name)
    for name in names:
        hosts_file.add(draft.complete({"type": "ssh", **fields(name, blocks[name]), "name": name}))
    return names


def _offered(blocks: Mapping[str, object], configured: Collection[str]) -> str:
    new = [name for name in blocks if name not in configured]
    if new:
        return f"~/.ssh/config has: {', '.join(new)}"
    return "~/.ssh/config has only hosts that are configured already" if blocks else "~/.ssh/config names no hosts"


def _can_be_said(name: str) -> bool:
    try:
        draft.check_name(name)
    except UsageError:
        return False
    return True
