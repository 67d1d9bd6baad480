"""The options with which a job was started or resumed. They are in the journal, so that each runner knows them."""

from typing import Any

import msgspec

Overrides = dict[str, dict[str, str]]


class Limited(msgspec.Struct, frozen=True, kw_only=True):
    """Limits from the command line, None if not given.

    `max_time` and `hold` are in seconds, `max_cost` in dollars.
    """

    max_time: float | None = None
    max_cost: float | None = None
    hold: float | None = None


class RunOptions(msgspec.Struct, frozen=True, kw_only=True):
    """The options of a run. They do not change while it runs.

    `overrides` is what `--host`, `--var` and `--storage` set, by kind. The job is cancelled after `max_time`
    seconds of work, or when it has cost `max_cost` dollars. A machine is kept for a required output for `hold`
    seconds or, with `abandon`, not at all. With `retry_lost`, lost steps run again. `from_step` is the step that
    `--from` names, "" if none.
    """

    overrides: Overrides = {}
    max_time: float | None = None
    max_cost: float | None = None
    hold: float | None = None
    abandon: bool = False
    retry_lost: bool = False
    from_step: str = ""

    def journaled(self) -> dict[str, Any]:
        """Return the options that differ from their defaults, as the keys of an event."""
        found = {name: getattr(self, name) for name in self.__struct_fields__}
        return {name: value for name, value in found.items() if value or name == "overrides"}

    def changed_by(self, event: dict[str, Any]) -> "RunOptions":
        """Return these options with the changes that an event has."""
        given = {name: event[name] for name in self.__struct_fields__ if name in event}
        return msgspec.structs.replace(self, **given)
