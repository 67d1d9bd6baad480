"""Reads secrets from .env files."""

import io

from trainsh_base.errors import UsageError
from trainsh_secrets.names import check


def parse(text: str, where: str) -> dict[str, str]:
    """Parse NAME=value lines into a dict.

    `export`, quotes and comments have the same meaning as for shells and dotenv. No variable is expanded, so a `$`
    in a value stays a `$`. Raises UsageError if a line does not parse. The error has the number of the line, but
    not the value in it.
    """
    from dotenv.parser import parse_stream  # noqa: PLC0415 - only an import reads such files

    values: dict[str, str] = {}
    for binding in parse_stream(io.StringIO(text)):
        line = f"{where}, line {binding.original.line}"
        if binding.error or (binding.key is not None and binding.value is None):
            raise UsageError(f"{line} is not NAME=value; nothing was imported", code="bad_input")
        if binding.key is not None and binding.value is not None:
            values[check(binding.key)] = checked(binding.value, f"{line} ({binding.key})")
    return values


def checked(value: str, what: str) -> str:
    """Return `value` if it can be a secret: it is not empty and has no NUL byte. Otherwise raise UsageError."""
    if not value:
        raise UsageError(f"{what} is empty; nothing was stored", code="empty_secret")
    if "\0" in value:
        raise UsageError(f"{what} has a NUL byte in it; nothing was stored", code="bad_secret")
    return value
