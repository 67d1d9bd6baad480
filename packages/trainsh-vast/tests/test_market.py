"""Tests the query language, filters that are checked again, and paging.

The form of the requests was recorded from the official client.
"""

import time
from pathlib import Path
from typing import Any

import pytest

from trainsh_base.errors import NotFound, UsageError
from trainsh_vast.market import offers
from trainsh_vast.market.query import parse
from trainsh_vast.market.wanted import Wanted, passes
from vast_cloud import Cloud, call, train_sandbox

QUERIES = [
    ("num_gpus>=1 gpu_ram>=24", {"num_gpus": {"gte": 1}, "gpu_ram": {"gte": 24000}}),
    ("gpu_name=RTX_4090", {"gpu_name": {"eq": "RTX 4090"}}),
    ('gpu_name="RTX 4090" cpu_ram > 64', {"gpu_name": {"eq": "RTX 4090"}, "cpu_ram": {"gt": 64000}}),
    ("duration>=3", {"duration": {"gte": 259200}}),
    ("driver_version>=535.86.05", {"driver_version": {"gte": 535086005}}),
    ("geolocation in [US,CA]", {"geolocation": {"in": ["US", "CA"]}}),
    ("geolocation not in [US]", {"geolocation": {"notin": ["US"]}}),
    ("verified=any", {"verified": {}}),
    ("datacenter=True dph<0.5", {"datacenter": {"eq": True}, "dph_total": {"lt": 0.5}}),
    ("id=7 reliability2>0.99", {"ask_contract_id": {"eq": 7}, "reliability": {"gt": 0.99}}),
    ("dph>0.1 dph<=0.5", {"dph_total": {"gt": 0.1, "lte": 0.5}}),
    ("num_gpus != 2", {"num_gpus": {"neq": 2}}),
    ("", {}),
]


@pytest.mark.parametrize(("text", "filters"), QUERIES, ids=[text for text, _ in QUERIES])
def test_the_query_language(text: str, filters: dict[str, Any]) -> None:
    assert parse(text) == filters


@pytest.mark.parametrize(
    "text",
    ["gpu_name", "gpu_name=", "gpu_name RTX", "[US] in geolocation", "num_gpus>=2 4090", "a~b", "gpu_ram>>40"],
)
def test_what_cannot_be_read_is_said(text: str) -> None:
    with pytest.raises(UsageError, match="cannot read the query at"):
        parse(text)


def test_a_24_gb_card_has_24_gb() -> None:
    filters = Wanted(min_gpu_ram=24).filters()
    assert passes({"gpu_ram": 24564}, "gpu_ram", filters["gpu_ram"])
    assert not passes({"gpu_ram": 23034}, "gpu_ram", filters["gpu_ram"])


CHECKS = [
    ({"dph_total": 0.6}, "dph_total", {"lte": 0.5}, False),
    ({"dph_total": "0.4"}, "dph_total", {"lte": 0.5}, True),
    ({"gpu_name": "RTX 4090"}, "gpu_name", {"eq": "rtx 4090"}, True),
    ({"gpu_name": "RTX 4090D"}, "gpu_name", {"eq": "RTX 4090"}, False),
    ({"geolocation": "Quebec, CA"}, "geolocation", {"in": ["US", "CA"]}, True),
    ({"geolocation": "Quebec, CA"}, "geolocation", {"notin": ["CA"]}, False),
    ({"verification": "unverified"}, "verified", {"eq": True}, False),
    ({"hosting_type": 1}, "datacenter", {"eq": True}, True),
    ({"reliability2": 0.9}, "reliability", {"gte": 0.95}, False),
    ({"driver_vers": 535086005}, "driver_version", {"gte": 570000000}, False),
    ({}, "cpu_cores", {"gte": 8}, True),  # the row does not have this field, so only the server can compare it
    ({"cpu_cores": None}, "cpu_cores", {"gte": 8}, True),
]


@pytest.mark.parametrize(("row", "field", "tests", "holds"), CHECKS)
def test_what_the_server_returned_is_checked_again(
    row: dict[str, Any], field: str, tests: dict[str, Any], holds: bool
) -> None:
    assert passes(row, field, tests) is holds


@pytest.mark.parametrize("sort", ["price", "value", "reliability"])
def test_search_sorts_and_prices_with_the_disk(cloud: Cloud, sort: str) -> None:
    found = call("search", num_gpus=2, disk=100, sort=sort, limit=10)
    assert len(found) == 10
    assert all(row["num_gpus"] >= 2 for row in found)
    assert all(
        row["dph_total"] == pytest.approx(row["dph_base"] + row["storage_cost"] * 100 / 720) for row in found
    )
    keys = [offers.KEYS[sort](row) for row in found]  # type: ignore[index]
    assert keys == sorted(keys)


def test_names_of_gpus_are_found_in_any_case_and_unknown_ones_are_said(cloud: Cloud) -> None:
    assert {row["gpu_name"] for row in call("search", gpu="rtx_4070_ti")} == {"RTX 4070 Ti"}
    with pytest.raises(NotFound, match="has no GPU named 'RTX_4900'") as error:
        call("search", gpu="RTX_4900")
    assert "RTX_4090" in error.value.hint
    assert call("search", query=["num_gpus>=4000"]) == []


def test_ten_thousand_offers_come_in_pages_and_no_further_than_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "big"
    train_sandbox(folder, "up", "--offers", "10000", "--no-machines", "--no-storage", "--rented", "0")
    try:
        big = Cloud(folder)
        for name, value in big.env.items():
            monkeypatch.setenv(name, value)
        began = time.monotonic()
        found = call("search", limit=200, query=["verified=any"])
        assert time.monotonic() - began < 60
        prices = [row["dph_total"] for row in found]
        assert len({row["id"] for row in found}) == 200
        assert prices == sorted(prices)
        # The account has 500 instances. All of them are listed, in pages of 25.
        big.ask("POST", "/sandbox/crowd", {"count": 500})
        began = time.monotonic()
        assert len({row.id for row in call("list")}) == 500
        assert time.monotonic() - began < 60
    finally:
        train_sandbox(folder, "down")
