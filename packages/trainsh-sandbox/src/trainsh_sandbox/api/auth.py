"""Identifies the owner of a request's API key."""

from trainsh_sandbox.api.answers import Refused
from trainsh_sandbox.api.routes import Route
from trainsh_sandbox.instances.instance import Instance
from trainsh_sandbox.world.world import World


def identify(world: World, header: str, query_key: str, *, ours: bool) -> str | Instance:
    """Return the owner of a request's key: "account", "nobody", "wrong" for an unknown key, or the instance that
    owns the key.

    `ours` is true if the sandbox itself makes the request.
    """
    key = header.removeprefix("Bearer ").strip() or query_key
    if not key:
        return "nobody"
    if key == world.key:
        return "wrong" if not ours and world.faults.hits("key-revoked") else "account"
    return next((one for one in world.instances.values() if one.key == key), "wrong")


def allow(world: World, route: Route, who: str | Instance, groups: tuple[str, ...]) -> None:
    """Refuse a request as the service does.

    A wrong key gives 404, and a missing key gives 403. The key of an instance is valid only for this instance.
    """
    if who == "wrong":
        raise Refused(401 if world.faults.hits("bad-key-401") else 404, "auth_error", "Invalid user key")
    if route.key == "open" or who == "account":
        return
    if who == "nobody":
        raise Refused(403, "auth_error", "This action requires login.")
    if route.key != "instance" or not isinstance(who, Instance) or str(who.id) != groups[0]:
        raise Refused(403, "not_authorized", "This key may change its own instance only.")
