"""The lists of instances: the current API and the old one."""

import base64
import json
from collections import Counter
from typing import Any

from trainsh_sandbox.api.answers import Answer, Refused
from trainsh_sandbox.api.call import Call
from trainsh_sandbox.instances.instance import Instance
from trainsh_sandbox.instances.row import row
from trainsh_sandbox.market.search import OPERATORS

STORED = frozenset((
    "id", "label", "actual_status", "cur_state", "next_state", "intended_status", "gpu_name", "verification",
    "machine_id", "host_id", "image_uuid", "is_bid", "start_date", "geolocation",
))  # fmt: skip
MOST = 25
DEPRECATED = "/api/v0/instances/ is deprecated. Use /api/v1/instances/ instead."


def _visible(call: Call) -> list[Instance]:
    return [one for one in call.world.instances.values() if one.listed_at <= call.world.now]


def old(call: Call) -> Answer:
    """Answer GET /api/v0/instances/, the old list, which most accounts can no longer use."""
    if not call.world.faults.is_on("list-v0"):
        raise Refused(410, "deprecated_endpoint", DEPRECATED)
    rows = [row(one, call.world.now) for one in _visible(call)]
    return Answer({"instances_found": len(rows), "instances": rows})


def filters(call: Call) -> Answer:
    """Answer GET /instances/filters/ with the fields by which a client can filter, taken from all instances."""
    keys = ("actual_status", "gpu_name", "verification")
    found = [row(one, call.world.now) for one in _visible(call)]
    return Answer({"success": True, "filters": [{key: each[key] for key in keys} for each in found]})


def pages(call: Call) -> Answer:
    """Answer GET /api/v1/instances/ with pages of 25 instances, in a stable order."""
    now = call.world.now
    wanted = call.json("select_filters", {})
    for name in wanted:
        if name not in STORED:
            raise Refused(400, "invalid_request", f"Error in query parameters: {name} is not a valid search key")
    rows = [row(one, now) for one in _visible(call)]
    rows = [each for each in rows if all(_passes(each.get(name), tests) for name, tests in wanted.items())]
    order = _order(call.json("order_by", [{"col": "id", "dir": "asc"}]))
    for name, descending in reversed(order):
        rows.sort(key=lambda each: (each.get(name) is None, each.get(name)), reverse=descending)
    labels = Counter(str(each["label"] or "") for each in rows)
    at, page = _start(call, rows), _limit(call)
    found = rows[at : at + page]
    more = at + page < len(rows)
    token = base64.b64encode(json.dumps({"values": {"id": found[-1]["id"]}}).encode()).decode() if more else None
    columns = call.json("select_cols", ["*"])
    if "*" not in columns:
        found = [{name: each.get(name) for name in columns} for each in found]
    return Answer({
        "success": True, "instances_found": len(found), "total_instances": len(rows), "label_counts": dict(labels),
        "next_token": token, "instances": found,
    })  # fmt: skip


def _passes(have: Any, tests: dict[str, Any]) -> bool:
    for op, want in tests.items():
        if op not in OPERATORS:
            raise Refused(400, "invalid_request", f"Error in query parameters: no operator {op}")
        if op in ("in", "notin"):
            if (have in want) != (op == "in"):
                return False
        elif have is None or not OPERATORS[op](have, want):
            return False
    return True


def _order(order: Any) -> list[tuple[str, bool]]:
    found = [(str(each.get("col")), each.get("dir") == "desc") for each in order]
    for name, _ in found:
        if name not in STORED:
            raise Refused(400, "invalid_request", f"Error in query parameters: {name} is not a valid order")
    return [*found, ("id", False)]


def _limit(call: Call) -> int:
    try:
        limit = int(call.query.get("limit", MOST))
    except ValueError:
        limit = MOST
    return 5 if limit <= 0 else min(limit, MOST)


def _start(call: Call, rows: list[dict[str, Any]]) -> int:
    token = call.query.get("after_token")
    if not token:
        return 0
    try:
        last = json.loads(base64.b64decode(token))["values"]["id"]
    except (ValueError, KeyError, TypeError):
        raise Refused(400, "invalid_token", "after_token is invalid") from None
    for index, each in enumerate(rows):
        if each["id"] == last:
            return index + 1
    return sum(1 for each in rows if each["id"] <= last)
