"""What the service answers, and how it refuses."""

from typing import Any

import msgspec


class Answer(msgspec.Struct, frozen=True):
    """A response. `body` is JSON, or text as it is."""

    body: Any
    status: int = 200
    headers: dict[str, str] = {}


class Refused(Exception):
    """A request that is answered with an error."""

    def __init__(self, status: int, code: str, message: str, **more: Any) -> None:
        super().__init__(message)
        self.answer = Answer({"success": False, "error": code, "msg": message, **more}, status)


def no_such_instance(number: int) -> Refused:
    """The instance is not there, or not any longer."""
    return Refused(404, "no_such_instance", f"Instance {number} not found.")
