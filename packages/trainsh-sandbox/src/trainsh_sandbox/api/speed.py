"""The two calls of a service for speed tests, which machines measure their network with."""

from trainsh_sandbox.api.answers import Answer
from trainsh_sandbox.api.call import Call

UPLOAD = "/__up"
MOST = 20_000_000  # bytes: on one machine, more measures nothing else


def down(call: Call) -> Answer:
    """GET /__down?bytes=N: as many bytes, up to MOST."""
    return Answer("0" * min(MOST, int(call.query.get("bytes") or 0)), 200, {"Content-Type": "text/plain"})


def up(_call: Call) -> Answer:
    """POST /__up: takes any body."""
    return Answer({"success": True})
