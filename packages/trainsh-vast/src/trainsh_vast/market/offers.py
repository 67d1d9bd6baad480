"""Searches offers in pages of 64, tests each offer with the filters, and sorts the offers."""

from collections.abc import Callable, Iterator
from typing import Any, Literal

import msgspec

from trainsh_base.errors import NotFound
from trainsh_base.system.suggest import did_you_mean
from trainsh_vast.api.service import Service
from trainsh_vast.market.query import Filters
from trainsh_vast.market.wanted import Row, Wanted, passes

Sort = Literal["price", "value", "reliability"]
MOST = 64  # the service returns at most this many offers, even if `limit` is higher
ORDERS: dict[Sort, list[list[str]]] = {
    "price": [["dph_total", "asc"]],
    "value": [["dlperf_per_dphtotal", "desc"]],
    "reliability": [["reliability", "desc"], ["dph_total", "asc"]],
}
KEYS: dict[Sort, Callable[[Row], Any]] = {
    "price": lambda row: row.get("dph_total") or 0.0,
    "value": lambda row: -(row.get("dlperf_per_dphtotal") or 0.0),
    "reliability": lambda row: (-(row.get("reliability") or 0.0), row.get("dph_total") or 0.0),
}


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """The main facts of an offer. `price` is in $ per hour, with the requested disk.

    Memory is in MB, speed in Mb/s.
    """

    offer: int
    gpu: str
    gpu_count: int
    gpu_ram: float | None
    price: float
    bandwidth_per_gb: float | None
    value: float | None
    reliability: float | None
    cuda: float | None
    cpus: float | None
    disk_space: float | None
    down: float | None
    up: float | None
    place: str
    machine: int | None

    @staticmethod
    def of(row: Row) -> "Offer":
        """The main facts from the service's object. In that object, all fields except four are optional."""
        return Offer(
            offer=int(row["id"]), gpu=str(row["gpu_name"]), gpu_count=int(row["num_gpus"]),
            gpu_ram=row.get("gpu_ram"),
            price=float(row["dph_total"]), bandwidth_per_gb=row.get("inet_down_cost"),
            value=row.get("dlperf_per_dphtotal"), reliability=row.get("reliability", row.get("reliability2")),
            cuda=row.get("cuda_max_good"), cpus=row.get("cpu_cores_effective"), disk_space=row.get("disk_space"),
            down=row.get("inet_down"), up=row.get("inet_up"), place=str(row.get("geolocation") or ""),
            machine=row.get("machine_id"),
        )  # fmt: skip


def search(service: Service, wanted: Wanted, sort: Sort, limit: int) -> list[Row]:
    """The best offers, at most `limit`, as the service's own objects.

    Raises NotFound for a GPU that the market does not have.
    """
    found = _collect(service, wanted, wanted.filters(), sort, limit)
    if not found and wanted.gpu:
        known = service.gpu_names()
        name = next((one for one in known if _plain(one) == _plain(wanted.gpu)), None)
        if name is None:
            words = [one.replace(" ", "_") for one in known]
            raise NotFound(
                f"Vast.ai has no GPU named {wanted.gpu!r}", did_you_mean(wanted.gpu, words), code="no_gpu"
            )
        if name != wanted.gpu.replace("_", " "):
            better = msgspec.structs.replace(wanted, gpu=name)
            found = _collect(service, better, better.filters(), sort, limit)
    return found


def _plain(name: str) -> str:
    return name.replace("_", " ").casefold()


def _collect(service: Service, wanted: Wanted, filters: Filters, sort: Sort, limit: int) -> list[Row]:
    found: dict[Any, Row] = {}
    for row in _pages(service, wanted, filters, sort, limit):
        if all(passes(row, field, tests) for field, tests in filters.items()):
            found.setdefault(row.get("id"), row)
        if sort == "price" and len(found) >= limit:
            break
    return sorted(found.values(), key=KEYS[sort])[:limit]


def _pages(service: Service, wanted: Wanted, filters: Filters, sort: Sort, limit: int) -> Iterator[Row]:
    """Yield the offers, page after page.

    If a page is full and more offers are needed, the search is repeated from the last price on.
    """
    if sort != "price" and limit <= MOST:
        yield from service.search(wanted.body(ORDERS[sort], filters))
        return
    lowest, seen = 0.0, set[Any]()
    while True:
        bounds = {**filters.get("dph_total", {}), "gte": lowest} if lowest else filters.get("dph_total", {})
        page = service.search(
            wanted.body(ORDERS["price"], {**filters, **({"dph_total": bounds} if bounds else {})})
        )
        new = [row for row in page if row.get("id") not in seen]
        seen |= {row.get("id") for row in new}
        yield from new
        if len(page) < MOST or not new:
            return
        lowest = max(float(row.get("dph_total") or 0.0) for row in page)
