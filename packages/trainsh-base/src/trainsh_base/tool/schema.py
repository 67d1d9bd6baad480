"""Makes a tool's description of itself.

For every command, it has a JSON Schema of the parameters and of the answer.
"""

from typing import Any

import msgspec

from trainsh_base import VERSION
from trainsh_base.system.secret import Secret
from trainsh_base.system.units import Duration
from trainsh_base.tool.declare import Arg, Command, Handover, Tool

DURATION = {
    "type": ["number", "string"],
    "description": "seconds, or text such as 90s, 5m, 1h30m",
    "x-kind": "duration",
}


def _hook(kind: type) -> dict[str, Any]:
    if kind is Duration:
        return DURATION
    if kind is Secret:
        return {"type": "string", "description": "masked", "x-kind": "secret"}
    raise NotImplementedError(kind)


def describe(tool: Tool) -> dict[str, Any]:
    """Return the document {name, program, version, summary, provides, commands, $defs}.

    `commands` is {NAME: {summary, help, params, returns, ...}}. The effects of a command are further keys of this
    document: `ensures` always, and `fills`, `rents`, `releases` and `estimates` if they are not empty.
    """
    types: list[Any] = []
    for command in tool.commands.values():
        types += [command.document, _returned(command)]
    schemas, definitions = msgspec.json.schema_components(types, schema_hook=_hook)
    commands = {
        command.name: {
            "summary": command.summary,
            "help": command.help,
            "ensures": command.effects.ensures,
            **_told(command),
            "params": _with_help(_inline(schemas[2 * index], definitions), command),
            "returns": schemas[2 * index + 1],
        }
        for index, command in enumerate(tool.commands.values())
    }
    for command in tool.commands.values():
        definitions.pop(command.document.__name__, None)
    return {
        "name": tool.name,
        "program": tool.program,
        "version": VERSION,
        "summary": tool.summary,
        "provides": list(tool.provides),
        "commands": commands,
        "$defs": definitions,
    }


def _told(command: Command) -> dict[str, Any]:
    effects = command.effects
    told = {key: getattr(effects, key) for key in ("fills", "rents", "releases", "estimates")}
    return {key: value for key, value in told.items() if value}


def _returned(command: Command) -> Any:
    return Handover if command.returns is Handover else command.returns


def _inline(schema: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    name = schema.get("$ref", "").rpartition("/")[2]
    return definitions[name] if name else schema


def _with_help(schema: dict[str, Any], command: Command) -> dict[str, Any]:
    properties = {}
    for param in command.params:
        entry = dict(schema["properties"][param.key])
        entry["description"] = param.spec.help
        entry["x-positional"] = isinstance(param.spec, Arg)
        entry["x-flag"] = param.flag
        if param.spec.kind:
            entry["x-kind"] = param.spec.kind
        if not isinstance(param.spec, Arg) and param.spec.short:
            entry["x-short"] = param.spec.short
        entry |= {f"x-{flag}": True for flag in ("limits", "holds") if getattr(param.spec, flag, False)}
        properties[param.key] = entry
    return {**schema, "properties": properties}
