"""What the commands answer."""

import msgspec


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """What `new` wrote, and how it is tried."""

    files: list[str]
    next: str


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One check: `ok`, `failed`, or `-` for what does not apply to this tool; `seen` says what was seen."""

    check: str = msgspec.field(name="name")
    result: str = msgspec.field(name="state")
    seen: str = msgspec.field(name="detail", default="")


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """All checks of one tool."""

    name: str
    failed: int
    rows: list[Row]
