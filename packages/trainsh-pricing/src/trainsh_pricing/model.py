"""The documents that train-pricing returns. An amount is a decimal text in JSON."""

from decimal import Decimal

import msgspec


class Rate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much of `currency` one unit of the base buys."""

    currency: str
    rate: Decimal


class Rates(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Exchange rates of the day `date`; `fetched` is the time at which they were fetched (None: built in)."""

    base: str
    date: str
    source: str
    fetched: str | None
    rates: list[Rate]


class Currency(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The currency in which amounts are shown. `source` is default, file or environment."""

    currency: str
    source: str


class Converted(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`given` of `from_currency` are `amount` of `to`, by the rates of `date`."""

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
    """What one hour of a GPU costs, in units and in money, and how many hours the whole subscription gives."""

    gpu: str
    units_per_hour: Decimal
    price_per_hour: Decimal
    currency: str
    hours: Decimal


class Colab(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The subscription, and what each GPU costs with it."""

    subscription: Subscription
    gpus: list[ColabGpu]


class Billed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A machine that costs money now. `owned`: a running job holds the machine and will end it.

    `job_state` is the state of the job that holds the machine: running, interrupted, ... or `over`; "" if no job
    holds it. `source` is `provider`, or `journal` if the provider's tool or key is gone and only the job's journal
    lists the machine.
    """

    provider: str
    source: str
    id: str
    label: str
    state: str
    gpu: str
    job: str
    job_state: str
    owned: bool
    price_per_hour: Decimal
    storage_per_hour: Decimal
    per_hour: Decimal
    per_day: Decimal
    per_month: Decimal
    currency: str
    end: str


class Sum(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What several machines cost together."""

    per_hour: Decimal
    per_day: Decimal
    per_month: Decimal


class Month(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a provider has billed this month; `amount` is null if the provider does not tell."""

    provider: str
    amount: Decimal | None
    currency: str


class Silent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A provider that could not be asked, so its bill is not known."""

    provider: str
    problem: str
    code: str


class Bill(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that costs money now, in one currency: running machines, stopped machines, and the sum of both."""

    running: list[Billed]
    stopped: list[Billed]
    running_sum: Sum
    stopped_sum: Sum
    sum: Sum
    currency: str
    months: list[Month]
    silent: list[Silent]
