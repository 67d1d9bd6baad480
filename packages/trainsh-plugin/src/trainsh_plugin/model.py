"""The documents that the commands return."""

import msgspec


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """What `new` created: the program, its test, and the command that tries it."""

    files: list[str]
    next: str


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """The result of one check: `ok`, `failed`, or `-` if the check does not apply to this tool.

    `seen` is what was observed.
    """

    check: str = msgspec.field(name="name")
    result: str = msgspec.field(name="state")
    seen: str = msgspec.field(name="detail", default="")


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """All checks of one tool."""

    name: str
    failed: int
    rows: list[Row]
