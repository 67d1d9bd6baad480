"""What tools say of their verbs: an interface, and the answer of one that knows none."""

from collections.abc import Callable
from typing import Any, Protocol

from trainsh_dsl.diagnostics.shorten import shorten
from trainsh_dsl.vocabulary import options, values

# The tools of the suite: a recipe may name them before they are installed.
SUITE = (
    "base", "colab", "config", "dsl", "help", "host", "pricing", "recipe", "sandbox", "secrets", "storage", "tmux",
    "vast", "xfer",
)  # fmt: skip


class Tools(Protocol):
    """Where the schemas of tools come from."""

    def schema(self, tool: str) -> dict[str, Any] | None:
        """What `train-TOOL schema` prints; {} when it prints nothing of use; None when there is no such program."""

    def names(self) -> list[str]:
        """The tools there are, for the nearest name."""


class NoTools:
    """Nothing is asked: every tool may be there, and nothing is known of any."""

    def schema(self, tool: str) -> dict[str, Any] | None:
        """No tool is known to lack."""
        return {}

    def names(self) -> list[str]:
        """The suite's own."""
        return list(SUITE)


class Verb:
    """One verb as far as it is known: `known` when a schema describes it."""

    def __init__(self, entry: dict[str, Any] | None, name: str) -> None:
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

    def checks(self) -> dict[str, options.Check]:
        """The options that belong to the verb, with their checks."""
        if self._options is None:
            self._options = self._read()
        return self._options

    def _read(self) -> dict[str, options.Check]:
        if not self.known:
            return options.DOCUMENTED.get(self.name, {})
        return {
            key: _check(schema if isinstance(schema, dict) else {})
            for key, schema in self.properties.items()
            if not key.startswith("_")
        }

    def positional(self) -> list[str]:
        """The parameters that words fill, in order."""
        return [
            key
            for key, schema in self.properties.items()
            if isinstance(schema, dict) and schema.get("x-positional")
        ]

    def repeats(self, key: str) -> bool:
        """Whether the option takes several values."""
        return "array" in _types(self.properties.get(key, {}))


def _types(schema: dict[str, Any]) -> set[str]:
    found = {schema.get("type")} if isinstance(schema.get("type"), str) else set(schema.get("type") or ())
    for branch in schema.get("anyOf", ()):
        found |= _types(branch)
    return {str(kind) for kind in found if kind}


def _is_duration(schema: dict[str, Any]) -> bool:
    return schema.get("x-kind") == "duration" or any(_is_duration(branch) for branch in schema.get("anyOf", ()))


def _choices(schema: dict[str, Any]) -> list[str]:
    found = [str(choice) for choice in schema.get("enum", ()) if choice is not None]
    for branch in schema.get("anyOf", ()):
        found += _choices(branch)
    return found


def _check(schema: dict[str, Any]) -> options.Check:
    """The check for a JSON Schema: what a word of a recipe has to be to become such a value."""
    if _is_duration(schema):
        return _verb_value(values.duration)
    choices = _choices(schema)
    if choices:
        return _one_of(choices)
    kinds = _types(schema)
    if "string" in kinds or "array" in kinds or not kinds:
        return lambda text: text
    if "boolean" in kinds:
        return _verb_value(values.truth)
    return _number("number" in kinds)


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
