"""Makes the completion table of a tool from its schema. completions/complete.awk describes the lines of such a
table.
"""

from collections.abc import Iterator
from typing import Any

COMMON = (
    ("--json", "-", "Print the answer as one JSON document."),
    ("--jsonl", "-", "Print events as JSON, one per line; the last one is the result."),
    ("--input", "file", "Read parameters from a file with a JSON object (- for standard input)."),
    ("--no-color", "-", "No colours."),
    ("--no-pager", "-", "Print a long answer without $PAGER or less."),
    ("--quiet", "-", "Print only the answer and errors: no progress, no notes."),
    ("--verbose", "-", "Show the programs that are run (ssh, rsync, ...)."),
    ("--help", "-", "Show this message and exit."),
)


def table(schema: dict[str, Any]) -> str:
    """Return the text of the completion table."""
    return "".join("\t".join(words) + "\n" for words in _lines(schema))


def _lines(schema: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    for name, command in schema["commands"].items():
        yield "command", name, command["summary"]
    yield "command", "schema", "Print JSON Schema of every command."
    yield "command", "serve", "Serve the commands as JSON-RPC 2.0 on stdin and stdout."
    for name, command in schema["commands"].items():
        yield from _parameters(name, command["params"].get("properties", {}))
    for flag, value, text in COMMON:
        yield "option", "*", flag, value, text


def _parameters(command: str, properties: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    place = 0
    for prop in properties.values():
        if prop["x-positional"]:
            place += 1
            many = "+" if is_many(prop) else ""
            yield "argument", command, f"{place}{many}", _value(prop), prop["description"]
            continue
        yield "option", command, prop["x-flag"], _value(prop), prop["description"]
        if is_flag(prop) and prop.get("default") is not False:
            yield "option", command, f"--no-{prop['x-flag'][2:]}", "-", f"not: {prop['description']}"
        if prop.get("x-short"):
            yield "option", command, prop["x-short"], _value(prop), prop["description"]


def branches(prop: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the property itself, followed by the alternatives in its `anyOf`, if it has any."""
    return [prop, *prop.get("anyOf", [])]


def is_flag(prop: dict[str, Any]) -> bool:
    """Whether the option takes no value."""
    return any(branch.get("type") == "boolean" for branch in branches(prop))


def is_many(prop: dict[str, Any]) -> bool:
    """Whether the option may be given more than once."""
    return any(branch.get("type") in ("array", "object") for branch in branches(prop))


def choices(prop: dict[str, Any]) -> list[str]:
    """Return the words that are allowed as a value. If any value is allowed, the list is empty."""
    found = [str(word) for branch in branches(prop) for word in branch.get("enum", []) if word is not None]
    return found or [str(word) for word in prop.get("items", {}).get("enum", [])]


def _value(prop: dict[str, Any]) -> str:
    if is_flag(prop):
        return "-"
    allowed = choices(prop)
    if len(allowed) > 1:
        return "|".join(allowed)
    return str(prop.get("x-kind") or "text")
