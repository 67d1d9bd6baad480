"""Reads new data from the journal and logs of a job that another process runs."""

import os
import time
from collections.abc import Callable
from pathlib import Path

from trainsh_recipe.store import jobs
from trainsh_recipe.store.journal import Event, events_in

LOOK = 0.1  # seconds between two reads; a person sees new output with this delay


class Growing:
    """A growing file. `read` returns what was appended since the last read."""

    def __init__(self, path: Path | str, offset: int = 0) -> None:
        self.path = path
        self.offset = offset

    def read(self) -> bytes:
        """Return the bytes that were appended since the last read, or no bytes if there is no file."""
        try:
            handle = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return b""
        try:
            data = os.pread(handle, 1 << 20, self.offset)
        finally:
            os.close(handle)
        self.offset += len(data)
        return data


class Journal(Growing):
    """A growing journal. Only complete events are returned."""

    def events(self) -> list[Event]:
        """Return the complete events that were written since the last read."""
        data = self.read()
        whole = data[: data.rfind(b"\n") + 1]
        self.offset -= len(data) - len(whole)
        return events_in(whole)


def follow(job: jobs.Job, paths: Callable[[], list[Path]], write: Callable[[bytes], None]) -> None:
    """Pass what is appended to the logs to `write`, one log after the other, until the job's runner ends."""
    seen: dict[Path, Growing] = {}
    while True:
        alive = jobs.holder(job) is not None
        new = False
        for path in paths():
            data = seen.setdefault(path, Growing(path)).read()
            if data:
                new = True
                write(data)
        if not new:
            if not alive:
                return
            time.sleep(LOOK)
