"""One diagnostic of a recipe, as editors and people read it."""

from typing import Literal

import msgspec


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """A position as in the Language Server Protocol: both numbers count from 0, characters in UTF-16 units."""

    line: int
    character: int


class Range(msgspec.Struct, frozen=True, kw_only=True):
    """From `start` up to `end`, which is not part of it."""

    start: Position
    end: Position


class Diagnostic(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong, where, and how to fix it. `line` and `column` count from 1, `length` in code points."""

    code: str
    severity: Literal["error", "warning"]
    line: int
    column: int
    length: int
    message: str
    hint: str
    source: str
    range: Range
