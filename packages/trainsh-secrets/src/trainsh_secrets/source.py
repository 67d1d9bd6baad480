"""Reads a new value from a hidden prompt, standard input or a file, but never from an argument."""

import sys
from pathlib import Path

from trainsh_base.errors import NotFound, UsageError
from trainsh_base.request import current
from trainsh_secrets.envfile import checked


def value_of(name: str, file: str | None) -> str:
    """Return the value to store as `name`, without the final newline. Raises UsageError if it cannot be read."""
    if file is not None:
        return checked(_without_newline(read_text(file)), f"the value of {name} in {file}")
    try:
        return checked(current().ask("secret", f"Value of {name}", flag="--from-file"), f"the value of {name}")
    except UsageError as error:
        if error.code != "cannot_ask" or sys.stdin.isatty():
            raise
        piped = read_text("-")
        if not piped:
            raise
        return checked(_without_newline(piped), f"the value of {name} on standard input")


def read_text(file: str) -> str:
    """Return the text in `file`. If `file` is `-`, return the text of standard input."""
    try:
        data = sys.stdin.buffer.read() if file == "-" else Path(file).expanduser().read_bytes()
        return data.decode()
    except FileNotFoundError:
        raise NotFound(f"no such file: {file}", code="no_file") from None
    except OSError as error:
        raise UsageError(f"cannot read {file}: {error.strerror}", code="bad_input") from None
    except UnicodeDecodeError as error:
        raise UsageError(
            f"{file} is not UTF-8 text (byte {error.start})", "store binary keys as base64", code="bad_input"
        ) from None


def _without_newline(text: str) -> str:
    return text.removesuffix("\n").removesuffix("\r")
