"""The account's keys, credit and charges."""

import json
import time
from typing import Any

from trainsh_sandbox.api.answers import Answer, Refused
from trainsh_sandbox.api.call import Call
from trainsh_sandbox.api.changing import found
from trainsh_sandbox.world import life


def _new_key(call: Call) -> dict[str, Any]:
    text = str(call.body.get("ssh_key") or "").strip()
    if not text:
        raise Refused(400, "no_ssh_key", "No ssh key was given.")
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(call.world.now))
    number = next(call.world.key_numbers)
    return {"id": number, "user_id": 4711, "key": text, "public_key": text, "created_at": stamp, "deleted_at": None}


def keys(call: Call) -> Answer:
    """Answer GET /ssh/ with the account's keys as a plain array. If there are no keys, answer with 404."""
    if not call.world.account_keys:
        raise Refused(404, "not_found", "No ssh keys found.")
    return Answer(call.world.account_keys)


def create_key(call: Call) -> Answer:
    """Answer POST /ssh/: add a key for instances that are created from now on."""
    key = _new_key(call)
    call.world.account_keys.append(key)
    return Answer({"success": True, "key": key})


def change_key(call: Call) -> Answer:
    """Answer PUT /ssh/ID/: change a key of the account."""
    for key in call.world.account_keys:
        if key["id"] == call.number:
            key["key"] = key["public_key"] = str(call.body.get("ssh_key") or "")
            return Answer({"success": True, "key": key})
    raise Refused(400, "no_ssh_key", "No such ssh key.")


def delete_key(call: Call) -> Answer:
    """Answer DELETE /ssh/ID/: remove a key from the account."""
    before = len(call.world.account_keys)
    call.world.account_keys[:] = [key for key in call.world.account_keys if key["id"] != call.number]
    if len(call.world.account_keys) == before:
        raise Refused(400, "no_ssh_key", "No such ssh key.")
    return Answer({"success": True})


def attach(call: Call) -> Answer:
    """Answer POST /instances/ID/ssh/: add a key to an instance. The response holds the key as JSON in a string."""
    one = found(call)
    key = _new_key(call)
    life.authorize(call.world, one, key)
    return Answer({"success": True, "msg": "SSH key added to instance.", "key": json.dumps(key)})


def attached(call: Call) -> Answer:
    """Answer GET /instances/ID/ssh/ with the keys of an instance."""
    return Answer({"success": True, "ssh_keys": json.dumps(found(call).key_rows)})


def detach(call: Call) -> Answer:
    """Answer DELETE /instances/ID/ssh/KEY/: remove a key from an instance."""
    one = found(call)
    number = int(call.groups[1])
    left = [key for key in one.key_rows if key["id"] != number]
    if len(left) == len(one.key_rows):
        raise Refused(404, "no_such_ssh_key", "No such ssh key.")
    one.key_rows = left
    if one.machine:
        one.machine.authorize(one.ssh_keys())
    return Answer({"success": True, "msg": "SSH key removed from instance."})


def user(call: Call) -> Answer:
    """Answer GET /users/current/ with the account."""
    return Answer({
        "id": 4711, "email": "sandbox@localhost", "username": "sandbox", "fullname": "Sandbox", "balance": 0.0,
        "credit": call.world.credit, "balance_threshold": 0.0, "balance_threshold_enabled": False, "can_pay": True,
        "has_billing": True, "email_verified": True, "host_agreement_accepted": False, "ssh_key": None,
        "sid": "sandbox", "total_spend": call.world.spent,
    })  # fmt: skip


def charges(call: Call) -> Answer:
    """Answer GET /charges/ with the ledger for the requested days."""
    day = call.json("select_filters", {}).get("day") or {}
    if "gte" not in day or "lte" not in day:
        raise Refused(400, "invalid_args", "Invalid date range")
    start, end = float(day["gte"]), min(float(day["lte"]), call.world.now)
    ledgers = [(one.id, one.label, one.usage) for one in call.world.instances.values()] + call.world.ended
    results = []
    for number, label, usage in ledgers:
        items = usage.items(start, end)
        if items:
            results.append({
                "start": min(item["start"] for item in items), "end": max(item["end"] for item in items),
                "type": "instance", "source": f"instance-{number}", "description": f"Instance {number}",
                "amount": round(sum(item["amount"] for item in items), 6), "metadata": {"label": label},
                "items": items,
            })  # fmt: skip
    return _page(call, results, 100)


def _page(call: Call, results: list[dict[str, Any]], usual: int) -> Answer:
    limit = max(1, min(int(call.query.get("limit") or usual), 500))
    at = int(call.query.get("after_token") or 0)
    page = results[at : at + limit]
    token = str(at + limit) if at + limit < len(results) else None
    return Answer(
        {"success": True, "count": len(page), "total": len(results), "next_token": token, "results": page}
    )


def invoices(call: Call) -> Answer:
    """Answer GET /api/v1/invoices/ with the payments."""
    when = call.json("select_filters", {}).get("when") or {}
    if "gte" not in when or "lte" not in when:
        return Answer({"success": False, "error": "Invalid date range", "msg": "Invalid date range"})
    return _page(call, [{"type": "credit", "amount": call.world.deposit, "source": "sandbox"}], 60)
