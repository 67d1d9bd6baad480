"""The schemas of the installed tools: each tool is asked for its own."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec

from trainsh_base.errors import NotFound, RemoteError
from trainsh_base.system.proc import run
from trainsh_base.system.suggest import did_you_mean
from trainsh_help.catalog import Entry, entries

Schema = dict[str, Any]
LIMIT = 30.0  # seconds within which one tool must answer
AT_ONCE = 4


def everyone() -> dict[str, Schema]:
    """Return the schema of each tool of this installation, by name. Raises RemoteError if one does not answer."""
    ours = [entry for entry in entries() if not entry.on_path]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return dict(zip([entry.name for entry in ours], pool.map(_ask, ours), strict=True))


def of(name: str) -> Schema:
    """Return the schema of the tool `name`. The tool is part of this installation or on PATH.

    Raises NotFound, with a similar name as a hint, if there is no such tool.
    """
    known = {entry.name: entry for entry in entries()}
    name = name.removeprefix("train-")
    if name not in known:
        raise NotFound(f"train has no tool {name!r}", did_you_mean(name, known), code="no_command")
    return _ask(known[name])


def of_command(schema: Schema, command: str) -> Schema:
    """Return the part of a schema that is about one command, and the `$defs` of the whole schema."""
    commands = schema.get("commands") or {}
    if command not in commands:
        raise NotFound(
            f"{schema.get('program')} has no command {command!r}",
            did_you_mean(command, commands),
            code="no_command",
        )
    return {**commands[command], "$defs": schema.get("$defs") or {}}


def _ask(entry: Entry) -> Schema:
    done = run([entry.path, "schema"], timeout=LIMIT, check=False)
    try:
        found = msgspec.json.decode(done.stdout) if done.status == 0 else None
    except msgspec.DecodeError:
        found = None
    if not isinstance(found, dict):
        raise RemoteError(f"{entry.path} has no schema", f"{entry.path} schema", code="no_schema")
    return found
