"""Google Colab's prices: compute units per hour, and the price of a unit in the subscription.

The functions here only compute: they read and write no files."""

from decimal import Decimal

from trainsh_base.errors import UsageError
from trainsh_pricing import exchange
from trainsh_pricing.model import Colab, ColabGpu, Subscription
from trainsh_pricing.prices_file import ColabSubscription, ExchangeRates, Prices

CENTS = Decimal("0.0001")


def costs(prices: Prices, rates: ExchangeRates, currency: str) -> Colab:
    """Return the subscription, and the price of an hour of each GPU.

    The price of the subscription is in the currency in which it is paid. The other prices are in `currency`.
    """
    paid = prices.colab_subscription
    source = exchange.check(paid.currency, rates)
    unit = exchange.convert(paid.price, source, currency, rates) / paid.total_units
    return Colab(
        subscription=Subscription(name=paid.name, price=paid.price, currency=source, units=paid.total_units),
        gpus=[
            ColabGpu(
                gpu=gpu.gpu_name,
                units_per_hour=gpu.units_per_hour,
                price_per_hour=(unit * gpu.units_per_hour).quantize(CENTS),
                currency=currency,
                hours=(paid.total_units / gpu.units_per_hour).quantize(Decimal("0.1")),
            )
            for gpu in prices.colab_gpu_pricing
            if gpu.units_per_hour > 0
        ],
    )


def subscribe(
    old: ColabSubscription,
    rates: ExchangeRates,
    name: str,
    price: str | None,
    currency: str | None,
    units: str | None,
) -> ColabSubscription:
    """Return the subscription `old` with the given fields changed.

    Raises UsageError if the price is below 0 or if there are no units.
    """
    changed = ColabSubscription(
        name=name,
        price=old.price if price is None else exchange.parse_amount(price),
        currency=old.currency if currency is None else exchange.check(currency, rates),
        total_units=old.total_units if units is None else exchange.parse_amount(units),
    )
    if changed.price < 0 or changed.total_units <= 0:
        raise UsageError(
            f"a subscription of {changed.total_units} units for {changed.price} {changed.currency}",
            "--units must be above 0, and --price 0 or more", code="bad_amount",
        )  # fmt: skip
    return changed
