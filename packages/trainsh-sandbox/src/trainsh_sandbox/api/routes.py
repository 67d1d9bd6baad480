"""The routes of the API: for each path its handler, and the API keys that it accepts."""

import re
from collections.abc import Callable
from typing import NamedTuple

from trainsh_sandbox.api import account, changing, control, listing, searching, speed
from trainsh_sandbox.api.answers import Answer
from trainsh_sandbox.api.call import Call

Handler = Callable[[Call], Answer]


class Route(NamedTuple):
    """A route of the API.

    `key` is the API key that a call needs: `account` (the account's key), `instance` (the account's key, or the key
    of the instance in the path), or `open` (no key).
    """

    method: str
    path: re.Pattern[str]
    handler: Handler
    key: str


def _route(method: str, path: str, handler: Handler, key: str = "account") -> Route:
    return Route(method, re.compile(path.replace("ID", r"(\d+)")), handler, key)


V0, V1 = "/api/v0", "/api/v1"
ROUTES = (
    _route("GET", f"{V0}/bundles", searching.bundles, "open"),
    _route("POST", f"{V0}/bundles", searching.bundles, "open"),
    _route("PUT", f"{V0}/search/asks", searching.asks, "open"),
    _route("GET", f"{V0}/gpu_names/unique", searching.gpu_names, "open"),
    _route("PUT", f"{V0}/asks/ID", searching.rent),
    _route("PUT", f"{V0}/launch_instance", searching.launch),
    _route("GET", f"{V0}/instances", listing.old),
    _route("GET", f"{V0}/instances/filters", listing.filters),
    _route("GET", f"{V1}/instances", listing.pages),
    _route("PUT", f"{V0}/instances", changing.change_many),
    _route("DELETE", f"{V0}/instances", changing.destroy_many),
    _route("GET", f"{V0}/instances/ID", changing.read, "instance"),
    _route("PUT", f"{V0}/instances/ID", changing.change, "instance"),
    _route("DELETE", f"{V0}/instances/ID", changing.destroy, "instance"),
    _route("PUT", f"{V0}/instances/(reboot|recycle)/ID", changing.reboot),
    _route("PUT", f"{V0}/instances/bid_price/ID", changing.bid),
    _route("PUT", f"{V0}/instances/request_logs/ID", changing.logs),
    _route("PUT", f"{V0}/instances/command/ID", changing.command),
    _route("GET", r"/instance_logs/([0-9a-f]+\.log)", changing.log_text, "open"),
    _route("GET", f"{V0}/instances/ID/ssh", account.attached),
    _route("POST", f"{V0}/instances/ID/ssh", account.attach),
    _route("DELETE", f"{V0}/instances/ID/ssh/ID", account.detach),
    _route("GET", f"{V0}/ssh", account.keys),
    _route("POST", f"{V0}/ssh", account.create_key),
    _route("PUT", f"{V0}/ssh/ID", account.change_key),
    _route("DELETE", f"{V0}/ssh/ID", account.delete_key),
    _route("GET", f"{V0}/users/current", account.user),
    _route("GET", f"{V0}/charges", account.charges),
    _route("GET", f"{V1}/invoices", account.invoices),
    _route("GET", "/__down", speed.down, "open"),
    _route("POST", speed.UPLOAD, speed.up, "open"),
    _route("GET", "/sandbox/status", control.status),
    _route("PUT", "/sandbox/faults", control.faults),
    _route("POST", "/sandbox/advance", control.advance),
    _route("POST", "/sandbox/credit", control.money),
    _route("POST", "/sandbox/traffic", control.traffic),
    _route("POST", "/sandbox/crowd", control.crowd),
)


def find(method: str, path: str) -> tuple[Route, tuple[str, ...]] | None:
    """The route of a path, and the groups that the route's pattern has matched.

    The path has no slash at its end.
    """
    for route in ROUTES:
        match = route.path.fullmatch(path) if route.method == method else None
        if match:
            return route, match.groups()
    return None
