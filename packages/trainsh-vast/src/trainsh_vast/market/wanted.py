"""The requirements for a machine, as a query for the server and as a test of the server's results."""

from collections.abc import Callable
from typing import Any

import msgspec

from trainsh_vast.market.query import Filters, parse

Row = dict[str, Any]
DEFAULTS: Filters = {"verified": {"eq": True}, "external": {"eq": False}, "rentable": {"eq": True}}


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """The options of `search` and `pick`. Memory per GPU is in GB of 1000 MB, the disk in GB, prices are in $/h."""

    query: str = ""
    gpu: str | None = None
    num_gpus: int | None = None
    min_gpu_ram: float | None = None
    max_dph: float | None = None
    disk: float = 10.0
    region: str | None = None
    min_reliability: float | None = None
    bid: bool = False

    def filters(self) -> Filters:
        """The search filters. Options override the defaults, and the query overrides both."""
        filters = {field: dict(tests) for field, tests in DEFAULTS.items()}
        for field, operator, value in (
            ("gpu_name", "eq", self.gpu and self.gpu.replace("_", " ")),
            ("num_gpus", "gte", self.num_gpus),
            ("gpu_ram", "gte", self.min_gpu_ram and self.min_gpu_ram * 1000),
            ("dph_total", "lte", self.max_dph),
            ("reliability", "gte", self.min_reliability),
            ("geolocation", "in", self.region and [word.strip().upper() for word in self.region.split(",")]),
        ):
            if value is not None:
                filters.setdefault(field, {})[operator] = value
        for field, tests in parse(self.query).items():
            if tests:
                filters[field] = {**filters.get(field, {}), **tests} if field not in DEFAULTS else tests
            else:
                filters.pop(field, None)
        return filters

    def body(self, order: list[list[str]], filters: Filters | None = None) -> dict[str, Any]:
        """The body of the search request."""
        kind = "bid" if self.bid else "on-demand"
        return {**(filters or self.filters()), "order": order, "type": kind, "allocated_storage": self.disk}

    def fits_rented(self, row: Row) -> bool:
        """Whether an instance that is already rented meets these filters."""
        filters = {
            field: tests
            for field, tests in self.filters().items()
            if field not in (*DEFAULTS, "duration", "disk_space", "ask_contract_id")
        }
        return all(passes(row, field, tests) for field, tests in filters.items())


def passes(row: Row, field: str, tests: dict[str, Any]) -> bool:
    """Whether a row passes the tests of a field.

    The server has tested the rows already, but its filters have been wrong at times. A row without the field
    passes.
    """
    have = _shown(row, field)
    return have is None or all(_TESTS[operator](have, want) for operator, want in tests.items() if want is not None)


def _shown(row: Row, field: str) -> Any:
    if field == "geolocation":
        return str(row.get("geolocation") or "").rpartition(", ")[2] or None
    if field == "verified":
        return row.get("verification") and row["verification"] == "verified"
    if field == "datacenter":
        return None if row.get("hosting_type") is None else row["hosting_type"] == 1
    if field == "driver_version":
        return row.get("driver_vers")
    if field == "gpu_name":
        return str(row.get("gpu_name") or "").casefold()
    if field == "reliability":
        return row.get("reliability", row.get("reliability2"))
    if field == "allocated_storage":
        return None
    return row.get(field)


def _same(have: Any, want: Any) -> bool:
    if isinstance(have, str) and isinstance(want, str):
        return have.casefold() == want.casefold()
    if isinstance(have, bool) or isinstance(want, bool):
        return bool(have) == bool(want)
    return bool(have == want)


def _ordered(compare: Callable[[float, float], bool]) -> Callable[[Any, Any], bool]:
    def test(have: Any, want: Any) -> bool:
        try:
            return compare(float(have), float(want))
        except (TypeError, ValueError):
            return True  # only the server can compare a value that is not a number

    return test


_TESTS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": _same,
    "neq": lambda have, want: not _same(have, want),
    "gt": _ordered(lambda have, want: have > want),
    "gte": _ordered(lambda have, want: have >= want),
    "lt": _ordered(lambda have, want: have < want),
    "lte": _ordered(lambda have, want: have <= want),
    "in": lambda have, want: any(_same(have, one) for one in want),
    "notin": lambda have, want: not any(_same(have, one) for one in want),
}
