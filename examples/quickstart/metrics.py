"""Serve the newest figures of a training as JSON on a loopback port, or show what such a server says.

    python metrics.py model/metrics.jsonl --port 18471    serve:  GET / answers with the newest line
    python metrics.py --show --port 18471                 ask it, as a dashboard would

Only Python's own library is used. The server ends with `--for` seconds at the latest, so that a forgotten one
does not stay.
"""

import argparse
import json
import sys
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ADDRESS = "127.0.0.1"


def newest(path: Path) -> dict[str, float]:
    """The last whole line of a file of JSON lines; {"step": 0} before there is one."""
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except FileNotFoundError:
        return {"step": 0}
    whole = [line for line in lines[:-1] if line]
    return json.loads(whole[-1]) if whole else {"step": 0}


class Figures(BaseHTTPRequestHandler):
    """Answers GET / with the newest figures."""

    path_of_figures = Path()

    def do_GET(self) -> None:
        """The figures at / and nothing elsewhere."""
        if self.path != "/":
            self.send_error(404)
            return
        body = json.dumps(newest(self.path_of_figures)).encode() + b"\n"
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *values: object) -> None:
        """Requests are not worth a line each."""


def serve(path: Path, port: int, seconds: float) -> None:
    """Serve `path` until interrupted, or for `seconds`."""
    Figures.path_of_figures = path
    with ThreadingHTTPServer((ADDRESS, port), Figures) as server:
        print(f"figures of {path} at http://{ADDRESS}:{server.server_port}/", flush=True)
        end = threading.Timer(seconds, server.shutdown)
        end.daemon = True
        end.start()
        server.serve_forever()


def show(port: int) -> None:
    """Print what the server on `port` says now."""
    with urllib.request.urlopen(f"http://{ADDRESS}:{port}/", timeout=10) as answer:
        print(answer.read().decode(), end="")


def main() -> int:
    """1 when the port is taken, or nobody answers on it."""
    parser = argparse.ArgumentParser(description="Serve or show the newest figures of a training.")
    parser.add_argument("file", nargs="?", default="model/metrics.jsonl", help="a file of JSON lines")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument(
        "--for", dest="seconds", type=float, default=3600, help="end after this long (default: 3600)"
    )
    parser.add_argument("--show", action="store_true", help="ask the server on the port instead of being it")
    options = parser.parse_args()
    try:
        show(options.port) if options.show else serve(Path(options.file), options.port, options.seconds)
    except OSError as error:
        print(f"metrics.py: port {options.port}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
