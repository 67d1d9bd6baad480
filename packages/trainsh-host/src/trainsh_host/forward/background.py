"""The process of a detached forward. This module is run with the forward's id as its argument."""

import os
import signal
import sys
import time
from typing import Any

from trainsh_base.errors import TrainError
from trainsh_base.request import Request, serve_in_this_thread
from trainsh_base.system import spawn
from trainsh_host.forward import registry
from trainsh_host.forward.carrying import Carrier
from trainsh_host.ways.resolve import resolve


class Logged(Request):
    """A request that writes log lines to standard error, which is the forward's log file. It asks no questions."""

    def emit(self, kind: str, **data: Any) -> None:
        """Write a `log` event."""
        if kind == "log":
            print(time.strftime("%Y-%m-%d %H:%M:%S"), data.get("message", ""), file=sys.stderr, flush=True)


def main() -> None:
    """Keep the forward open until SIGTERM."""
    forward = registry.read(sys.argv[1])
    request = Logged()
    serve_in_this_thread(request)
    signal.signal(signal.SIGTERM, lambda *_: request.cancel())
    if forward is None:
        return
    try:
        Carrier(forward, resolve, request).carry()
    except TrainError as error:
        if error.code != "cancelled":
            request.emit("log", message=error.message)
    finally:
        spawn.end_all()
    sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
