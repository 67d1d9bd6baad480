"""The commands of train-pricing."""

from collections.abc import Callable
from decimal import Decimal
from typing import Annotated

from trainsh_base.errors import UsageError
from trainsh_base.provider.installed import installed
from trainsh_base.system.configuration import config
from trainsh_base.system.configuration.settings import find
from trainsh_base.tool.declare import Arg, Opt, Tool
from trainsh_base.tool.program import run as run_tool
from trainsh_pricing import colab as plans
from trainsh_pricing import display, exchange, prices_file, rates_service
from trainsh_pricing.model import Bill, Colab, Converted, Currency, Rates

tool = Tool("pricing", "Currencies, and what machines cost")


@tool.command(show=display.show_rates)
def rates(refresh: Annotated[bool, Opt("fetch today's rates first")] = False) -> Rates:
    """Show exchange rates: how much of each currency one US dollar buys.

    The rates are those of the European Central Bank; they are stored in pricing.json and used offline. Before the
    first --refresh, older built-in rates are used.
    """
    if refresh:
        fetched = rates_service.fetch()
        prices_file.change(lambda prices: setattr(prices, "exchange_rates", fetched))
    return exchange.document(exchange.known())


@tool.command(show=display.show_currency)
def currency(
    set_: Annotated[str | None, Opt("show amounts in this currency", name="--set", metavar="CODE")] = None,
) -> Currency:
    """Show or set the currency that amounts are shown in: train pricing currency --set CNY."""
    if set_ is not None:
        code = exchange.check(set_, exchange.known())
        config.change(lambda document: config.put(document, "ui.currency", code))
    return _shown_currency()


def _shown_currency() -> Currency:
    """Return the currency to show: the setting ui.currency, else the one that version 0.9 wrote to pricing.json,
    else dollars.
    """
    setting = config.lookup(find("ui.currency"), config.load())
    if setting.value:
        code = exchange.check(str(setting.value), exchange.known())
        return Currency(currency=code, source=str(setting.source))
    written = prices_file.load().display_currency
    if written:
        return Currency(currency=exchange.check(written, exchange.known()), source="file")
    return Currency(currency="USD", source="default")


@tool.command(show=display.show_converted)
def convert(
    amount: Annotated[str, Arg("the amount, such as 10 or 0.25")],
    source: Annotated[str, Arg("the currency of the amount, such as USD", metavar="FROM")],
    to: Annotated[str, Arg("the currency wanted, such as CNY")],
) -> Converted:
    """Convert an amount: train pricing convert 10 USD CNY."""
    return exchange.converted(amount, source, to)


@tool.command(show=display.show_colab)
def colab(
    subscription: Annotated[
        str | None, Opt("the plan that you pay for, such as 'Colab Pro+'; stored for later", metavar="NAME")
    ] = None,
    price: Annotated[str | None, Opt("with --subscription: the price of a month", metavar="AMOUNT")] = None,
    in_: Annotated[str | None, Opt("with --price: its currency", name="--currency", metavar="CODE")] = None,
    units: Annotated[str | None, Opt("with --subscription: the compute units of a month", metavar="N")] = None,
) -> Colab:
    """Show what Colab's GPUs cost an hour: in compute units, and in money with your subscription."""
    known = exchange.known()
    if subscription is not None:
        prices_file.change(
            lambda prices: setattr(
                prices,
                "colab_subscription",
                plans.subscribe(prices.colab_subscription, known, subscription, price, in_, units),
            )
        )
    elif price is not None or in_ is not None or units is not None:
        raise UsageError("--price, --currency and --units go with --subscription", "train pricing colab --help")
    return plans.costs(prices_file.load(), known, _shown_currency().currency)


def _to_shown(shown: str) -> Callable[[Decimal, str], Decimal]:
    known = exchange.known()
    return lambda amount, source: exchange.convert(amount, exchange.check(source, known), shown, known)


@tool.command(show=display.show_bill)
def vast() -> Bill:
    """Show what your Vast.ai instances cost now: an hour, a day, a month, running and stopped."""
    from trainsh_pricing import bill as bills  # noqa: PLC0415 - brings subprocess

    shown = _shown_currency().currency
    return bills.bill(["vast"], _to_shown(shown), shown, everything=False)


_running_only = False  # whether --running was given, for the function `_status`


def _status(found: Bill) -> int:
    from trainsh_pricing import bill as bills  # noqa: PLC0415 - as below

    return 1 if found.silent or bills.unowned(found, running_only=_running_only) else 0


@tool.command(show=display.show_bill, status=_status)
def bill(
    running: Annotated[
        bool, Opt("exit 1 only for running machines, not for stopped ones whose disk costs money")
    ] = False,
) -> Bill:
    """Show all machines that cost money now, of all providers and jobs, and the command that ends each.

    Exit 1 if a machine costs money but no running job holds it, or if a provider does not answer. Useful in
    cron, and before you close the laptop.

    \b
    train bill
    train bill --running --json | jq .sum.per_day
    """
    from trainsh_pricing import bill as bills  # noqa: PLC0415 - brings subprocess

    global _running_only  # noqa: PLW0603 - the exit status depends on it
    _running_only = running
    shown = _shown_currency().currency
    return bills.bill([one.name for one in installed()], _to_shown(shown), shown)


def main() -> None:
    """Run train-pricing."""
    run_tool(tool)
