"""Checks whether many machines can be reached, all at the same time.

The checks ask no questions and leave no connection open.
"""

import contextlib
import threading
import time
from collections.abc import Callable

import msgspec

from trainsh_base.errors import TimedOut, TrainError
from trainsh_base.remote.control_socket import master_pid
from trainsh_base.remote.ssh_errors import explain
from trainsh_base.remote.target import Target
from trainsh_base.system.proc import run
from trainsh_host.model import Listed

AT_ONCE = 16


def check_all(rows: list[Listed], resolve: Callable[[str], Target], timeout: float) -> list[Listed]:
    """The rows with `reachable` and `seconds` filled in, and also `problem` if there is one.

    At most AT_ONCE rows are checked at the same time. The check of one row takes at most `timeout` seconds.
    """
    checked: list[Listed] = list(rows)
    left = list(enumerate(rows))
    guard = threading.Lock()

    def work() -> None:
        while True:
            with guard:
                if not left:
                    return
                index, row = left.pop(0)
            checked[index] = check(row, resolve, timeout)

    threads = [threading.Thread(target=work, daemon=True) for _ in range(min(AT_ONCE, len(rows)))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return checked


def check(row: Listed, resolve: Callable[[str], Target], timeout: float) -> Listed:
    """Check one row and return it with the result."""
    began = time.monotonic()
    try:
        reach(resolve(row.name), timeout)
    except TrainError as error:
        return msgspec.structs.replace(row, reachable=False, problem=error.message, code=error.code)
    return msgspec.structs.replace(row, reachable=True, seconds=round(time.monotonic() - began, 3))


def reach(target: Target, timeout: float) -> None:
    """Log in without asking questions, and log out. Raises the error that prevents the login."""
    if target.kind == "local" or (target.control_path and master_pid(target.control_path)):
        return
    options = ["-S", "none", "-o", "BatchMode=yes", "-o", f"ConnectTimeout={max(1, round(timeout))}"]
    options += ["-o", "RemoteCommand=none", "-o", "ClearAllForwardings=yes", "-o", "LogLevel=ERROR", "-T", "-x"]
    with contextlib.suppress(TimedOut):
        done = run(
            [target.argv[0], *options, *target.argv[1:], "exit 0"], env=target.environment(), timeout=timeout * 2,
            check=False,
        )  # fmt: skip
        if done.status == 255:
            error = explain(target, done.stderr.decode(errors="replace"))
            # It is enough that the host answers. A listing does not try the stored password.
            if not (target.secret and error.code == "authentication_refused"):
                raise error
        return
    raise explain(target, f"Connection timed out after {timeout:g} seconds")
