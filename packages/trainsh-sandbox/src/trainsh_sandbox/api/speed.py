"""The two calls of a speed test service, with which machines measure their network."""

from trainsh_sandbox.api.answers import Answer
from trainsh_sandbox.api.call import Call

UPLOAD = "/__up"
MOST = 20_000_000  # bytes; here a larger test only takes longer


def down(call: Call) -> Answer:
    """GET /__down?bytes=N: answers with N bytes, at most MOST."""
    return Answer("0" * min(MOST, int(call.query.get("bytes") or 0)), 200, {"Content-Type": "text/plain"})


def up(_call: Call) -> Answer:
    """POST /__up: accepts any body."""
    return Answer({"success": True})
