"""Tests offers and searches without a server: converted types, special fields, limits, prices, changes
over time.
"""

from typing import Any

import pytest

from trainsh_sandbox.faults.switches import Faults
from trainsh_sandbox.market.offers import STEP, Market
from trainsh_sandbox.market.search import BadQuery, search

NOW = 1_790_000_000.0
MARKET = Market(NOW, 300)
OFFERS = list(MARKET.offers.values())


@pytest.mark.parametrize(
    ("query", "holds"),
    [
        ({"num_gpus": {"gte": "2"}}, lambda row: row["num_gpus"] >= 2),
        ({"gpu_name": {"eq": "RTX 4090"}, "gpu_ram": {"gte": 24000.0}}, lambda row: row["gpu_name"] == "RTX 4090"),
        ({"geolocation": {"in": ["SE", "NO"]}}, lambda row: row["geolocation"][-2:] in ("SE", "NO")),
        ({"geolocation": {"notin": ["US"]}}, lambda row: not row["geolocation"].endswith("US")),
        ({"verified": {"eq": True}}, lambda row: row["verification"] == "verified"),
        ({"datacenter": {"eq": True}}, lambda row: row["hosting_type"] == 1),
        ({"duration": {"gte": 86400.0 * 60}}, lambda row: row["end_date"] >= NOW + 86400 * 60),
        ({"reliability2": {"gt": "0.99"}, "num_gpus": {"eq": "1"}}, lambda row: row["reliability"] > 0.99),
        ({"type": "bid"}, lambda row: row["dph_base"] == row["min_bid"]),
        ({"allocated_storage": 500.0}, lambda row: row["disk_space"] >= 500),
    ],
)
def test_a_filter_holds_for_what_it_finds(query: dict[str, Any], holds: Any) -> None:
    found = search(OFFERS, query, NOW)
    assert found
    assert all(holds(row) for row in found)


def test_what_the_service_does_oddly() -> None:
    assert len(search(OFFERS, {"limit": 5000}, NOW)) == 64
    assert search(OFFERS, {"id": {"eq": OFFERS[0]["id"]}}, NOW) == []
    assert len(search(OFFERS, {"ask_contract_id": {"eq": OFFERS[0]["id"]}}, NOW)) == 1
    prices = [row["dph_total"] for row in search(OFFERS, {"order": [["dphtotal", "asc"]], "limit": 20}, NOW)]
    assert prices == sorted(prices)
    one = search(OFFERS, {"allocated_storage": 72.0}, NOW)[0]
    assert one["dph_total"] == pytest.approx(one["dph_base"] + one["storage_cost"] * 72 / 720)
    for bad in ({"num_gpus": 3}, {"num_gpus": {"most": 3}}, {"num_gpus": {"gt": "many"}}, {"order": [1]}):
        with pytest.raises(BadQuery):
            search(OFFERS, bad, NOW)


def test_the_market_is_its_seeds_and_moves() -> None:
    assert Market(NOW, 50, 3).offers == Market(NOW, 50, 3).offers
    market = Market(NOW, 50, 3)
    market.move(NOW + STEP * 12)
    assert market.offers != Market(NOW, 50, 3).offers
    taken = market.take(next(iter(market.offers)))
    assert taken is not None
    old = taken["id"]
    assert old not in market.offers
    assert market.free(taken)["id"] != old


def test_a_switch_strikes_as_often_as_it_says() -> None:
    faults = Faults()
    faults.set("http-429", "2x")
    assert [faults.hits("http-429") for _ in range(3)] == [True, True, False]
    faults.set("http-429", "0.5")
    assert 20 < sum(faults.hits("http-429") for _ in range(100)) < 80
    faults.set("slow", "2s")
    assert faults.seconds("slow") == 2.0
    for name, value in (("http-429", "often"), ("slow", "late"), ("offer-taken", "500"), ("http-249", "on")):
        with pytest.raises(Exception, match=r"cannot be|not a duration|one of|no fault"):
            faults.set(name, value)
