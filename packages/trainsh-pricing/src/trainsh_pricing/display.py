"""Prints amounts and costs for people."""

from decimal import Decimal

from trainsh_base.tool.display import fields, remark, table
from trainsh_pricing.model import Bill, Billed, Colab, Converted, Currency, Rates, Sum

ONE = Decimal(1)
SMALL = Decimal("0.1")


def money(amount: Decimal, currency: str) -> str:
    """Return an amount as text, such as `$1.96` or `CN¥14.30`.

    An amount below 0.10 has four decimals. Currencies without decimals (yen, won) have none.
    """
    from babel.numbers import format_currency

    if 0 < abs(amount) < SMALL:
        return format_currency(amount, currency, "¤#,##0.0000", locale="en_US", currency_digits=False)
    return format_currency(amount, currency, locale="en_US")


def show_rates(rates: Rates) -> None:
    """Print one row for each currency. The date and the source of the rates go to stderr."""
    table([{"currency": row.currency, f"for 1 {rates.base}": f"{row.rate.normalize():f}"} for row in rates.rates])
    note(rates.date, rates.source)


def note(date: str, source: str) -> None:
    """Print the date and the source of the rates on stderr.

    For built-in rates, also print how to fetch new ones.
    """
    hint = "; to fetch today's rates: train pricing rates --refresh" if source == "built in" else ""
    remark(f"rates of {date} ({source}){hint}")


def show_currency(answer: Currency) -> None:
    """Print the currency code."""
    print(answer.currency)


def show_converted(answer: Converted) -> None:
    """Print the amount in both currencies, such as `$10.00 = CN¥72.99`."""
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


def show_bill(found: Bill) -> None:
    """Print the running machines with their sum, and then the stopped machines with theirs.

    The machines that no running job holds are named on stderr.
    """
    for title, rows, total in (
        ("running", found.running, found.running_sum), ("stopped", found.stopped, found.stopped_sum),
    ):  # fmt: skip
        if rows:
            print(f"{title}: {_prices(total, found.currency)}")
            table([_line(row) for row in rows])
            for row in rows:
                if row.owned and row.end:
                    print(f"  to end {row.provider} {row.id}: {row.end}")
    for month in found.months:
        said = "does not say" if month.amount is None else money(month.amount, month.currency)
        print(f"this month, {month.provider}: {said}")
    if found.running and found.stopped:
        print(f"together: {_prices(found.sum, found.currency)}")
    if not (found.running or found.stopped or found.silent):
        remark("Nothing costs money now.")
    for one in found.silent:
        remark(f"{one.provider} could not be asked: {one.problem}")
    for row in [*found.running, *found.stopped]:
        if not row.owned:
            remark(f"{row.provider} {row.id} costs money, and {_holder(row)}; to end that: {row.end}")


def _holder(row: Billed) -> str:
    if row.job_state == "interrupted":
        return f"its job {row.job} was interrupted (to continue: train resume {row.job})"
    return f"its job {row.job} is over" if row.job else "no job holds it"


def _prices(total: Sum, currency: str) -> str:
    amounts = [money(amount, currency) for amount in (total.per_hour, total.per_day, total.per_month)]
    return f"{amounts[0]} an hour, {amounts[1]} a day, {amounts[2]} a month"


def _line(row: Billed) -> dict[str, str]:
    return {
        "id": f"{row.provider} {row.id}", "GPU": row.gpu, "an hour": money(row.per_hour, row.currency),
        "a day": money(row.per_day, row.currency), "a month": money(row.per_month, row.currency),
        "job": f"{row.job[-4:]} ({row.job_state})" if row.job else "-",
    }  # fmt: skip
