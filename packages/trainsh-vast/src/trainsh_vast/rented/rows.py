"""Converts the service's object of an instance into a row of `list`."""

from typing import Any

import msgspec

from trainsh_base.system.paths import jobs_home
from trainsh_vast.api.service import Service
from trainsh_vast.model import Rented
from trainsh_vast.rented import endpoint, labels, states

SECRETS = frozenset(("jupyter_token", "instance_api_key", "ssh_key", "extra_env", "onstart", "image_login"))


def rented(row: dict[str, Any]) -> Rented:
    """The row of an instance.

    The price of a running instance is the price of its GPU and its disk. The price of any other instance is only
    that of its disk.
    """
    found = states.condition(row)
    number = int(row["id"])
    job, _host = labels.holder(row.get("label"))
    storage = float(row.get("storage_total_cost") or 0.0)
    total = float(row.get("dph_total") or 0.0)
    ends = "destroy" if found.state == "stopped" else "stop"
    points = endpoint.points(row)
    return Rented(
        id=number,
        state=found.state,
        label=labels.unmarked(row.get("label")),
        job=job,
        orphan=bool(job) and not (jobs_home() / "open" / job).exists(),
        gpu=str(row.get("gpu_name") or ""),
        gpu_count=int(row.get("num_gpus") or 0),
        price_per_hour=round(total, 6),
        storage_per_hour=round(storage, 6),
        created=row.get("start_date"),
        end=f"train vast {ends} {number}",
        status=str(row.get("actual_status") or "created"),
        problem=found.problem,
        disk=float(row.get("disk_space") or 0.0),
        place=str(row.get("geolocation") or ""),
        ssh=f"{points[0].host}:{points[0].port}" if points and found.state == "running" else "",
    )


def started(row: dict[str, Any]) -> Rented:
    """The row of an instance that was just started. The container status in `row` may be out of date."""
    found = rented(row)
    lags = found.state == "failed" and found.status in ("exited", "stopped", "created")
    return msgspec.structs.replace(found, state="starting", problem="") if lags else found


def every(service: Service) -> list[Rented]:
    """Every instance of the account."""
    return [rented(row) for row in service.instances()]


def without_secrets(row: dict[str, Any]) -> dict[str, Any]:
    """The object of an instance for printing, without tokens and without environment variables."""
    return {
        key: value.strip() if isinstance(value, str) else value for key, value in row.items() if key not in SECRETS
    }


def costs_now(row: Rented) -> float:
    """What the instance costs now, in $ per hour. If its host is offline, the GPU is not billed."""
    if row.state == "gone":
        return 0.0
    return row.storage_per_hour if row.state == "stopped" or row.status == "offline" else row.price_per_hour
