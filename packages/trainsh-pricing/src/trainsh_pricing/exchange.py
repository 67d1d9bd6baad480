"""Exchange rates, and conversion in decimal arithmetic. No file except pricing.json is read here."""

from decimal import ROUND_HALF_EVEN, Decimal

from trainsh_base.errors import NotFound, UsageError
from trainsh_base.system.suggest import did_you_mean
from trainsh_pricing import prices_file
from trainsh_pricing.model import Converted, Rate, Rates
from trainsh_pricing.prices_file import ExchangeRates

CURRENCIES = ("USD", "JPY", "HKD", "CNY", "EUR", "GBP", "KRW", "TWD")
EXACT = Decimal("0.0001")

# The rates for one US dollar that are used until the first `--refresh`. They are reference rates of the European
# Central Bank. This bank publishes no rate for the New Taiwan dollar. That rate is from the Central Bank of the
# Republic of China.
BUILT_IN = ExchangeRates(
    base="USD",
    date="2024-12-31",
    source="built in",
    rates={
        currency: Decimal(rate)
        for currency, rate in {
            "JPY": "156.95", "HKD": "7.7665", "CNY": "7.2993", "EUR": "0.96256", "GBP": "0.79813", "KRW": "1474.78",
            "TWD": "32.781",
        }.items()
    },
)  # fmt: skip


def known() -> ExchangeRates:
    """Return the rates that were fetched last. If none were fetched, return the built-in rates.

    A currency that the service does not publish keeps its built-in rate.
    """
    fetched = prices_file.load().exchange_rates
    if fetched is None or not fetched.rates:
        return BUILT_IN
    if fetched.base != BUILT_IN.base:
        return fetched
    return ExchangeRates(
        base=fetched.base,
        rates={**BUILT_IN.rates, **fetched.rates},
        updated_at=fetched.updated_at,
        date=fetched.date or fetched.updated_at[:10],
        source=fetched.source or "pricing.json",
    )


def document(rates: ExchangeRates) -> Rates:
    """Return the rates in the form of an answer. The base currency, whose rate is 1, is left out."""
    rows = [Rate(currency=name, rate=rate) for name, rate in sorted(rates.rates.items()) if name != rates.base]
    return Rates(
        base=rates.base, date=rates.date, source=rates.source, fetched=rates.updated_at or None, rates=rows
    )


def check(currency: str, rates: ExchangeRates) -> str:
    """Return the currency's code in capitals. If it has no rate, raise NotFound with a similar code as a hint."""
    code = currency.strip().upper()
    names = sorted({rates.base, *rates.rates})
    if code not in names:
        hint = did_you_mean(code, names, f"known: {', '.join(names)}")
        raise NotFound(f"no exchange rate for {currency!r}", hint, code="no_currency")
    return code


def convert(amount: Decimal, source: str, target: str, rates: ExchangeRates) -> Decimal:
    """Convert `amount` from the currency `source` to `target`, without rounding.

    Both codes must be results of `check`.
    """
    per_base = {**rates.rates, rates.base: Decimal(1)}
    return amount if source == target else amount / per_base[source] * per_base[target]


def converted(text: str, source: str, target: str) -> Converted:
    """Return the answer of the command `convert`. The amount is rounded half to even, to four decimals.

    Raises UsageError for an amount that is not a number.
    """
    rates = known()
    source, target = check(source, rates), check(target, rates)
    given = parse_amount(text)
    amount = convert(given, source, target, rates).quantize(EXACT, ROUND_HALF_EVEN).normalize()
    return Converted(
        given=given, from_currency=source, amount=Decimal(f"{amount:f}"), to=target, date=rates.date,
        source=rates.source,
    )  # fmt: skip


def parse_amount(text: str) -> Decimal:
    """Parse a number with at most 15 digits before the decimal point. Raises UsageError for anything else."""
    try:
        amount = Decimal(text.strip().replace("_", ""))
    except ArithmeticError:
        raise UsageError(f"not an amount: {text!r}", "write it like 10 or 0.25", code="bad_amount") from None
    if not amount.is_finite() or abs(amount) >= Decimal(10) ** 15:
        raise UsageError(f"not an amount: {text!r}", "write it like 10 or 0.25", code="bad_amount")
    return amount
