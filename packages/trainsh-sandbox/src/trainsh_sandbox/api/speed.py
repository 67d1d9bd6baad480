"""The two calls of a speed test service. Machines measure their network with them."""

from trainsh_sandbox.api.answers import Answer
from trainsh_sandbox.api.call import Call

UPLOAD = "/__up"
MOST = 20_000_000  # bytes; a larger test would only take longer on this machine


def down(call: Call) -> Answer:
    """Answer GET /__down?bytes=N with N bytes, but at most MOST."""
    return Answer("0" * min(MOST, int(call.query.get("bytes") or 0)), 200, {"Content-Type": "text/plain"})


def up(_call: Call) -> Answer:
    """Answer POST /__up. Any body is accepted."""
    return Answer({"success": True})
