"""Reads the parameters of a command from the document of `--input`.

The document is a JSON object. It may be what another command of the tool has printed.
"""

import sys
import typing
from collections.abc import Iterator
from typing import Any

import msgspec

from trainsh_base.errors import NotFound, UsageError
from trainsh_base.tool.declare import Command, Tool


def read_input(name: str | None) -> dict[str, Any]:
    """Read a JSON object from the file `name` (`-`: stdin).

    Raises UsageError if the content is not a JSON object.
    """
    if name is None:
        return {}
    try:
        if name == "-":
            data = sys.stdin.buffer.read()
        else:
            with open(name, "rb") as file:  # noqa: PTH123 - pathlib would be loaded for this alone
                data = file.read()
    except FileNotFoundError:
        raise NotFound(f"no such file: {name}") from None
    except OSError as error:
        raise UsageError(f"cannot read {name}: {error.strerror}") from None
    try:
        document = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"--input {name} is not JSON: {error}", code="bad_input") from None
    if isinstance(document, list):
        raise UsageError(
            f"--input {name} holds a list, not a JSON object", "take one element: jq '.[0]'", code="bad_input"
        )
    if not isinstance(document, dict):
        raise UsageError(f"--input {name} holds {type(document).__name__}, not a JSON object", code="bad_input")
    return document


def parameters(tool: Tool, command: Command, document: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters for `command` that `document` contains.

    If `document` is an answer of one of the tool's commands, fields that are not parameters are left out. In any
    other document, unknown keys are kept, so that the call reports them as errors.
    """
    values = command.renamed(document)
    known = {param.key for param in command.params}
    if not set(values) <= known and any(_is(document, kind) for kind in answers(tool)):
        return {key: value for key, value in values.items() if key in known}
    return document


def answers(tool: Tool) -> Iterator[type[msgspec.Struct]]:
    """Yield the types of the documents that the tool's commands return.

    A command may also return a list of documents.
    """
    for command in tool.commands.values():
        yield from _structs(command.returns)


def _structs(kind: Any) -> Iterator[type[msgspec.Struct]]:
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        yield kind
    for part in typing.get_args(kind):
        yield from _structs(part)


def _is(document: dict[str, Any], kind: type[msgspec.Struct]) -> bool:
    """Whether `document` has the type `kind`: it has all required fields of that type, and no unknown fields."""
    fields = msgspec.structs.fields(kind)
    if not set(document) <= {field.encode_name for field in fields}:
        return False
    try:
        msgspec.convert(document, kind, dec_hook=lambda kind, value: value)
    except msgspec.ValidationError:
        return False
    return True
