"""File names as text that can be printed and written as JSON, whatever bytes they contain."""

from typing import Any

from trainsh_base.errors import TrainError


def shown(text: str) -> str:
    """`text` with each byte that is not UTF-8 written as `\\xNN`."""
    return text.encode(errors="surrogateescape").decode(errors="backslashreplace")


def printable(error: TrainError) -> TrainError:
    """The error, with `shown` applied to its message, hint and data."""
    error.message, error.hint = shown(error.message), shown(error.hint)
    error.data = {key: _plain(value) for key, value in error.data.items()}
    return error


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return shown(value) if isinstance(value, str) else value
