"""The file pricing.json, in the format of tmux-trainsh 0.9: rates, the Colab subscription, GPU prices.

Unknown keys (`vast_rates`, or keys of a newer version) are kept.
"""

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from trainsh_base.errors import UsageError, unreadable
from trainsh_base.system.files import locked, write_atomic
from trainsh_base.system.paths import config_home

_encode = msgspec.json.Encoder(decimal_format="number").encode


class ExchangeRates(msgspec.Struct):
    """The rates that were fetched last. `updated_at` is a time in UTC, in the form of RFC 3339.

    A file that version 0.9 wrote has no `date` and no `source`.
    """

    base: str
    rates: dict[str, Decimal]
    updated_at: str = ""
    date: str = ""
    source: str = ""


class ColabSubscription(msgspec.Struct):
    """The monthly price, and the compute units that it buys.

    The defaults are those of version 0.9, for Colab Pro.
    """

    name: str = "Colab Pro"
    price: Decimal = Decimal("11.99")
    currency: str = "USD"
    total_units: Decimal = Decimal(100)


class ColabGpuPrice(msgspec.Struct):
    """The compute units that an hour of a GPU costs."""

    gpu_name: str
    units_per_hour: Decimal


def _default_gpus() -> list[ColabGpuPrice]:
    units = {"T4": "1.96", "L4": "3.72", "V100": "5.36", "A100": "12.29"}
    return [ColabGpuPrice(gpu_name=name, units_per_hour=Decimal(value)) for name, value in units.items()]


class Prices(msgspec.Struct):
    """The whole file."""

    exchange_rates: ExchangeRates | None = None
    display_currency: str = ""
    colab_subscription: ColabSubscription = msgspec.field(default_factory=ColabSubscription)
    colab_gpu_pricing: list[ColabGpuPrice] = msgspec.field(default_factory=_default_gpus)


def place() -> Path:
    """Return the path of pricing.json."""
    return config_home() / "pricing.json"


def load() -> Prices:
    """Return the contents of the file, or the defaults if there is no file.

    Raises UsageError, which tells what is wrong, if the file cannot be read.
    """
    return _read()[0]


def change(edit: Callable[[Prices], None]) -> Prices:
    """Apply `edit` to the contents of the file and write the file, under a lock. Unknown keys are kept."""
    with locked(place()):
        prices, document = _read()
        edit(prices)
        known = msgspec.to_builtins(prices, builtin_types=(Decimal,))
        document = _merged(document, {key: value for key, value in known.items() if value is not None})
        write_atomic(place(), msgspec.json.format(_encode(document), indent=2) + b"\n")
    return prices


def _read() -> tuple[Prices, dict[str, Any]]:
    try:
        data = place().read_bytes()
    except FileNotFoundError:
        return Prices(), {}
    except OSError as error:
        raise unreadable(place(), error, folder=place().parent) from None
    try:
        document = json.loads(data, parse_float=Decimal)
        return msgspec.convert(document, Prices), document
    except (ValueError, msgspec.ValidationError) as error:
        hint = "correct it in an editor, or move it away; the file was not changed"
        raise UsageError(f"{place()} is not a price file: {error}", hint, code="bad_prices") from None


def _merged(old: Any, new: dict[str, Any]) -> dict[str, Any]:
    """Return `old` updated with `new`. Nested objects are updated too.

    Rates that `new` does not have are removed.
    """
    kept = dict(old) if isinstance(old, dict) else {}
    for key, value in new.items():
        kept[key] = _merged(kept.get(key), value) if isinstance(value, dict) and key != "rates" else value
    return kept
