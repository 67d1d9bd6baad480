"""Prints amounts and costs for people."""

import sys
from decimal import Decimal

from trainsh_base.tool.display import fields, table
from trainsh_pricing.model import Colab, Converted, Currency, InstanceCosts, Rates

ONE = Decimal(1)
SMALL = Decimal("0.1")


def money(amount: Decimal, currency: str) -> str:
    """`$1.96`, `CN¥14.30`. Amounts below 0.10 have four decimals; currencies without decimals (yen, won) have
    none."""
    from babel.numbers import format_currency

    if 0 < abs(amount) < SMALL:
        return format_currency(amount, currency, "¤#,##0.0000", locale="en_US", currency_digits=False)
    return format_currency(amount, currency, locale="en_US")


def show_rates(rates: Rates) -> None:
    """Print one row per currency; date and source go to stderr."""
    table([{"currency": row.currency, f"for 1 {rates.base}": f"{row.rate.normalize():f}"} for row in rates.rates])
    note(rates.date, rates.source)


def note(date: str, source: str) -> None:
    """Print the date and source of the rates on stderr and, for old rates, how to fetch new ones."""
    hint = "; fetch today's: train pricing rates --refresh" if source == "built in" else ""
    print(f"rates of {date} ({source}){hint}", file=sys.stderr)


def show_currency(answer: Currency) -> None:
    """Print the currency code."""
    print(answer.currency)


def show_converted(answer: Converted) -> None:
    """`$10.00 = CN¥72.99`."""
    print(f"{money(answer.given, answer.from_currency)} = {money(answer.amount, answer.to)}")
    note(answer.date, answer.source)


def show_colab(answer: Colab) -> None:
    """Print the subscription, and a row for each GPU."""
    paid = answer.subscription
    fields({
        "subscription": f"{paid.name}: {paid.units:f} units for {money(paid.price, paid.currency)} a month",
    })  # fmt: skip
    table([
        {
            "GPU": row.gpu,
            "units an hour": f"{row.units_per_hour:f}",
            "an hour": money(row.price_per_hour, row.currency),
            "hours a month": f"{row.hours:f}",
        }
        for row in answer.gpus
    ])  # fmt: skip


def show_instances(answer: InstanceCosts) -> None:
    """Print one row per machine, then the total."""
    if not answer.instances:
        print("Nothing is rented.", file=sys.stderr)
        return
    table([
        {
            "id": row.id, "label": row.label, "state": row.state, "GPU": row.gpu,
            "an hour": money(row.per_hour, row.currency), "a day": money(row.per_day, row.currency),
            "a month": money(row.per_month, row.currency), "to end it": row.end,
        }
        for row in answer.instances
    ])  # fmt: skip
    total = [money(amount, answer.currency) for amount in (answer.per_hour, answer.per_day, answer.per_month)]
    print(f"together: {total[0]} an hour, {total[1]} a day, {total[2]} a month")
