"""The limits of a run in time and money. A thread cancels the job when a limit is reached."""

import threading
import time

from trainsh_base.errors import TrainError
from trainsh_base.system.spawn import tool_path
from trainsh_base.system.units import format_duration
from trainsh_base.tool.peer import call
from trainsh_recipe.engine.outside.cancellation import Cancel, Cancellation
from trainsh_recipe.engine.outside.view import View
from trainsh_recipe.store import rented
from trainsh_recipe.store.state import State

LONGEST = 3600.0  # the most seconds between two checks of the limits
ASK_LIMIT = 10.0  # seconds within which train-pricing must convert a currency
DOLLARS = "USD"


class Limits:
    """Watches the time and the money of one run. Call `changed` when a machine's state or price has changed.

    While `finally` runs, a limit that is reached only sets `reached`, because these steps release what costs money.
    """

    def __init__(self, state: State, cancellation: Cancellation, view: View) -> None:
        self._state, self._cancellation, self._view = state, cancellation, view
        self._began = time.monotonic()
        self._active = state.active
        self._changed = threading.Event()
        self._stopped = False
        self._rates: dict[str, float] = {DOLLARS: 1.0}
        self.reached = ""

    def start(self) -> None:
        """Start watching if the job has a limit."""
        self._began, self._active = time.monotonic(), self._state.active
        options = self._state.options
        if options.max_time is not None or options.max_cost is not None:
            threading.Thread(target=self._watch, daemon=True, name="limits").start()

    def changed(self) -> None:
        """Check the limits again, because a machine's state or price has changed."""
        self._changed.set()

    def stop(self) -> None:
        """Stop watching."""
        self._stopped = True
        self._changed.set()

    # What is left

    def time_left(self) -> float | None:
        """Return how many seconds the job may still run before it reaches --max-time, or None without that
        limit.
        """
        limit = self._state.options.max_time
        return None if limit is None else limit - self._active - (time.monotonic() - self._began)

    def money_left(self) -> float | None:
        """Return how many dollars the job may still cost before it reaches --max-cost, or None without that
        limit.
        """
        limit = self._state.options.max_cost
        return None if limit is None else limit - self._cost()[0]

    def handed(self, name: str, machines: int) -> str:
        """Return what is left of the limit `name`, as text for a verb, or "" if the job has no such limit.

        The money that is left is divided by `machines`, the number of machines.
        """
        if name == "idle_stop":
            from trainsh_base.system.configuration.config import config_value  # noqa: PLC0415 - for rented machines only

            value = config_value("run.idle_stop")
            return value if isinstance(value, str) else f"{value:g}"
        left = self.money_left() if name == "max_cost" else self.time_left()
        if left is None:
            return ""
        return f"{max(0.01, left / machines):.2f}" if name == "max_cost" else f"{max(1.0, left):.1f}"

    def _cost(self) -> tuple[float, float]:
        """Return (dollars spent until now, dollars spent per hour)."""
        amounts = rented.total(list(self._state.instances.values()), time.time())
        rates = [self._rate(each.currency) for each in amounts]
        return (
            sum(each.spent * rate for each, rate in zip(amounts, rates, strict=True)),
            sum(each.per_hour * rate for each, rate in zip(amounts, rates, strict=True)),
        )

    def _rate(self, currency: str) -> float:
        """Return the dollars for one unit of a currency, or 1 if the rate is not known.

        The rate is asked only once.
        """
        if currency not in self._rates:
            self._rates[currency] = 1.0
            try:
                if tool_path("pricing") is None:
                    raise TrainError("train-pricing is not installed")
                given = {"amount": "1", "source": currency, "to": DOLLARS}
                self._rates[currency] = float(call("pricing", "convert", given, timeout=ASK_LIMIT)["amount"])
            except (TrainError, KeyError, ValueError, TypeError) as error:
                self._view.log(f"--max-cost counts {currency} as dollars: {error}")
        return self._rates[currency]

    # Watching

    def _watch(self) -> None:
        while not self._stopped:
            left, reason = self._next()
            if left <= 0:
                self.reached = reason
                break
            self._changed.wait(min(left, LONGEST))
            self._changed.clear()
        if self.reached and not self._stopped and not self._state.closing:
            self._cancellation.request(Cancel(self.reached))

    def _next(self) -> tuple[float, str]:
        """Return (the seconds until a limit is reached if nothing changes, a text that names this limit)."""
        options, found = self._state.options, [(LONGEST * 24, "")]
        time_left = self.time_left()
        if time_left is not None:
            found.append((time_left, f"--max-time {format_duration(options.max_time or 0)} is over"))
        if options.max_cost is not None:
            spent, per_hour = self._cost()
            reason = f"--max-cost {rented.money(options.max_cost)} is used up"
            if spent >= options.max_cost:
                found.append((0.0, reason))
            elif per_hour > 0:
                found.append(((options.max_cost - spent) / per_hour * 3600, reason))
        return min(found)
