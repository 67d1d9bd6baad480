"""Prints answers for people."""

import os
from decimal import Decimal
from typing import Any

from trainsh_base.errors import TrainError
from trainsh_base.provider.bill import Bill
from trainsh_base.provider.estimate import Estimate
from trainsh_base.system.paths import jobs_home
from trainsh_base.tool.display import fields, nothing, remark, table
from trainsh_vast.market.offers import Offer
from trainsh_vast.model import Attached, Balance, Change, Cost, Created, Details, Key, Rented, Verb
from trainsh_vast.rented.endpoint import other_setting

# seconds within which the exchange rate must arrive; without a rate, amounts are shown only in dollars
RATE_LIMIT = 10.0


class Currency:
    """Formats amounts in dollars.

    If the rate of the currency of `train pricing currency` is known, each amount is also shown in that currency.
    """

    def __init__(self) -> None:
        self.code, self.rate = "USD", 1.0
        try:
            code = str(other_setting("ui.currency") or "USD")
            if code != "USD":
                from trainsh_base.tool.peer import call  # noqa: PLC0415 - only needed here

                given = {"amount": "1", "source": "USD", "to": code}
                answer = call("pricing", "convert", given, timeout=RATE_LIMIT)
                self.rate, self.code = float(answer["amount"]), code
        except (TrainError, TypeError, ValueError, KeyError):
            self.code, self.rate = "USD", 1.0

    def text(self, amount: float | Decimal, digits: int = 3) -> str:
        """An amount as text, such as `$0.351` or `$0.351 (2.54 CNY)`."""
        dollars = f"${amount:.{digits}f}"
        return dollars if self.code == "USD" else f"{dollars} ({float(amount) * self.rate:.2f} {self.code})"


def show_list(rows: list[Rented]) -> None:
    """Print one row for each instance.

    An instance's job is marked as "(over)" if it has ended, because it then no longer stops the instance.
    """
    if not rows:
        words = "You have no instances. What the market offers: train vast search"
        nothing(words)
        return
    money = Currency()
    table(
        [
            {
                "id": str(row.id),
                "state": row.state,
                "gpu": f"{row.gpu_count}x {row.gpu}",
                "an hour": money.text(row.storage_per_hour if row.state == "stopped" else row.price_per_hour),
                "label": row.label,
                "job": _job(row.job),
                "place": row.place,
                "problem": row.problem[:60],
            }
            for row in rows
        ]
    )
    for row in rows:
        if row.orphan and row.state != "gone":
            remark(f"{row.id} costs money, but its job is over; to end that: {row.end}")


def _job(job: str) -> str:
    return f"{job} (over)" if job and not (jobs_home() / "open" / job).exists() else job


def show_details(found: Details) -> None:
    """Print the row of an instance, and then what the service reports about its machine."""
    row, api = found.row, found.api
    fields(
        {
            "id": str(row.id),
            "state": row.state,
            "problem": row.problem,
            "gpu": f"{row.gpu_count}x {row.gpu}",
            "gpu_ram": f"{float(api.get('gpu_ram') or 0) / 1000:.1f} GB each",
            "label": row.label,
            "job": _job(row.job),
            "price": f"{Currency().text(row.price_per_hour)} an hour running, ${row.storage_per_hour:.4f} stopped",
            "disk": f"{row.disk:g} GB",
            "image": api.get("image_uuid"),
            "place": row.place,
            "ssh": row.ssh,
            "cuda": api.get("cuda_max_good"),
            "reliability": api.get("reliability2"),
            "machine": api.get("machine_id"),
            "to end it": row.end,
        }
    )


def show_offers(rows: list[dict[str, Any]]) -> None:
    """Print a row for each offer, with its total price.

    The columns that matter most come first, because a narrow terminal shows only the first columns.
    """
    if not rows:
        nothing("No offer meets all of this. Without requirements: train vast search")
        return
    money = Currency()
    shorts = [Offer.of(row) for row in rows]
    table(
        [
            {
                "offer": str(one.offer),
                "gpu": f"{one.gpu_count}x {one.gpu}",
                "an hour": money.text(one.price),
                "reliability": f"{100 * (one.reliability or 0):.1f}%",
                "ram": f"{(one.gpu_ram or 0) / 1000:.0f} GB",
                "down/up": f"{one.down or 0:.0f}/{one.up or 0:.0f} Mb/s",
                "disk": f"{one.disk_space or 0:.0f} GB",
                "place": one.place,
                "value": f"{one.value or 0:.0f}",
                "traffic": f"${one.bandwidth_per_gb or 0:.3f}/GB",
                "cuda": one.cuda,
            }
            for one in shorts
        ]
    )


def show_keys(keys: list[Key]) -> None:
    """Print a row for each SSH key."""
    if not keys:
        nothing("No SSH key yet. Put yours on the account: train vast attach-key")
    table([{"id": str(key.id), "key": _short(key.key), "since": key.created} for key in keys])


def _short(key: str) -> str:
    parts = [*key.split(None, 2), "", "", ""]
    return f"{parts[0]} ...{parts[1][-12:]} {parts[2]}".strip()


def show_attached(done: Attached) -> None:
    """Print where the SSH key was put."""
    where = "your account" if done.instance is None else f"instance {done.instance}"
    print(
        f"{done.file} {'is on' if done.was_there else 'was put on'} {where}"
        + (" already" if done.was_there else "")
    )
    if done.instance is None and not done.was_there:
        print("instances rented from now on will have it; for an existing instance: train vast attach-key ID")


def show_created(created: Created) -> None:
    """Print the message and the new instance."""
    print(created.message)
    show_row(created.instance)


def show_estimate(found: Estimate) -> None:
    """Print what a pick would take, and its price."""
    if found.price_per_hour is None:
        print(f"{found.description}: lower the requirements, or set create=true")
        return
    money = Currency()
    stopped = f"{money.text(found.storage_per_hour, 4)} stopped, {found.disk:g} GB"
    print(f"{found.description}, {money.text(found.price_per_hour)} an hour ({stopped}); {found.offers} fit")


def show_verb(answer: Verb) -> None:
    """Print the message of the answer."""
    print(answer.message)


def show_row(row: Rented) -> None:
    """Print the instance's state and what it costs now."""
    price = row.storage_per_hour if row.state == "stopped" else row.price_per_hour
    print(
        f"instance {row.id} is {row.state}; {Currency().text(price)} an hour"
        + (f" ({row.problem})" if row.problem else "")
    )
    if row.state == "stopped":
        print(f"  its disk still costs money; to end that: {row.end}")


def show_cost(costs: list[Cost]) -> None:
    """Print a block of costs for each instance."""
    money = Currency()
    for one in costs:
        known = {
            "instance": str(one.id),
            "gpu": money.text(one.gpu, 4),
            "storage": money.text(one.storage, 4),
            "bandwidth": money.text(one.bandwidth, 4),
            "total": money.text(one.total, 4),
            "now": f"{money.text(one.per_hour)} an hour",
            "from": "Vast.ai's ledger"
            if one.source == "ledger"
            else "prices and hours (Vast.ai's ledger has no entry yet)",
        }
        if one.by_prices is not None and one.difference is not None:
            known["by prices"] = (
                f"{money.text(one.by_prices.total, 4)}; the ledger differs by {one.difference:+.4f}"
            )
            if one.difference > one.by_prices.total / 10:
                known["note"] = "`by prices` counts the running time since the last start only"
        if os.environ.get("TRAINSH_SANDBOX"):
            known["clock"] = "the sandbox's clock; `train sandbox up --speed N` makes it N times faster"
        fields(known)


def show_balance(found: Balance) -> None:
    """Print the credit, the spending, and how long the credit lasts."""
    money = Currency()
    lasts = f"{found.hours_left:.1f} hours" if found.hours_left is not None else ""
    fields({"credit": money.text(found.credit, 2), "an hour now": money.text(found.per_hour), "lasts": lasts})


def show_bill(found: Bill) -> None:
    """Print the instances that cost money, and the total of the month."""
    money = Currency()
    table([
        {
            "id": str(row.id), "state": row.state, "gpu": f"{row.gpu_count}x {row.gpu}",
            "an hour": money.text(row.per_hour), "label": row.label, "job": _job(row.job), "to end it": row.end,
        }
        for row in found.now
    ])  # fmt: skip
    month = money.text(found.month.amount, 2) if found.month else "Vast.ai's ledger does not answer"
    fields({"an hour now": money.text(sum((row.per_hour for row in found.now), Decimal(0))), "this month": month})


def show_changes(changes: list[Change]) -> None:
    """Print nothing, because each change was printed when it happened."""
