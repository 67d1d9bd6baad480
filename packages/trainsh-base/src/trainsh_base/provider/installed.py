"""Finds the tools that provide machines. A tool declares in a file, or in its schema, that it provides machines.

The file is `share/trainsh/provides/NAME`, beside the tool's program. It contains `hosts` if the tool provides
machines, or `-` if it provides nothing.
"""

from typing import Any

import msgspec

from trainsh_base.errors import TrainError
from trainsh_base.request import side_by_side
from trainsh_base.system.configuration import share
from trainsh_base.tool import peer

SCHEMA_LIMIT = 5.0  # seconds within which a tool must print its schema


class Provider(msgspec.Struct, frozen=True, kw_only=True):
    """A tool that provides machines.

    `declared`: the tool has a file in share/trainsh/provides. If it is false, only the tool's schema declares this.
    """

    name: str
    program: str
    declared: bool


def installed() -> list[Provider]:
    """Return every provider of hosts.

    A tool that has no file in `provides` is run to get its schema. No other tool is run.
    """
    known = {
        name: (share.read(folder, "provides", name) or "").split()
        for folder in reversed(share.every_folder()) for name in share.names(folder, "provides")
    }  # fmt: skip
    declared = {name for name, provided in known.items() if "hosts" in provided}
    names = peer.installed()
    unknown = [name for name in names if name not in known]
    provide = side_by_side(unknown, lambda name: provides_hosts(schema_of(peer.find(name))))
    strangers = dict(zip(unknown, provide, strict=True))
    return [
        Provider(name=name, program=peer.find(name), declared=name in declared)
        for name in names if name in declared or strangers.get(name)
    ]  # fmt: skip


def schema_of(program: str) -> Any:
    """Return the JSON that `PROGRAM schema` prints; None when the program fails or prints something else."""
    from trainsh_base.system.proc import run  # noqa: PLC0415 - brings subprocess

    try:
        done = run([program, "schema"], timeout=SCHEMA_LIMIT, check=False)
        return msgspec.json.decode(done.stdout) if done.status == 0 else None
    except (TrainError, ValueError):
        return None


def provides_hosts(schema: Any) -> bool:
    """Whether a schema tells that its tool provides machines."""
    found = schema.get("provides") if isinstance(schema, dict) else None
    return isinstance(found, list) and "hosts" in found
