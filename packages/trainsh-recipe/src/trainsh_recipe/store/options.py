"""The options that a job was started or resumed with. They are journaled, so each of its runners knows them."""

from typing import Any

import msgspec

Overrides = dict[str, dict[str, str]]


class Limited(msgspec.Struct, frozen=True, kw_only=True):
    """Limits from the command line; None if not given. `max_time` and `hold` in seconds, `max_cost` in dollars."""

    max_time: float | None = None
    max_cost: float | None = None
    hold: float | None = None


class RunOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Options of a run, which do not change while it runs.

    `overrides`: what `--host`, `--var` and `--storage` set, by kind. `max_time`: seconds of work after which the
    job is cancelled; `max_cost`: dollars. `hold`: seconds for which a machine is kept for a required output.
    `abandon`: no machine is kept for that. `retry_lost`: lost steps run again. `from_step`: the step that `--from`
    names; "" for none.
    """

    overrides: Overrides = {}
    max_time: float | None = None
    max_cost: float | None = None
    hold: float | None = None
    abandon: bool = False
    retry_lost: bool = False
    from_step: str = ""

    def journaled(self) -> dict[str, Any]:
        """The options that differ from their default, as keys for an event."""
        found = {name: getattr(self, name) for name in self.__struct_fields__}
        return {name: value for name, value in found.items() if value or name == "overrides"}

    def changed_by(self, event: dict[str, Any]) -> "RunOptions":
        """The options, updated from an event."""
        given = {name: event[name] for name in self.__struct_fields__ if name in event}
        return msgspec.structs.replace(self, **given)
