"""Looks at GPUs repeatedly. On a terminal there is a live display, otherwise a text or an event for each look."""

import sys
import time

from trainsh_base.request import Request
from trainsh_host.gpus.display import print_gpus
from trainsh_host.gpus.looking import Watched, documents, look
from trainsh_host.gpus.model import HostGpus

SHORTEST = 0.5  # the shortest time between two looks, in seconds


def watch(hosts: list[Watched], every: float, request: Request) -> list[HostGpus]:
    """Look repeatedly until the person ends it. Return the rows of the last look.

    A program gets an event `gpus` for each look.
    """
    every = max(every, SHORTEST)
    if request.for_people and sys.stdout.isatty() and sys.stdin.isatty():
        from trainsh_host.gpus.screen import Screen  # noqa: PLC0415 - it loads textual

        return Screen(hosts, every).watched()
    rows: list[HostGpus] = []
    while not request.cancelled.is_set():
        rows = look(hosts)
        if request.for_people:
            print(time.strftime("%H:%M:%S"))
            print_gpus(rows)
            sys.stdout.flush()
        else:
            request.emit("gpus", hosts=documents(rows))
        request.cancelled.wait(every)
    request.check()
    return rows
