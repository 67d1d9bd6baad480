"""Exchange rates and conversion, in decimal arithmetic. Pure, except that it reads pricing.json."""

from decimal import ROUND_HALF_EVEN, Decimal

from trainsh_base.errors import NotFound, UsageError
from trainsh_base.system.suggest import did_you_mean
from trainsh_pricing import prices_file
from trainsh_pricing.model import Converted, Rate, Rates
from trainsh_pricing.prices_file import ExchangeRates

CURRENCIES = ("USD", "JPY", "HKD", "CNY", "EUR", "GBP", "KRW", "TWD")
EXACT = Decimal("0.0001")

# Used until the first `--refresh`: reference rates of the European Central Bank for one US dollar. The rate of the
# New Taiwan dollar, which that bank does not publish, is from the Central Bank of the Republic of China.
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
    """The rates that were fetched last, else the built-in ones.

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
    """The rates as an answer, without the base currency's own rate of 1."""
    rows = [Rate(currency=name, rate=rate) for name, rate in sorted(rates.rates.items()) if name != rates.base]
    return Rates(
        base=rates.base, date=rates.date, source=rates.source, fetched=rates.updated_at or None, rates=rows
    )


def check(currency: str, rates: ExchangeRates) -> str:
    """The currency's code in capitals. Raises NotFound with the nearest code when there is no rate for it."""
    code = currency.strip().upper()
    names = sorted({rates.base, *rates.rates})
    if code not in names:
        hint = did_you_mean(code, names, f"known: {', '.join(names)}")
        raise NotFound(f"no exchange rate for {currency!r}", hint, code="no_currency")
    return code


def convert(amount: Decimal, source: str, target: str, rates: ExchangeRates) -> Decimal:
    """Convert `amount` from `source` to `target` without rounding. Both are codes that `check` returned."""
    per_base = {**rates.rates, rates.base: Decimal(1)}
    return amount if source == target else amount / per_base[source] * per_base[target]


def converted(text: str, source: str, target: str) -> Converted:
    """The answer of `convert`, rounded half to even to four decimals. Raises UsageError for an amount that is not a
    number."""
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
