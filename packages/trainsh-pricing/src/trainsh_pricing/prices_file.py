"""The file pricing.json, as tmux-trainsh 0.9 wrote it: rates, the Colab subscription, GPU prices.

Keys that are not known here (`vast_rates`, those of a newer version) are kept.
"""

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from trainsh_base.errors import UsageError
from trainsh_base.system.files import locked, write_atomic
from trainsh_base.system.paths import config_home

_encode = msgspec.json.Encoder(decimal_format="number").encode


class ExchangeRates(msgspec.Struct):
    """What was fetched last. `updated_at` is RFC 3339 UTC; `date` and `source` are newer than 0.9."""

    base: str
    rates: dict[str, Decimal]
    updated_at: str = ""
    date: str = ""
    source: str = ""


class ColabSubscription(msgspec.Struct):
    """What is paid each month, and the compute units it buys. The defaults are Colab Pro's, as 0.9 had them."""

    name: str = "Colab Pro"
    price: Decimal = Decimal("11.99")
    currency: str = "USD"
    total_units: Decimal = Decimal(100)


class ColabGpuPrice(msgspec.Struct):
    """How many units an hour of a GPU takes."""

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
    """Where the file is."""
    return config_home() / "pricing.json"


def load() -> Prices:
    """What the file says; the defaults where there is none. UsageError names what is wrong in it."""
    return _read()[0]


def change(edit: Callable[[Prices], None]) -> Prices:
    """Apply `edit` to what the file says and write it whole, under a lock; unknown keys stay as they are."""
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
        raise UsageError(f"cannot read {place()}: {error.strerror}", code="bad_prices") from None
    try:
        document = json.loads(data, parse_float=Decimal)
        return msgspec.convert(document, Prices), document
    except (ValueError, msgspec.ValidationError) as error:
        hint = "correct it in an editor, or move it away; it was left as it is"
        raise UsageError(f"{place()} is not a price file: {error}", hint, code="bad_prices") from None


def _merged(old: Any, new: dict[str, Any]) -> dict[str, Any]:
    """`new` over `old`, in each object; rates that are no longer there go."""
    kept = dict(old) if isinstance(old, dict) else {}
    for key, value in new.items():
        kept[key] = _merged(kept.get(key), value) if isinstance(value, dict) and key != "rates" else value
    return kept
