"""A process that cleans up after a transfer whose own process is killed."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from trainsh_base.system import spawn
from trainsh_xfer.remote.library import argv


@contextmanager
def watching(commands: list[str]) -> Iterator[None]:
    """Run each command line if this process is killed inside the context. If the context ends, run none of them."""
    child = spawn.start(argv("clean_up_after", *commands))
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            os.kill(child.pid, signal.SIGKILL)
        child.close_stdin()
        os.close(child.stdout)
        child.wait()
