"""Searches offers as the real service does: its filters, special fields, sort order and limit."""

import itertools
from collections.abc import Callable
from typing import Any

from trainsh_sandbox.market.offers import PRICED, Offer, priced, total_price

MOST = 64
CONTROLS = frozenset((
    "order", "type", "limit", "allocated_storage", "disable_bundling", "extra_ids", "template_id", "sort_option",
    "gpu_option", "show_incompatible", "resource_type",
))  # fmt: skip
ALIASES = {"reliability2": "reliability", "dphtotal": "dph_total", "gpu_totalram": "gpu_total_ram"}
Test = Callable[[Any, Any], bool]


class BadQuery(ValueError):
    """The filter is invalid. The message tells why."""


def _same(have: Any, want: Any) -> bool:
    return bool(_coerced(want, have) == have)


def _in(have: Any, want: Any) -> bool:
    return any(_same(have, one) for one in (want if isinstance(want, list) else [want]))


OPERATORS: dict[str, Test] = {
    "eq": _same,
    "neq": lambda have, want: not _same(have, want),
    "gt": lambda have, want: _number(have) > _number(want),
    "gte": lambda have, want: _number(have) >= _number(want),
    "lt": lambda have, want: _number(have) < _number(want),
    "lte": lambda have, want: _number(have) <= _number(want),
    "in": _in,
    "notin": lambda have, want: not _in(have, want),
}


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise BadQuery(f"not a number: {value!r}") from None


def _coerced(want: Any, have: Any) -> Any:
    """`want` converted to the type of `have`.

    This is needed because the official client sends numbers as strings.
    """
    if isinstance(have, bool):
        return want if isinstance(want, bool) else str(want).lower() in ("true", "1")
    if isinstance(have, (int, float)) and isinstance(want, str):
        try:
            return float(want)
        except ValueError:
            return want
    return want


class View:
    """An offer with its prices.

    A price is computed only when it is read, because a search reads two of sixty fields.
    """

    __slots__ = ("_bid", "_disk", "_now", "offer")

    def __init__(self, offer: Offer, disk: float, now: float, bid: bool) -> None:
        self.offer, self._disk, self._now, self._bid = offer, disk, now, bid

    @property
    def fits(self) -> bool:
        """Whether the machine has space for the requested disk."""
        return bool(self.offer["disk_space"] >= self._disk)

    def get(self, name: str) -> Any:
        """The value of a field, or None for an unknown field."""
        if name in ("dph_total", "dph_total_adj", "discounted_dph_total"):
            return total_price(self.offer, self._disk, bid=self._bid)
        if name in PRICED:
            return priced(self.offer, self._disk, self._now, bid=self._bid)[name]
        return self.offer.get(name)

    def __getitem__(self, name: str) -> Any:
        return self.get(name)


def search(offers: list[Offer], query: dict[str, Any], now: float) -> list[Offer]:
    """The offers that match `query`, at most 64, with prices and in the requested order.

    Raises BadQuery if the query is invalid.
    """
    disk = _number(query.get("allocated_storage") or 5.0)
    bid = query.get("type") in ("bid", "interruptible")
    order = _order(query.get("order"))
    limit = query.get("limit")
    most = min(MOST, int(_number(limit)) if limit else MOST)
    # Offers are sorted first and filtered afterwards, so that the search can stop as soon as it has enough rows.
    # Filters on the sort fields are tested first: a client that requests a later page uses them, and they reject
    # all offers of earlier pages.
    first = [name for name, _ in order]
    fields = sorted((name for name in query if name not in CONTROLS), key=lambda name: name not in first)
    tests = [_test(name, query[name], now) for name in fields]
    views = [View(offer, disk, now, bid) for offer in offers]
    for name, direction in reversed(order):
        views.sort(key=lambda view: _sortable(view.get(name)), reverse=direction == "desc")
    fitting = (view.offer for view in views if all(test(view) for test in tests) and view.fits)
    return [priced(offer, disk, now, bid=bid) for offer in itertools.islice(fitting, most)]


def _sortable(value: Any) -> tuple[int, Any]:
    return (0, value) if isinstance(value, (int, float)) else (1, str(value))


def _order(order: Any) -> list[tuple[str, str]]:
    if order is None:
        return [("score", "desc")]
    try:
        return [(ALIASES.get(name, name), direction) for name, direction in order]
    except (TypeError, ValueError):
        raise BadQuery("order is a list of [field, direction]") from None


def _test(name: str, wanted: Any, now: float) -> Callable[[View], bool]:
    """A function that tests one field of an offer. All operators of the filter must match."""
    if not isinstance(wanted, dict):
        raise BadQuery(f"{name} must be an object of operators")
    unknown = set(wanted) - set(OPERATORS)
    if unknown:
        raise BadQuery(f"{name}: invalid operator {sorted(unknown)[0]}")
    read = _field(name, now)

    def passes(row: View) -> bool:
        have = read(row)
        return have is not None and all(
            OPERATORS[op](have, want) for op, want in wanted.items() if want is not None
        )

    return passes


def _field(name: str, now: float) -> Callable[[View], Any]:
    """A function that reads a field of an offer as the service does.

    Some fields are not stored in an offer but computed.
    """
    name = ALIASES.get(name, name)
    special: dict[str, Callable[[View], Any]] = {
        "id": lambda _row: None,  # on the real service, this field matches nothing
        "verified": lambda row: row["vericode"] == 1,
        "driver_version": lambda row: row["driver_vers"],
        "datacenter": lambda row: row["hosting_type"] == 1,
        "geolocation": lambda row: row["geolocation"].rpartition(", ")[2],
        "duration": lambda row: row["end_date"] - now,
        "target_reliability": lambda row: row["expected_reliability"],
    }
    return special.get(name, lambda row: row.get(name))
