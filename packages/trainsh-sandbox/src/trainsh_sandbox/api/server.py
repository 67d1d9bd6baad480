"""The HTTP server: reads requests, applies faults, and sends responses in the exact form of the service."""

import json
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from trainsh_base.errors import TrainError
from trainsh_sandbox.api import auth, routes, speed
from trainsh_sandbox.api.answers import Answer, Refused
from trainsh_sandbox.api.call import Call
from trainsh_sandbox.world.world import World

TOO_OFTEN = "API requests too frequent"
STORMS: tuple[tuple[str, Answer], ...] = (
    ("http-429", Answer(f"{TOO_OFTEN}: endpoint threshold=1.0", 429, {"Content-Type": "text/plain"})),
    ("http-429-json", Answer(
        {"success": False, "error": "rate_limit_exceeded", "msg": TOO_OFTEN, "retry_after": 1}, 429)),
    ("http-429-detail", Answer({"detail": f"{TOO_OFTEN} endpoint threshold=1.0"}, 429)),
    ("http-429-wait", Answer(TOO_OFTEN, 429, {"Content-Type": "text/plain", "Retry-After": "1"})),
    ("http-500", Answer({"success": False, "error": "server_error", "msg": "internal error"}, 500)),
    ("http-502", Answer("<html><body><h1>502 Bad Gateway</h1></body></html>", 502, {"Content-Type": "text/html"})),
)  # fmt: skip


class Server(ThreadingHTTPServer):
    """The service of one world, on a loopback port. `requests` counts the requests by method and path."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, world: World, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.world = world
        self.requests: list[str] = []

    @property
    def url(self) -> str:
        """The address of the service, without a slash at the end."""
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server: Server

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing, because the path of a request may contain a key."""

    def do_GET(self) -> None:
        """Handle a request. All HTTP methods use this function."""
        self._serve()

    do_PUT = do_POST = do_DELETE = do_GET

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        path = "/" + "/".join(word for word in parts.path.split("/") if word)
        body = self._body(path)
        ours = path.startswith("/sandbox")
        if not ours:
            answer = self._strike()
            if answer is not None:
                self._send(answer)
                return
            if self.server.world.faults.hits("no-answer"):
                self.close_connection = True
                return
        answer, wait = self._answer(path, dict(parse_qsl(parts.query, keep_blank_values=True)), body)
        if wait:
            time.sleep(wait)
        self._send(answer, damaged=not ours)

    def _body(self, path: str) -> bytes:
        """The body of the request.

        The body of a speed test's upload is read and dropped. The result is then empty.
        """
        left = int(self.headers.get("Content-Length") or 0)
        if path != speed.UPLOAD:
            return self.rfile.read(left)
        while left > 0 and (part := self.rfile.read(min(left, 1 << 16))):
            left -= len(part)
        return b""

    def _strike(self) -> Answer | None:
        """The response of a fault that makes this request fail, or None if no fault does."""
        faults = self.server.world.faults
        time.sleep(faults.seconds("slow") or 0.0)
        return next((answer for name, answer in STORMS if faults.hits(name)), None)

    def _answer(self, path: str, query: dict[str, str], body: bytes) -> tuple[Answer, float]:
        """The response, and the seconds by which to delay it."""
        world = self.server.world
        try:
            document = json.loads(body) if body.strip() else None
        except ValueError:
            return Refused(400, "invalid_request", "the body is not JSON").answer, 0.0
        found = routes.find(self.command, path)
        if found is None:
            return Refused(404, "not_found", f"no such endpoint: {self.command} {path}").answer, 0.0
        route, groups = found
        with world.lock:
            world.settle()
            try:
                who = auth.identify(
                    world,
                    self.headers.get("Authorization") or "",
                    query.pop("api_key", ""),
                    ours=path.startswith("/sandbox"),
                )
                auth.allow(world, route, who, groups)
                wait = world.faults.seconds("create-slow") if "/asks/" in path and self.command == "PUT" else None
                return route.handler(Call(world, query, document, who, self.server.url, groups)), wait or 0.0
            except Refused as refused:
                return refused.answer, 0.0
            except TrainError as error:
                return Answer(
                    {"success": False, "error": error.code, "msg": error.message, "hint": error.hint}, 400
                ), 0.0
            except (ValueError, KeyError, TypeError) as error:
                return Refused(400, "invalid_args", f"{type(error).__name__}: {error}").answer, 0.0

    def _send(self, answer: Answer, *, damaged: bool = False) -> None:
        faults = self.server.world.faults
        data = answer.body.encode() if isinstance(answer.body, str) else json.dumps(answer.body).encode()
        kind = answer.headers.get("Content-Type", "application/json")
        if damaged and kind == "application/json" and faults.hits("charset"):
            kind += "; charset=utf-8"
        if damaged and faults.hits("truncated"):
            data = data[: len(data) // 2]
        self.send_response(answer.status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        for name, value in answer.headers.items():
            if name != "Content-Type":
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)
