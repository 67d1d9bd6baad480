"""Prints forwards for people."""

import sys
import time

from trainsh_base.system.units import format_duration
from trainsh_base.tool.display import table
from trainsh_host.forward.model import Forward


def print_forwards(forwards: list[Forward]) -> None:
    """Print a line for each port."""
    if not forwards:
        print("No port is forwarded.", file=sys.stdout if sys.stdout.isatty() else sys.stderr)
        return
    rows = [
        {
            "host": forward.host, "here": f"{port.bind}:{port.local}", "there": f"{port.host}:{port.remote}",
            "state": forward.state + (f": {forward.problem['message']}" if forward.problem else ""),
            "since": format_duration(max(0.0, time.time() - forward.since)),
            "runs": "in the background" if forward.detached else "in front", "pid": forward.pid,
        }
        for forward in forwards for port in forward.ports
    ]  # fmt: skip
    table(rows)
