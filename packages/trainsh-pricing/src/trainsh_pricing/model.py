"""The documents that train-pricing answers with. An amount is a decimal text in JSON."""

from decimal import Decimal

import msgspec


class Rate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much of `currency` one unit of the base buys."""

    currency: str
    rate: Decimal


class Rates(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Exchange rates: `date` is the day they are of, `fetched` when they were fetched (None: built in)."""

    base: str
    date: str
    source: str
    fetched: str | None
    rates: list[Rate]


class Currency(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The currency that amounts are shown in; `source` is default, file or environment."""

    currency: str
    source: str


class Converted(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`amount` of `to`, for `given` of `from_currency`, by the rates of `date`."""

    given: Decimal
    from_currency: str
    amount: Decimal
    to: str
    date: str
    source: str


class Subscription(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A Colab subscription: `units` compute units for `price`, each month."""

    name: str
    price: Decimal
    currency: str
    units: Decimal


class ColabGpu(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one hour of a GPU costs in units and money, and how many hours the whole subscription gives."""

    gpu: str
    units_per_hour: Decimal
    price_per_hour: Decimal
    currency: str
    hours: Decimal


class Colab(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The subscription, and what each GPU costs with it."""

    subscription: Subscription
    gpus: list[ColabGpu]


class InstanceCost(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one rented machine costs now: its GPU while it runs, its disk always. `end` stops it costing money."""

    id: str
    label: str
    state: str
    gpu: str
    price_per_hour: Decimal
    storage_per_hour: Decimal
    per_hour: Decimal
    per_day: Decimal
    per_month: Decimal
    currency: str
    end: str


class InstanceCosts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every rented machine, and what they cost together."""

    instances: list[InstanceCost]
    per_hour: Decimal
    per_day: Decimal
    per_month: Decimal
    currency: str
