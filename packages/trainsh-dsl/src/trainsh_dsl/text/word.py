"""A word of a statement, outside commands."""

import msgspec


class Word(msgspec.Struct, gc=False):
    """A word outside commands: where it is, as it is written (quotes and all)."""

    start: int
    end: int
    raw: str
