"""Calls that search for offers and rent one."""

import time
from typing import Any

from trainsh_sandbox.api.answers import Answer, Refused
from trainsh_sandbox.api.call import Call
from trainsh_sandbox.market.cards import CARDS
from trainsh_sandbox.market.search import BadQuery, search
from trainsh_sandbox.world import life

TAKEN = "error 404/3603: no_such_ask Instance type by id {id} is not available."


def bundles(call: Call) -> Answer:
    """Search for offers. POST /bundles/ has the filter in its body, GET /bundles/ in `q`."""
    return _found(call, call.body or call.json("q", {}))


def asks(call: Call) -> Answer:
    """Answer PUT /search/asks/: search for offers, with the filter in `q`."""
    return _found(call, call.body.get("q") or {})


def _found(call: Call, query: dict[str, Any]) -> Answer:
    if call.world.faults.hits("quota"):
        midnight = (int(time.time()) // 86400 + 1) * 86400
        body = {"success": False, "error": "search_quota_exceeded", "msg": "daily search quota exceeded"}
        return Answer(body, 429, {"X-RateLimit-Reset": str(midnight)})
    world = call.world
    try:
        return Answer({"offers": search(list(world.market.offers.values()), query, world.now)})
    except (BadQuery, TypeError, AttributeError) as error:
        raise Refused(400, "invalid_request", f"Error in query: {error}") from None


def gpu_names(_call: Call) -> Answer:
    """Answer GET /gpu_names/unique/ with the names of the GPU models."""
    return Answer({"gpu_names": sorted(card.name for card in CARDS)})


def rent(call: Call) -> Answer:
    """Answer PUT /asks/ID/: rent an offer."""
    return _rent(call, call.number)


def launch(call: Call) -> Answer:
    """Answer PUT /launch_instance/: search for offers, and rent the first one that matches."""
    query = call.body.get("q") or {}
    found = search(list(call.world.market.offers.values()), query, call.world.now)
    if not found:
        raise Refused(400, "no_such_ask", "no offers match")
    return _rent(call, int(found[0]["id"]))


def _rent(call: Call, number: int) -> Answer:
    world, request = call.world, call.body
    _check(call, request)
    taken = world.faults.choice("offer-taken")
    offer = world.market.offers.get(number)
    if taken or offer is None:
        status = int(taken or 400)
        raise Refused(
            status, "no_such_ask" if status == 410 else "invalid_args", TAKEN.format(id=number), ask_id=number
        )
    bid = request.get("price")
    if bid is not None and not 0.001 <= float(bid) <= 128:
        raise Refused(400, "invalid_price", "price must be between 0.001 and 128")
    no_room = world.faults.hits("no-capacity") or (bid is not None and float(bid) < offer["min_bid"])
    if no_room and request.get("cancel_unavail"):
        raise Refused(410, "no_such_ask", "Required resources are no longer available.", ask_id=number)
    world.market.take(number)
    one = life.create(world, offer, request)
    if no_room:
        life.stop(world, one, "Required resources are currently unavailable")
        return Answer(
            {"success": False, "error": "no_capacity", "new_contract": one.id, "msg": "resources unavailable"}
        )
    life.boot(world, one)
    body = {"success": True, "new_contract": one.id, "instance_api_key": one.key}
    return _lost(call) or Answer(body)


def _lost(call: Call) -> Answer | None:
    """A 502 response to send instead of the answer, although the instance was created.

    None if this fault does not occur now.
    """
    if call.world.faults.hits("create-lost"):
        return Answer("<html><body><h1>502 Bad Gateway</h1></body></html>", 502, {"Content-Type": "text/html"})
    return None


def _check(call: Call, request: dict[str, Any]) -> None:
    if call.world.faults.hits("no-credit") or call.world.is_broke:
        raise Refused(400, "insufficient_credit", "Your account lacks credit; see the billing page.")
    if call.world.faults.hits("spend-limit"):
        raise Refused(400, "spend_rate_limit", "New accounts may spend a limited amount per hour.")
    if not request.get("image") and not request.get("template_hash_id"):
        raise Refused(400, "invalid_args", "image is required")
    if len(str(request.get("label") or "")) > 256:
        raise Refused(400, "label_too_long", "label is longer than 256 characters")
    if request.get("env") is not None and not isinstance(request["env"], dict):
        request["env"] = {}  # like the service, ignores a string without an error
    if float(request.get("disk") or 8) < 0:
        raise Refused(400, "invalid_args", "disk must be positive")
