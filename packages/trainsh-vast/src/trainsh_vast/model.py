"""The documents of train-vast."""

from decimal import Decimal
from typing import Any

import msgspec

from trainsh_base.provider.instance import Instance


class Rented(Instance, frozen=True, kw_only=True):
    """A row of `list`: an instance, with a few words from Vast.ai about its state.

    `orphan`: the instance's job is over, so no job will stop the instance.
    """

    orphan: bool = False

    status: str = msgspec.field(name="detail", default="")
    problem: str = ""
    disk: float = 0.0
    place: str = ""
    ssh: str = ""


class Details(msgspec.Struct, frozen=True, kw_only=True):
    """All about an instance: its row, and Vast.ai's own object without secrets."""

    row: Rented
    api: dict[str, Any]


class Log(msgspec.Struct, frozen=True, kw_only=True):
    """The log of an instance's container."""

    id: int
    text: str


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """An ssh key of the account, or of an instance."""

    id: int
    key: str
    created: str = ""


class Attached(msgspec.Struct, frozen=True, kw_only=True):
    """A key that was attached to the account (`instance` is null) or to an instance."""

    key: str
    file: str
    instance: int | None = None
    was_there: bool = False


class Created(msgspec.Struct, frozen=True, kw_only=True):
    """A new instance. In an answer to a recipe, `instance` is its row."""

    id: int
    instance: Rented
    message: str = ""


class Verb(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of a verb to a recipe (docs/providers.md)."""

    hosts: dict[str, str] = {}
    instance: Rented | None = None
    instances: list[Rented] = []
    message: str = ""


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """A cost in dollars, split by purpose; decimal texts in JSON."""

    gpu: Decimal
    storage: Decimal
    bandwidth: Decimal
    total: Decimal


class Cost(Parts, frozen=True, kw_only=True):
    """What an instance has cost in dollars.

    `source` tells whether this is from Vast.ai's own `ledger` or from `prices` and hours. `by_prices` is the result
    from prices and hours. `difference` is how much more the ledger has. Both are null if they are not known.
    """

    id: int
    source: str
    by_prices: Parts | None = None
    difference: Decimal | None = None
    per_hour: Decimal = Decimal(0)
    message: str = ""
    currency: str = "USD"


class Balance(msgspec.Struct, frozen=True, kw_only=True):
    """The account's credit in dollars, what all instances cost per hour now, and for how many hours the credit
    lasts.
    """

    credit: float
    per_hour: float
    hours_left: float | None
    currency: str = "USD"


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A change of an instance to the state `state`. `at` is in seconds since 1970."""

    id: int
    at: float
    state: str
    status: str = msgspec.field(name="detail", default="")
