"""The cost of instances, from the service's ledger, else from prices and hours."""

import time
from datetime import UTC, datetime
from typing import Any

from trainsh_base.errors import TrainError
from trainsh_vast.api.service import Row, Service
from trainsh_vast.model import Balance, Bill, Cost
from trainsh_vast.rented import rows

GB = 1000**3
KINDS = {"gpu": "gpu", "disk": "storage", "bwu": "bandwidth", "bwd": "bandwidth"}


def service_now(row: Row | None) -> float:
    """The service's clock, computed from an instance's end time and the time left until then."""
    if row and row.get("end_date") and row.get("duration"):
        return float(row["end_date"]) - float(row["duration"])
    return time.time()


def cost(service: Service, number: int) -> Cost:
    """The cost of an instance; also of a destroyed one if the ledger has it."""
    row = service.instance(number)
    now = service_now(row)
    start = float(row.get("start_date") or 0.0) - 86400 if row else now - 90 * 86400
    try:
        found = _from_ledger(service, number, start, now)
    except TrainError:
        found = None
    if found is None:
        row = row or service.need(number)
        found = _from_prices(row, now)
        source = "prices"
    else:
        source = "ledger"
    total = sum(found.values())
    per_hour = rows.costs_now(rows.rented(row)) if row else 0.0
    message = f"instance {number} has cost ${total:.2f}: GPU ${found['gpu']:.2f}, storage ${found['storage']:.2f}"
    message += f", bandwidth ${found['bandwidth']:.2f}"
    return Cost(
        id=number, gpu=found["gpu"], storage=found["storage"], bandwidth=found["bandwidth"], total=total,
        source=source, per_hour=per_hour, message=message,
    )  # fmt: skip


def _from_ledger(service: Service, number: int, start: float, end: float) -> dict[str, float] | None:
    sums = dict.fromkeys(KINDS.values(), 0.0)
    seen = False
    for line in service.charges(start, end):
        if line.get("source") == f"instance-{number}":
            seen = True
            for item in line.get("items") or []:
                sums[KINDS.get(item.get("type"), "gpu")] += float(item.get("amount") or 0.0)
    return sums if seen else None


def _from_prices(row: Row, now: float) -> dict[str, float]:
    hours = max(0.0, now - float(row.get("start_date") or now)) / 3600
    running = float(row.get("uptime_mins") or 0.0) / 60
    up, down = (float(row.get(f"inet_{way}_billed") or 0.0) * 1000 / GB for way in ("up", "down"))
    return {
        "gpu": running * float(row.get("dph_base") or 0.0),
        "storage": hours * float(row.get("storage_total_cost") or 0.0),
        "bandwidth": up * float(row.get("inet_up_cost") or 0.0) + down * float(row.get("inet_down_cost") or 0.0),
    }


def balance(service: Service) -> Balance:
    """The account's credit, and how long it will last."""
    credit = float(service.user().get("credit") or 0.0)
    per_hour = sum(rows.costs_now(row) for row in rows.every(service))
    return Balance(credit=credit, per_hour=per_hour, hours_left=max(0.0, credit) / per_hour if per_hour else None)


def bill(service: Service) -> Bill:
    """What costs money now, and what this month has cost."""
    raw = list(service.instances())
    found = [rows.rented(row) for row in raw]
    now = service_now(raw[0] if raw else None)
    month: Any = None
    begun = datetime.fromtimestamp(now, UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    try:
        month = sum(float(line.get("amount") or 0.0) for line in service.charges(begun.timestamp(), now))
    except TrainError:
        month = None
    return Bill(instances=found, per_hour=sum(map(rows.costs_now, found)), month=month)
