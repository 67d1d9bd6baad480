"""Schemas of tools: how a recipe's check gets them, and what they say about a verb."""

from collections.abc import Callable
from typing import Any, Protocol

import msgspec

from trainsh_dsl.diagnostics.shorten import shorten
from trainsh_dsl.vocabulary import options, values

# For a verb of a tool without a schema: the verb's name -> what it probably ends, a machine's billing or its disk.
_ENDING = {"stop": "billing", "destroy": "disk"}


class Effects(msgspec.Struct, frozen=True):
    """What a verb does to machines, according to its tool's schema (docs/protocol.md, "Self-description").

    `provider` is true if the tool provides hosts. `fills` is the parameter whose `@name` gets its machine from the
    answer of the verb. `releases` is "billing" or "disk". `acts` is true if the verb acts on an instance; without
    an argument, this is the job's own instance. `answers` is true if the answer of the verb may set variables.
    `known` is true if all this comes from a schema, and false if it is assumed.

    `filler` and `releaser` are used in hints: `filler` is a verb of the tool that fills a host, and `releaser` one
    that ends its billing. Each is "" if the tool has no such verb.
    """

    known: bool = False
    provider: bool = False
    fills: str = ""
    rents: bool = False
    releases: str = ""
    acts: bool = False
    answers: bool = True
    filler: str = ""
    releaser: str = ""


class Tools(Protocol):
    """Supplies the schemas of tools."""

    def schema(self, tool: str) -> dict[str, Any] | None:
        """The output of `train-TOOL schema`.

        It is {} if this output is not usable, and None if there is no such program.
        """

    def has(self, tool: str) -> bool:
        """Whether there is a program `train-TOOL`. The program is not run."""

    def names(self) -> list[str]:
        """The names of the installed tools, for suggestions."""


class NoTools:
    """Asks no tool for a schema. Every tool counts as installed and has an empty schema."""

    def schema(self, tool: str) -> dict[str, Any] | None:
        """Return an empty schema, whatever the tool is."""
        return {}

    def has(self, tool: str) -> bool:
        """Return true, because every tool counts as installed."""
        return True

    def names(self) -> list[str]:
        """Return an empty list, because this class does not look for installed tools."""
        return []


class Verb:
    """What is known about one verb.

    `known` is true if a schema describes the verb. `effects` tells what the verb does to machines.
    """

    def __init__(self, entry: dict[str, Any] | None, name: str, schema: dict[str, Any] | None = None) -> None:
        self.name = name
        self.known = entry is not None
        self.properties: dict[str, Any] = {}
        self.required: list[str] = []
        self._options: dict[str, options.Check] | None = None
        if entry is not None:
            params = entry.get("params")
            params = params if isinstance(params, dict) else {}
            properties = params.get("properties")
            self.properties = properties if isinstance(properties, dict) else {}
            required = params.get("required")
            self.required = [str(key) for key in required] if isinstance(required, list) else []
        self.effects = self._effects(entry, schema or {})

    def _effects(self, entry: dict[str, Any] | None, schema: dict[str, Any]) -> Effects:
        if entry is None:
            return Effects(releases=_ENDING.get(self.name.partition(".")[2], ""))
        provides = schema.get("provides")
        provider = isinstance(provides, list) and "hosts" in provides
        fills = _text(entry, "fills")
        rents, releases = entry.get("rents") is True, _text(entry, "releases")
        on_instance = any(self.kind(key) == "host" for key in self.positional() if key not in self.required)
        return Effects(
            known=True, provider=provider, fills=fills, rents=rents, releases=releases,
            acts=provider and not fills and (bool(releases) or on_instance),
            answers="vars" in _returned(entry.get("returns"), schema.get("$defs")),
            filler=_verb_with(schema, "fills"), releaser=_verb_with(schema, "releases", "billing"),
        )  # fmt: skip

    def kind(self, key: str) -> str:
        """The `x-kind` of a parameter ("host", "duration", "size" or "money"), or "" if the parameter has none."""
        return _kind(self.properties.get(key))

    def checks(self) -> dict[str, options.Check]:
        """The options of the verb. Each name maps to the check for the option's value."""
        if self._options is None:
            self._options = self._read()
        return self._options

    def _read(self) -> dict[str, options.Check]:
        return {
            key: _check(schema if isinstance(schema, dict) else {})
            for key, schema in self.properties.items()
            if not key.startswith("_")
        }

    def positional(self) -> list[str]:
        """The names of the positional parameters, in order."""
        return [
            key
            for key, schema in self.properties.items()
            if isinstance(schema, dict) and schema.get("x-positional")
        ]

    def repeats(self, key: str) -> bool:
        """Whether the option `key` may be given several times."""
        return "array" in _types(self.properties.get(key, {}))


def _types(schema: dict[str, Any]) -> set[str]:
    found = {schema.get("type")} if isinstance(schema.get("type"), str) else set(schema.get("type") or ())
    for branch in schema.get("anyOf", ()):
        found |= _types(branch)
    return {str(kind) for kind in found if kind}


def _text(entry: dict[str, Any], key: str) -> str:
    value = entry.get(key)
    return value if isinstance(value, str) else ""


def _verb_with(schema: dict[str, Any], key: str, preferred: str = "") -> str:
    """The name of a verb whose entry in the schema has `key`, or "" if no verb has it.

    If several verbs have `key`, the one whose `key` equals `preferred` is taken, else the first in the schema.
    """
    commands = {verb: _text(entry, key) for verb, entry in schema["commands"].items() if isinstance(entry, dict)}
    found = [verb for verb, value in commands.items() if value]
    return next((verb for verb in found if commands[verb] == preferred), found[0] if found else "")


def _kind(schema: object) -> str:
    """The `x-kind` of a JSON Schema or of one of its branches."""
    if not isinstance(schema, dict):
        return ""
    own = _text(schema, "x-kind")
    return own or next((kind for branch in schema.get("anyOf", ()) if (kind := _kind(branch))), "")


def _returned(schema: object, definitions: object, depth: int = 0) -> set[str]:
    """The names of the fields of an answer, or {"vars"} if the schema does not restrict the answer."""
    if not isinstance(schema, dict) or depth > 4:
        return {"vars"}
    if isinstance(reference := schema.get("$ref"), str) and isinstance(definitions, dict):
        return _returned(definitions.get(reference.rpartition("/")[2]), definitions, depth + 1)
    if isinstance(properties := schema.get("properties"), dict):
        return set(properties)
    branches = schema.get("anyOf")
    if isinstance(branches, list):
        return {name for branch in branches for name in _returned(branch, definitions, depth + 1)}
    return set() if schema.get("type") not in (None, "object") else {"vars"}


def _choices(schema: dict[str, Any]) -> list[str]:
    found = [str(choice) for choice in schema.get("enum", ()) if choice is not None]
    for branch in schema.get("anyOf", ()):
        found += _choices(branch)
    return found


def _check(schema: dict[str, Any]) -> options.Check:
    """The check that converts a word of a recipe to a value of this JSON Schema.

    The check fails if this is impossible.
    """
    checks = {"duration": values.duration, "size": values.size, "money": values.money}
    if check := checks.get(_kind(schema)):
        return _verb_value(_or_off(check) if schema.get("x-limits") and "string" in _types(schema) else check)
    choices = _choices(schema)
    if choices:
        return _one_of(choices)
    kinds = _types(schema)
    if "string" in kinds or "array" in kinds or not kinds:
        return lambda text: text
    if "boolean" in kinds:
        return _verb_value(values.truth)
    return _number("number" in kinds)


def _or_off(check: options.Check) -> options.Check:
    """A check that also accepts the word `off`. It is used for the values of limits."""
    return lambda text: text if text == "off" else check(text)


def _verb_value(check: options.Check) -> options.Check:
    def checked(text: str) -> object:
        try:
            return check(text)
        except values.Bad as bad:
            raise values.Bad("E705", bad.message, bad.hint) from None

    return checked


def _one_of(choices: list[str]) -> Callable[[str], object]:
    def checked(text: str) -> object:
        if text not in choices:
            raise values.Bad(
                "E705",
                f"{shorten(text)} is not one of {', '.join(choices)}",
                f"write one of {', '.join(choices)}",
            )
        return text

    return checked


def _number(fraction: bool) -> Callable[[str], object]:
    def checked(text: str) -> object:
        try:
            return float(text[:400]) if fraction else int(text[:400])
        except ValueError:
            kind = "a number" if fraction else "a whole number"
            raise values.Bad("E705", f"{shorten(text)} is not {kind}", f"write {kind} such as 4") from None

    return checked
