"""Fetches exchange rates from Frankfurter, which publishes the figures of the European Central Bank.

`GET URL?from=USD&to=JPY,...` answers `{"amount": 1.0, "base": "USD", "date": "2026-11-26", "rates": {"JPY": ...}}`.
"""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from trainsh_base.errors import RemoteError, Unreachable
from trainsh_base.system.configuration.config import config_value
from trainsh_pricing.exchange import BUILT_IN, CURRENCIES
from trainsh_pricing.prices_file import ExchangeRates

if TYPE_CHECKING:
    import requests

TIMEOUT = (5.0, 15.0)
TRIES = 3


class _Answer(msgspec.Struct):
    base: str
    date: str
    rates: dict[str, Decimal]


def fetch() -> ExchangeRates:
    """Fetch today's rates for one US dollar.

    Raises Unreachable if there is no response, and RemoteError if the response is wrong.
    """
    url = str(config_value("pricing.rates_url"))
    answer = _read(_get(url).text, url)
    if answer.base != BUILT_IN.base or any(rate <= 0 for rate in answer.rates.values()):
        raise _bad(url, "the service sent other rates than those requested")
    now = datetime.now(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")
    return ExchangeRates(base=answer.base, rates=answer.rates, updated_at=now, date=answer.date, source=url)


def _get(url: str) -> "requests.Response":
    import requests
    from requests.adapters import HTTPAdapter
    from urllib3.util import Retry

    retry = Retry(
        total=TRIES, backoff_factor=0.3, status_forcelist=(429, 500, 502, 503, 504), raise_on_status=False
    )
    session = requests.Session()
    for scheme in ("http://", "https://"):
        session.mount(scheme, HTTPAdapter(max_retries=retry))
    others = ",".join(name for name in CURRENCIES if name != BUILT_IN.base)
    try:
        response = session.get(url, params={"from": BUILT_IN.base, "to": others}, timeout=TIMEOUT)
    except requests.RequestException as error:
        hint = "the rates fetched last are still used; to see them: train pricing rates"
        raise Unreachable(f"{url} cannot be reached: {_reason(error)}", hint, code="rates_unreachable") from None
    if not response.ok:
        raise _bad(url, f"HTTP status {response.status_code}")
    return response


def _reason(error: Exception) -> str:
    """Return the message of the exception that was the first cause of `error`, without what the library added."""
    inner: BaseException = error
    while (below := getattr(inner, "reason", None) or inner.__cause__ or inner.__context__) and below is not inner:
        if not isinstance(below, BaseException):
            break
        inner = below
    return getattr(inner, "strerror", None) or type(inner).__name__


def _read(text: str, url: str) -> _Answer:
    try:
        return msgspec.convert(json.loads(text, parse_float=Decimal), _Answer)
    except (ValueError, RecursionError, msgspec.ValidationError):
        raise _bad(url, "the answer is not a table of rates") from None


def _bad(url: str, why: str) -> RemoteError:
    return RemoteError(f"{url}: {why}", "see: train config get pricing.rates_url", code="bad_rates")
