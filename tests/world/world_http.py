"""HTTP for tests: a request handler that logs nothing, and a JSON request with a key."""

import json
import urllib.request
from http.server import BaseHTTPRequestHandler
from typing import Any


class QuietHandler(BaseHTTPRequestHandler):
    """Base class of the request handlers of imitated services."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Print nothing."""

    def send(self, status: int, data: bytes, headers: dict[str, str]) -> None:
        """Send a complete response. The response to HEAD has no body."""
        self.send_response(status)
        for key, value in {**headers, "Content-Length": str(len(data))}.items():
            self.send_header(key, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)


def ask(address: str, key: str, method: str, path: str, body: Any = None) -> Any:
    """Send a request with a bearer `key`. `body` and the response are JSON.

    Raises HTTPError for an error status.
    """
    request = urllib.request.Request(
        address + path, method=method, data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {key}"},
    )  # fmt: skip
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.loads(answer.read())
