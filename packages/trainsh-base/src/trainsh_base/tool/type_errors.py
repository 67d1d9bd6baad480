"""Rephrases msgspec's messages on values of a wrong type for people."""

import re

_KINDS = {
    "int": "a whole number", "float": "a number", "str": "text", "bool": "true or false", "array": "a list",
    "null": "nothing",
}  # fmt: skip


def in_words(error: str, *, object_: str = "an object") -> str:
    """Rephrase a message of msgspec for people.

    For example, ``Expected `int | null`, got `str` - at `$.port` `` becomes "port: expected a whole number or
    nothing, got text". `object_` is the name that the document's format has for an object.
    """
    kinds = {**_KINDS, "object": object_}

    def words(found: re.Match[str]) -> str:
        return " or ".join(kinds.get(word, word) for word in found[1].split(" | "))

    what, _, place = error.partition(" - at `$")
    said = re.sub(r"`([^`]*)`", words, what)
    where = place.rstrip("`").lstrip(".")
    said = said[:1].lower() + said[1:]
    return f"{where}: {said}" if where else said
