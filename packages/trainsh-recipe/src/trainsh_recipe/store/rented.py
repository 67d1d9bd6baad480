"""The machines that a job rented, and their cost until now, computed from prices and times in the journal."""

from collections.abc import Iterable
from typing import Any

import msgspec

from trainsh_recipe.store.journal import seconds_of

STOPPED = frozenset(("stopped", "exited"))
GONE = frozenset(("gone", "destroyed", "terminated"))


class Rented(msgspec.Struct, kw_only=True):
    """One machine, as its provider last described it. Prices are per hour.

    `hosts` are the recipe's names for the machine. `spent` is what the machine cost up to `since`, the time of its
    last change.
    """

    provider: str
    id: str
    state: str = "running"
    price_per_hour: float | None = None
    storage_per_hour: float | None = None
    currency: str = "USD"
    end: str = ""
    hosts: list[str] = []
    since: float = 0.0
    spent: float = 0.0

    @property
    def running(self) -> bool:
        """Whether the machine is billed for more than its disk. A state that is not known counts as running."""
        if self.state == "failed":
            return bool(self.price_per_hour)
        return self.state not in STOPPED and self.state not in GONE

    @property
    def rate(self) -> float:
        """What the machine costs per hour in its present state, or 0 if the provider gives no price."""
        price = self.price_per_hour if self.running else self.storage_per_hour if self.state in STOPPED else 0.0
        return price or 0.0

    def cost(self, at: float) -> float:
        """Return what the machine has cost until the time `at` (seconds since 1970)."""
        return self.spent + self.rate * max(0.0, at - self.since) / 3600 if self.since else self.spent

    def change(self, state: str, at: float) -> None:
        """Set the state that the machine has from the time `at` on (seconds since 1970)."""
        before = self.running
        self.spent, self.since, self.state = self.cost(at), at, state
        if self.running != before:
            self.end = ""  # the previous command would not end the billing in the new state


class Amount(msgspec.Struct, frozen=True, kw_only=True):
    """An amount in one currency: what was spent, and what an hour costs now."""

    spent: float
    per_hour: float
    currency: str


def key(provider: Any, id: Any) -> str:
    """Return the key of a machine in `State.instances`."""
    return f"{provider} {id}"


def described(known: Rented | None, event: dict[str, Any]) -> Rented:
    """Return the machine as an `instance` event describes it. `known` is the machine before that event, or None."""
    at = seconds_of(event["t"])
    found = known or Rented(provider=str(event.get("provider") or ""), id=str(event.get("id")), since=at)
    found.change(str(event.get("state") or found.state), at)
    for name in ("price_per_hour", "storage_per_hour"):
        if isinstance(event.get(name), (int, float)):
            setattr(found, name, float(event[name]))
    found.currency = str(event.get("currency") or found.currency)
    found.end = str(event.get("end") or found.end)
    hosts = event.get("hosts")
    found.hosts = [str(name) for name in hosts] if isinstance(hosts, list) and hosts else found.hosts
    return found


def total(machines: Iterable[Rented], at: float) -> list[Amount]:
    """Return, for each currency, what the machines have cost until `at` (seconds since 1970), and cost an hour.

    Machines that have no price and have cost nothing are left out.
    """
    sums: dict[str, tuple[float, float]] = {}
    for machine in machines:
        if machine.price_per_hour is not None or machine.spent:
            spent, rate = sums.get(machine.currency, (0.0, 0.0))
            sums[machine.currency] = (spent + machine.cost(at), rate + machine.rate)
    return [Amount(spent=spent, per_hour=rate, currency=name) for name, (spent, rate) in sums.items()]


def money(amount: float, currency: str = "USD") -> str:
    """Return an amount for people: `$0.31`, `0.31 EUR`, or `$0.0042` if it is less than ten cents."""
    text = f"{amount:.2f}" if amount >= 0.1 or not round(amount, 4) else f"{amount:.4f}"
    return f"${text}" if currency == "USD" else f"{text} {currency}"


def spending(amounts: list[Amount]) -> str:
    """Return for example `$0.12 so far, $0.31 an hour`, or "" if `amounts` is empty."""
    return "; ".join(
        f"{money(each.spent, each.currency)} so far"
        + (f", {money(each.per_hour, each.currency)} an hour" if each.per_hour else "")
        for each in amounts
    )
