"""One diagnostic of a recipe, as editors and people read it."""

from typing import Literal

import msgspec


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """A position as in the Language Server Protocol: line and character count from 0, the character in UTF-16
    units.
    """

    line: int
    character: int


class Range(msgspec.Struct, frozen=True, kw_only=True):
    """The text from `start` up to `end`. The character at `end` is not part of it."""

    start: Position
    end: Position


class Diagnostic(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong, where it is, and how to fix it.

    `line` and `column` count from 1; `length` is in code points.
    """

    code: str
    severity: Literal["error", "warning"]
    line: int
    column: int
    length: int
    message: str
    hint: str
    source: str
    range: Range
