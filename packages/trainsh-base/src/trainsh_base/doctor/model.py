"""What a check found."""

from typing import Literal

import msgspec

State = Literal["ok", "warning", "problem"]


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """The result of one check. `fix` tells what to do about a warning or a problem."""

    name: str
    state: State
    detail: str
    fix: str = ""
