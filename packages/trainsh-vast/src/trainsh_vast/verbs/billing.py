"""Computes the cost of instances as Decimals.

The cost is taken from the service's ledger if the ledger has entries for the instance. Otherwise it is computed
from prices and hours.
"""

import time
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from trainsh_base.errors import TrainError
from trainsh_base.provider.bill import Amount, Bill, billed
from trainsh_vast.api.service import Row, Service
from trainsh_vast.model import Balance, Cost, Parts
from trainsh_vast.rented import rows

GB = Decimal(1000**3)
HOUR = Decimal(3600)
EXACT = Decimal("0.000001")
CENT = Decimal("0.01")
KINDS = {"gpu": "gpu", "disk": "storage", "bwu": "bandwidth", "bwd": "bandwidth"}


def decimal(value: Any) -> Decimal:
    """A number of the service as a Decimal, without the digits that binary fractions add. Null gives 0."""
    return Decimal(str(value or 0))


def service_now(row: Row | None) -> float:
    """The time of the service's clock.

    It is computed from an instance's end time and the time that is left until then.
    """
    if row and row.get("end_date") and row.get("duration"):
        return float(row["end_date"]) - float(row["duration"])
    return time.time()


def cost(service: Service, number: int) -> Cost:
    """The cost of an instance. A destroyed instance also has a cost if it is in the ledger.

    Raises NotFound for any other instance.
    """
    row = service.instance(number)
    now = service_now(row)
    start = float(row.get("start_date") or 0.0) - 86400 if row else now - 90 * 86400
    try:
        ledger = _from_ledger(service, number, start, now)
    except TrainError:
        ledger = None
    prices = _from_prices(row, now) if row else None
    found = ledger or prices or _from_prices(service.need(number), now)
    difference = ledger.total - prices.total if ledger and prices else None
    words = f"instance {number} has cost ${found.total:.2f}: GPU ${found.gpu:.2f}, storage ${found.storage:.2f}"
    words += f", bandwidth ${found.bandwidth:.2f}"
    if prices and difference is not None and abs(difference) >= CENT:
        words += f" (computed from prices and hours: ${prices.total:.2f})"
    return Cost(
        id=number, gpu=found.gpu, storage=found.storage, bandwidth=found.bandwidth, total=found.total,
        source="ledger" if ledger else "prices", by_prices=prices, difference=difference,
        per_hour=decimal(rows.costs_now(rows.rented(row))) if row else Decimal(0), message=words,
    )  # fmt: skip


def _from_ledger(service: Service, number: int, start: float, end: float) -> Parts | None:
    """The sums of the ledger's lines about one instance, or None if there are no such lines."""
    sums = dict.fromkeys(KINDS.values(), Decimal(0))
    seen = False
    for line in service.charges(start, end):
        if line.get("source") == f"instance-{number}":
            seen = True
            for item in line.get("items") or []:
                sums[KINDS.get(item.get("type"), "gpu")] += decimal(item.get("amount"))
    return _parts(sums["gpu"], sums["storage"], sums["bandwidth"]) if seen else None


def _from_prices(row: Row, now: float) -> Parts:
    """The cost of an instance as prices times hours.

    The service reports only how long the instance has run since its last start.
    """
    hours = max(Decimal(0), decimal(now) - decimal(row.get("start_date") or now)) / HOUR
    running = decimal(row.get("uptime_mins")) / 60
    up, down = (decimal(row.get(f"inet_{way}_billed")) * 1000 / GB for way in ("up", "down"))
    return _parts(
        running * decimal(row.get("dph_base")),
        hours * decimal(row.get("storage_total_cost")),
        up * decimal(row.get("inet_up_cost")) + down * decimal(row.get("inet_down_cost")),
    )


def _parts(gpu: Decimal, storage: Decimal, bandwidth: Decimal) -> Parts:
    gpu, storage, bandwidth = (one.quantize(EXACT) for one in (gpu, storage, bandwidth))
    return Parts(gpu=gpu, storage=storage, bandwidth=bandwidth, total=gpu + storage + bandwidth)


def balance(service: Service) -> Balance:
    """The account's credit, and how long it will last."""
    credit = float(service.user().get("credit") or 0.0)
    per_hour = sum(rows.costs_now(row) for row in rows.every(service))
    return Balance(credit=credit, per_hour=per_hour, hours_left=max(0.0, credit) / per_hour if per_hour else None)


def bill(service: Service) -> Bill:
    """The instances that cost money now, and what this month has cost according to the ledger.

    A month begins and ends in UTC, as it does for the service.
    """
    raw = list(service.instances())
    now = service_now(raw[0] if raw else None)
    begun = datetime.fromtimestamp(now, UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    try:
        lines = [decimal(line.get("amount")) for line in service.charges(begun.timestamp(), now)]
        month = Amount(amount=sum(lines, Decimal(0)).quantize(EXACT))
    except TrainError:
        month = None
    found = [rows.rented(row) for row in raw]
    return Bill(now=[billed(row, rows.costs_now(row)) for row in found if rows.costs_now(row)], month=month)
