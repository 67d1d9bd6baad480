"""What renting would cost, asked before anything is rented (docs/providers.md)."""

import msgspec


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of a command that `estimates` a verb.

    `offers`: how many match now. `price_per_hour`: of the best of them, its disk included; None without a match.
    `storage_per_hour`: of its disk alone, while the machine is stopped. `disk` is in GB.
    """

    offers: int
    price_per_hour: float | None = None
    storage_per_hour: float = 0.0
    disk: float = 0.0
    currency: str = "USD"
    description: str = ""
