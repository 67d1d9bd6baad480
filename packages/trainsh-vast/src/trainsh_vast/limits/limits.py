"""The limits at which a machine stops itself: a time without work, a total time, and an amount of money."""

import msgspec

from trainsh_base.errors import UsageError
from trainsh_base.system.units import format_duration, parse_duration

IDLE = 1800.0  # seconds; the default of `idle` for the machines of a job
OFF = ("off", "0", "0s", "no", "false")


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """The limits of one machine.

    `idle` is in seconds; 0 means that an idle machine is never stopped. `max_time` (in seconds) and `max_cost` (in
    $) count from now on.
    """

    idle: float = 0.0
    max_time: float | None = None
    max_cost: float | None = None

    @property
    def asked(self) -> bool:
        """Whether the user has set a limit of time or money. Such a limit has no default."""
        return self.max_time is not None or self.max_cost is not None

    def left(self, per_hour: float) -> int:
        """The seconds after which the machine stops in any case, or 0 if there is no such limit."""
        found = [] if self.max_time is None else [self.max_time]
        if self.max_cost is not None and per_hour > 0:
            found.append(self.max_cost / per_hour * 3600)
        return max(1, int(min(found))) if found else 0

    def text(self, per_hour: float) -> str:
        """The limits in words, such as `it stops by itself after 30m without work, and in 2h in any case`."""
        parts = [f"after {format_duration(self.idle)} without work"] if self.idle else []
        if left := self.left(per_hour):
            parts.append(f"in {format_duration(left)} in any case")
        return f"it stops by itself {', and '.join(parts)}"


def read(idle_stop: str | None, max_time: float | None, max_cost: float | None, job: str | None) -> Limits | None:
    """The limits that the user has set, or None if there are no limits.

    If `idle_stop` is None, `idle` gets a default for a job, and 0 without a job. Raises UsageError for a limit that
    is not above 0.
    """
    for name, value in (("max_time", max_time), ("max_cost", max_cost)):
        if value is not None and value <= 0:
            raise UsageError(f"{name} is used up", f"set a higher limit: {name}=...", code="no_limit_left")
    if idle_stop is None:
        idle = IDLE if job else 0.0
    else:
        idle = 0.0 if idle_stop.strip().lower() in OFF else parse_duration(idle_stop)
    found = Limits(idle=idle, max_time=max_time, max_cost=max_cost)
    return found if found.idle or found.asked else None
