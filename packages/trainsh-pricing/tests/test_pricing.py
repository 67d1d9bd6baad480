"""Conversion, pricing.json as 0.9 wrote it, the rates' service (a real HTTP server), and the costs' arithmetic."""

import json
import os
import shutil
import threading
from collections.abc import Iterator
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from trainsh_base.errors import NotFound, RemoteError, TrainError, Unreachable, UsageError
from trainsh_base.system import spawn
from trainsh_pricing import bill, colab, exchange, prices_file, rates_service
from trainsh_pricing.prices_file import Prices

OLD_FILE = {
    "exchange_rates": {"base": "USD", "rates": {"CNY": 7.1, "EUR": 0.9}, "updated_at": "2025-05-01T00:00:00Z"},
    "display_currency": "CNY",
    "colab_subscription": {"name": "Colab Pro+", "price": 49.99, "currency": "USD", "total_units": 500},
    "colab_gpu_pricing": [{"gpu_name": "T4", "units_per_hour": 1.96}],
    "vast_rates": {"kept": True},
}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A TRAINSH_HOME of the test's own."""
    monkeypatch.setenv("TRAINSH_HOME", str(tmp_path))
    for name in ("TRAINSH_UI_CURRENCY", "TRAINSH_PRICING_RATES_URL", "HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def old(home: Path) -> Path:
    """pricing.json as tmux-trainsh 0.9 wrote it."""
    file = home / "pricing.json"
    file.write_text(json.dumps(OLD_FILE))
    return file


class Service(BaseHTTPRequestHandler):
    """Frankfurter's answer; the first `broken` requests get a 503."""

    answer: ClassVar[bytes] = b""
    status: ClassVar[int] = 200
    broken: ClassVar[int] = 0
    paths: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        """Answer, and record the request."""
        kind = type(self)
        kind.paths.append(self.path)
        kind.broken -= 1
        self.send_response(503 if kind.broken >= 0 else kind.status)
        self.send_header("Content-Length", str(len(kind.answer)))
        self.end_headers()
        self.wfile.write(kind.answer)

    def log_message(self, format: str, *args: Any) -> None:
        """Print nothing."""


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Service]]:
    """The service on a loopback port."""
    kind = type("Fresh", (Service,), {"paths": []})
    kind.answer = b'{"amount":1.0,"base":"USD","date":"2026-11-26","rates":{"CNY":7.0001,"EUR":0.93,"JPY":150.1}}'
    server = HTTPServer(("127.0.0.1", 0), kind)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setenv("TRAINSH_PRICING_RATES_URL", f"http://127.0.0.1:{server.server_port}/latest")
    yield kind
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    ("amount", "source", "to", "expected"),
    [
        ("10", "USD", "CNY", "72.993"),
        ("10", "usd", "Usd", "10"),
        ("0.1", "USD", "EUR", "0.0963"),
        ("1474.78", "KRW", "USD", "1"),
        ("-3", "USD", "TWD", "-98.343"),
        ("1_000", "EUR", "JPY", "163054.7706"),
    ],
)
def test_amounts_are_converted_in_decimal(amount: str, source: str, to: str, expected: str) -> None:
    answer = exchange.converted(amount, source, to)
    assert f"{answer.amount:f}" == expected
    assert (answer.date, answer.source) == ("2024-12-31", "built in")


@pytest.mark.parametrize("text", ["ten", "", "nan", "inf", "1e99", "0x10"])
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="not an amount"):
        exchange.converted(text, "USD", "EUR")


def test_an_unknown_currency_is_not_found_with_the_nearest() -> None:
    with pytest.raises(NotFound) as caught:
        exchange.converted("1", "USD", "CNX")
    assert "CNY" in caught.value.hint
    assert caught.value.exit_status == 3


def test_a_file_of_0_9_loads_whole(old: Path) -> None:
    prices = prices_file.load()
    assert prices.display_currency == "CNY"
    assert prices.colab_subscription.total_units == 500
    known = exchange.known()
    assert (known.rates["CNY"], known.date) == (Decimal("7.1"), "2025-05-01")
    assert known.rates["TWD"] == exchange.BUILT_IN.rates["TWD"]


def test_a_change_keeps_what_is_not_known(old: Path) -> None:
    prices_file.change(lambda prices: setattr(prices, "display_currency", "EUR"))
    written = json.loads(old.read_text())
    assert written["display_currency"] == "EUR"
    assert written["vast_rates"] == {"kept": True}
    assert written["exchange_rates"]["rates"] == {"CNY": 7.1, "EUR": 0.9}
    assert written["colab_subscription"] == OLD_FILE["colab_subscription"]


@pytest.mark.parametrize("text", ["{", '{"exchange_rates": 5}', "[]", '{"colab_gpu_pricing": [{"gpu_name": 1}]}'])
def test_a_damaged_file_is_named_and_left_alone(home: Path, text: str) -> None:
    file = home / "pricing.json"
    file.write_text(text)
    for act in (exchange.known, lambda: prices_file.change(lambda _: None)):
        with pytest.raises(UsageError, match=r"pricing\.json"):
            act()
    assert file.read_text() == text


def test_fetched_rates_are_used_and_dated(service: type[Service], home: Path) -> None:
    fetched = rates_service.fetch()
    prices_file.change(lambda prices: setattr(prices, "exchange_rates", fetched))
    answer = exchange.converted("10", "USD", "CNY")
    assert (answer.amount, answer.date) == (Decimal("70.001"), "2026-11-26")
    assert service.paths == ["/latest?from=USD&to=JPY%2CHKD%2CCNY%2CEUR%2CGBP%2CKRW%2CTWD"]
    assert json.loads((home / "pricing.json").read_text())["exchange_rates"]["rates"]["CNY"] == 7.0001


def test_a_busy_service_is_asked_again(service: type[Service]) -> None:
    service.broken = 2
    assert rates_service.fetch().rates["EUR"] == Decimal("0.93")
    assert len(service.paths) == 3


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (404, b"{}"),
        (200, b"<html>"),
        (200, b'{"base":"EUR","date":"2026-11-26","rates":{"CNY":7.8}}'),
        (200, b'{"base":"USD","date":"2026-11-26","rates":{"CNY":-1}}'),
        (200, b'{"base":"USD","date":"2026-11-26","rates":{"CNY":"much"}}'),
        (200, b"[" * 100000),
    ],
)
def test_another_answer_is_a_remote_error(service: type[Service], status: int, answer: bytes) -> None:
    service.status, service.answer = status, answer
    with pytest.raises(RemoteError):
        rates_service.fetch()


def test_without_the_service_the_error_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates_service, "TRIES", 0)  # nothing listens on port 9: one try is enough
    monkeypatch.setenv("TRAINSH_PRICING_RATES_URL", "http://127.0.0.1:9/latest")
    with pytest.raises(Unreachable) as caught:
        rates_service.fetch()
    assert "Connection refused" in caught.value.message


def test_colab_prices_follow_the_subscription() -> None:
    answer = colab.costs(Prices(), exchange.BUILT_IN, "USD")
    rows = {row.gpu: row for row in answer.gpus}
    assert rows["T4"].price_per_hour == Decimal("0.2350")  # 11.99 / 100 * 1.96
    assert rows["A100"].hours == Decimal("8.1")
    assert colab.costs(Prices(), exchange.BUILT_IN, "JPY").gpus[0].currency == "JPY"


@pytest.mark.parametrize(("price", "units"), [("-1", None), (None, "0"), ("x", None)])
def test_a_subscription_without_units_is_refused(price: str | None, units: str | None) -> None:
    with pytest.raises(TrainError):
        colab.subscribe(Prices().colab_subscription, exchange.BUILT_IN, "Pro", price, None, units)


PROVIDER = """#!/bin/sh
case $1 in
schema) echo '{"provides": ["hosts"]}' ;;
bill) cat "$(dirname "$0")/bill" ;;
list) cat "$(dirname "$0")/list" ;;
jobs) cat "$(dirname "$0")/jobs" ;;
*) exit 2 ;;
esac
"""


def tool(folder: Path, name: str, **answers: Any) -> None:
    """A tool with these answers. A command without an answer fails like an unknown command."""
    place = folder / name
    place.mkdir()
    for command, answer in answers.items():
        (place / command).write_text(json.dumps(answer))
    program = place / f"train-{name}"
    program.write_text(PROVIDER if "bill" in answers else PROVIDER.replace("bill) cat", "never) cat"))
    program.chmod(0o755)


ROW = {"state": "running", "price_per_hour": 0.4, "storage_per_hour": 0.01, "gpu": "RTX 4090", "currency": "USD"}


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two providers, one of which has no `bill`, and the jobs."""
    held = {**ROW, "id": 7, "job": "now", "per_hour": "0.400000", "gpu_count": 2, "end": "train acme stop 7"}
    left = {**ROW, "id": 8, "job": "then", "state": "stopped", "per_hour": "0.01", "end": "train acme destroy 8"}
    tool(tmp_path, "acme", bill={"now": [held, left], "month": {"amount": "12.345", "currency": "USD"}})
    tool(tmp_path, "lab", list=[{**ROW, "id": "a", "currency": "CNY"}, {**ROW, "id": "b", "state": "gone"}])
    lost = {**ROW, "id": "x", "provider": "removed", "hosts": ["gpu"], "end": "train removed stop x"}
    again = {**held, "provider": "acme", "hosts": ["gpu"]}
    jobs = [
        {"id": "now", "state": "running", "instances": [again]},
        {"id": "old", "state": "failed", "instances": [lost]},
    ]
    tool(tmp_path, "recipe", jobs=jobs)
    for name in ("acme", "lab", "recipe"):
        monkeypatch.setenv("PATH", f"{tmp_path / name}:{os.environ['PATH']}")
    monkeypatch.setattr(spawn, "tool_path", shutil_path)
    return tmp_path


def shutil_path(name: str) -> str | None:
    """Find tools only on PATH, since the real ones are beside this Python."""
    return shutil.which(f"train-{name}")


def dollars(amount: Decimal, currency: str) -> Decimal:
    return amount if currency == "USD" else amount / 4


def test_what_bills_over_all_providers_and_who_holds_it(world: Path) -> None:
    found = bill.bill(["acme", "lab"], dollars, "USD")
    assert [(row.provider, row.id, row.per_hour, row.owned, row.gpu) for row in found.running] == [
        ("acme", "7", Decimal("0.4000"), True, "2x RTX 4090"),
        ("removed", "x", Decimal("0.4000"), False, "RTX 4090"),
        ("lab", "a", Decimal("0.1000"), False, "RTX 4090"),
    ]
    assert [(row.source, row.job_state) for row in found.running] == [
        ("provider", "running"), ("journal", "failed"), ("provider", "")
    ]  # fmt: skip
    assert [(row.id, row.job_state, row.end) for row in found.stopped] == [("8", "over", "train acme destroy 8")]
    assert (found.sum.per_hour, found.sum.per_day, found.stopped_sum.per_month) == (
        Decimal("0.9100"), Decimal("21.8400"), Decimal("7.3000")
    )  # fmt: skip
    assert [(month.provider, month.amount) for month in found.months] == [
        ("acme", Decimal("12.3450")),
        ("lab", None),
    ]
    assert [row.id for row in bill.unowned(found)] == ["x", "a", "8"]
    assert [row.id for row in bill.unowned(found, running_only=True)] == ["x", "a"]
    (world / "acme" / "bill").unlink()
    assert [one.provider for one in bill.bill(["acme", "lab"], dollars, "USD").silent] == ["acme"]
