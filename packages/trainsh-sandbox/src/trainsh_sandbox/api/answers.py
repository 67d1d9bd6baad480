"""The service's responses and errors."""

from typing import Any

import msgspec


class Answer(msgspec.Struct, frozen=True):
    """A response of the service. `body` is a JSON value, or plain text."""

    body: Any
    status: int = 200
    headers: dict[str, str] = {}


class Refused(Exception):
    """Raised when a request must be answered with an error."""

    def __init__(self, status: int, code: str, message: str, **more: Any) -> None:
        super().__init__(message)
        self.answer = Answer({"success": False, "error": code, "msg": message, **more}, status)


def no_such_instance(number: int) -> Refused:
    """The error for an instance that does not exist, or no longer exists."""
    return Refused(404, "no_such_instance", f"Instance {number} not found.")
