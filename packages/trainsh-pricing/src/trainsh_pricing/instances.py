"""The costs of rented machines, from the rows of a provider's `list` (docs/providers.md)."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from trainsh_base.tool.peer import call
from trainsh_pricing.model import InstanceCost, InstanceCosts

HOURS_A_DAY = Decimal(24)
HOURS_A_MONTH = Decimal(730)  # 365 days of 24 hours, in 12 months
EXACT = Decimal("0.0001")
RUNNING = ("starting", "running")

Convert = Callable[[Decimal, str], Decimal]


def of(provider: str, convert: Convert, currency: str) -> InstanceCosts:
    """The machines currently rented from `provider`. `convert(amount, currency of the row)` converts their
    costs."""
    rows = [cost(row, convert, currency) for row in call(provider, "list", {}) if row["state"] != "gone"]
    return InstanceCosts(
        instances=rows,
        per_hour=sum((row.per_hour for row in rows), Decimal(0)),
        per_day=sum((row.per_day for row in rows), Decimal(0)),
        per_month=sum((row.per_month for row in rows), Decimal(0)),
        currency=currency,
    )


def cost(row: dict[str, Any], convert: Convert, currency: str) -> InstanceCost:
    """The cost of one row: a running machine costs its price plus storage, a stopped one only storage."""
    source = str(row.get("currency") or "USD")
    price = convert(Decimal(str(row.get("price_per_hour") or 0)), source)
    storage = convert(Decimal(str(row.get("storage_per_hour") or 0)), source)
    hour = storage + (price if row["state"] in RUNNING else 0)
    count = int(row.get("gpu_count") or 1)
    return InstanceCost(
        id=str(row["id"]),
        label=str(row.get("label") or ""),
        state=str(row["state"]),
        gpu=f"{count}x {row.get('gpu') or '?'}" if count > 1 else str(row.get("gpu") or ""),
        price_per_hour=price.quantize(EXACT),
        storage_per_hour=storage.quantize(EXACT),
        per_hour=hour.quantize(EXACT),
        per_day=(hour * HOURS_A_DAY).quantize(EXACT),
        per_month=(hour * HOURS_A_MONTH).quantize(EXACT),
        currency=currency,
        end=str(row.get("end") or ""),
    )
