"""Starts a process that cleans up after a transfer if the process of the transfer is killed."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from trainsh_base.system import spawn
from trainsh_xfer.remote.library import argv


@contextmanager
def watching(commands: list[str]) -> Iterator[None]:
    """Run each command line if this process is killed inside the block.

    If the block ends normally, no command line is run.
    """
    child = spawn.start(argv("clean_up_after", *commands))
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            os.kill(child.pid, signal.SIGKILL)
        child.close_stdin()
        os.close(child.stdout)
        child.wait()
