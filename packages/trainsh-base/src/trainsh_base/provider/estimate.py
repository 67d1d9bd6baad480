"""What a rental would cost. This is asked before anything is rented (docs/providers.md)."""

import msgspec


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of a command that `estimates` a verb.

    `offers` is the number of offers that match now. `price_per_hour` is the price of the best offer, with its disk;
    None if no offer matches. `storage_per_hour` is the price of this disk while the machine is stopped. `disk` is
    in GB.
    """

    offers: int
    price_per_hour: float | None = None
    storage_per_hour: float = 0.0
    disk: float = 0.0
    currency: str = "USD"
    description: str = ""
