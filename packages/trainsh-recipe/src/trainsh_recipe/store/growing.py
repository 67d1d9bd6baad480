"""Files of a job that another process runs: what is new in its journal and its logs since the last look."""

import os
import time
from collections.abc import Callable
from pathlib import Path

from trainsh_recipe.store import jobs
from trainsh_recipe.store.journal import Event, events_in

LOOK = 0.1  # seconds between two reads; only affects how soon a person sees new output


class Growing:
    """A file that grows: what is new in it since the last look."""

    def __init__(self, path: Path, offset: int = 0) -> None:
        self.path = path
        self.offset = offset

    def read(self) -> bytes:
        """The new bytes; none while there is no file."""
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
    """The journal, whose events come whole."""

    def events(self) -> list[Event]:
        """The complete events written since the last read."""
        data = self.read()
        whole = data[: data.rfind(b"\n") + 1]
        self.offset -= len(data) - len(whole)
        return events_in(whole)


def follow(job: jobs.Job, paths: Callable[[], list[Path]], write: Callable[[bytes], None]) -> None:
    """Write what the logs get, one after the other, until the job's runner ends."""
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
