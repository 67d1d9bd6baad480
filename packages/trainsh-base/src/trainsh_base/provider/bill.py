"""The costs of a provider's machines now, as its command `bill` returns them (docs/providers.md)."""

from decimal import Decimal

import msgspec

from trainsh_base.provider.instance import Instance

EXACT = Decimal("0.000001")


class Billed(Instance, frozen=True, kw_only=True):
    """A machine that costs money now.

    `per_hour` is what it costs in its present state, in its `currency`; a decimal text in JSON.
    """

    per_hour: Decimal


class Amount(msgspec.Struct, frozen=True, kw_only=True):
    """An amount of money; a decimal text in JSON."""

    amount: Decimal
    currency: str = "USD"


class Bill(msgspec.Struct, frozen=True, kw_only=True):
    """What costs money now, and what this month has cost (null: the provider does not say)."""

    now: list[Billed]
    month: Amount | None = None


def billed(row: Instance, per_hour: float | None = None) -> Billed:
    """Return `row` with its cost per hour.

    The cost is `per_hour` if that is given. Otherwise it is the full price, or the disk's price for a stopped
    machine, or 0 for a machine that is gone.
    """
    price = {"gone": 0.0, "stopped": row.storage_per_hour}.get(row.state, row.price_per_hour)
    price = price if per_hour is None else per_hour
    fields = {name: getattr(row, name) for name in Instance.__struct_fields__}
    return Billed(**fields, per_hour=Decimal(str(price)).quantize(EXACT))
