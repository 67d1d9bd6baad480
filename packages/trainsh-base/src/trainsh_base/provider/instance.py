"""One rented machine, as every provider's `list` returns it (docs/providers.md)."""

from typing import Literal

import msgspec

State = Literal["starting", "running", "stopping", "stopped", "failed", "gone"]


class Instance(msgspec.Struct, frozen=True, kw_only=True):
    """A machine. Prices are per hour in `currency`; `created` is in seconds since 1970.

    `price_per_hour` is the price of the machine with its disk while the machine runs. `storage_per_hour` is the
    price of the disk alone.

    `job` is the job that holds the machine. `end` is a command, ready to paste, that stops the machine's billing.
    """

    id: int | str
    state: State
    label: str = ""
    job: str = ""
    gpu: str = ""
    gpu_count: int = 0
    price_per_hour: float = 0.0
    storage_per_hour: float = 0.0
    currency: str = "USD"
    created: float | None = None
    end: str = ""
