"""A lock that is held as long as a command runs, even if the process that started the command has ended."""

import fcntl
import os
import signal
import time

from trainsh_base.errors import Conflict, UsageError
from trainsh_base.system.paths import private_folder, state_home
from trainsh_base.tool.declare import Handover

LONGEST = 900.0  # seconds to wait for another process that rents for the same job
PAUSE = 0.05


def locked(name: str, command: list[str]) -> Handover:
    """Take the lock `name`. Then replace this process by `command`.

    The command inherits the lock. It ignores Ctrl-C, hangup and SIGTERM.
    """
    if not command:
        raise UsageError("no command", "train plugin locked acme-JOB -- COMMAND", code="missing_parameter")
    plain = "".join(letter if letter.isalnum() or letter in "._-" else "_" for letter in name)
    path = private_folder(state_home() / "rentals") / f".{plain}.lock"
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    deadline = time.monotonic() + LONGEST
    while not _taken(handle):
        if time.monotonic() > deadline:
            raise Conflict(
                f"another process holds the lock {name}", "try again when that process has ended", code="locked"
            )
        time.sleep(PAUSE)
    os.set_inheritable(handle, True)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    return Handover(argv=command)


def _taken(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
