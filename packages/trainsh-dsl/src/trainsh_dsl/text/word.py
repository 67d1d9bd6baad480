"""A word of a statement, outside commands."""

import msgspec


class Word(msgspec.Struct, gc=False):
    """A word outside commands: its offsets, and its text as written, including quotes."""

    start: int
    end: int
    raw: str
