"""Runs commands on a machine over a shared ssh connection.

The connection is opened once, and reopened if it is lost.
"""

import contextlib
import os
import re
import time
from collections.abc import Callable
from pathlib import Path

from trainsh_base.errors import Conflict, TimedOut, TrainError, Unreachable
from trainsh_base.remote.connection import open_master, patient
from trainsh_base.remote.control_socket import end_master, master_pid, remove_stale
from trainsh_base.remote.exec_channel import Cut, Refused, open_channel
from trainsh_base.remote.ssh_config import forget_sent
from trainsh_base.remote.target import Target
from trainsh_base.request import Request, current
from trainsh_base.system import spawn
from trainsh_base.system.deadline import Deadline
from trainsh_base.system.files import locked
from trainsh_base.system.paths import runtime_folder

# sshd allows ten channels for each connection (MaxSessions by default). So eight masters carry eighty channels.
MOST_MASTERS = 8
OPEN_LIMIT = 60.0
# Seconds for which files stay in the folder of sockets: those of a machine, and those of a process that has ended.
KEPT = 7 * 86400.0
STRAY = 3600.0
_LOGIN_PATIENCE = 300.0
_LOOK_EVERY = 0.2

Relocate = Callable[[], Target]


def ensure_master(
    target: Target,
    request: Request | None = None,
    *,
    deadline: Deadline | None = None,
    relocate: Relocate | None = None,
) -> Target:
    """Open the shared connection unless it is open already. Return the target that was reached.

    A local target needs no connection, and is returned as it is. An unreachable machine is tried again until
    `deadline`; without a deadline, it is tried only once. If the machine is refused or its name is not known,
    it is tried again only if it is rented or was reached before. After a failed try, `relocate` is called,
    which returns the machine's current target. Questions go through `request`. Raises CredentialError,
    RemoteError, or Unreachable. The `code` of Unreachable tells the cause: the name, the port, the host key, or
    a timeout.
    """
    path = target.control_path
    if path is None or target.kind == "local" or master_pid(path) is not None:
        return target
    asker, reached = request or current(), target

    def attempt() -> None:
        nonlocal reached
        try:
            _open_once(reached, reached.control_path or "", asker, ask=True)
        except Unreachable:
            before, reached = reached, relocate() if relocate else reached
            if reached == before or reached.control_path is None:
                raise
            _open_once(reached, reached.control_path, asker, ask=True)

    patient(asker, target, deadline or Deadline.after(0), attempt, expected=_expected(target))
    _remember(reached)
    return reached


def _expected(target: Target) -> bool:
    """Whether it makes sense to retry: the machine was reached before, or it is rented and so may be starting."""
    return target.rented or os.path.exists(_mark_of(target))  # noqa: PTH110


def _remember(target: Target) -> None:
    """Record that the machine was reached now. Then remove old files from the folder of sockets."""
    mark = _mark_of(target)
    with open(mark, "a"):  # noqa: PTH123 - its name is text
        pass
    with contextlib.suppress(OSError):
        os.utime(mark)
        _sweep(os.path.dirname(mark), time.time())  # noqa: PTH120


def _sweep(folder: str, now: float) -> None:
    """Remove old files from the folder of sockets.

    Kept targets and plans are removed after KEPT seconds, and so are the marks and locks of machines that were not
    reached for so long. Files of processes that have ended are removed after STRAY seconds; the pid is in the name.
    """
    for entry in list(os.scandir(folder)):
        with contextlib.suppress(OSError):
            age = now - entry.stat(follow_symlinks=False).st_mtime
            own = re.fullmatch(r"(?:ask|q|e)-(\d+)-.*", entry.name)
            if own and age > STRAY and not _runs(int(own[1])):
                _remove(entry)
            elif entry.name.startswith(("t-", "p-", "s-")):  # a kept target or plan, a spare's socket
                if age > (STRAY if entry.name.startswith("s-") else KEPT):
                    os.unlink(entry.path)  # noqa: PTH108
            elif entry.name.endswith(".reached") and age > KEPT:
                os.unlink(entry.path)  # noqa: PTH108
                forget_sent(entry.path.removesuffix(".reached"))
                os.unlink(f"{folder}/.{entry.name.removesuffix('.reached')}.lock")  # noqa: PTH108


def _remove(entry: os.DirEntry[str]) -> None:
    if entry.is_dir(follow_symlinks=False):
        import shutil  # noqa: PLC0415 - takes 5 ms, and is seldom needed

        shutil.rmtree(entry.path)
    else:
        os.unlink(entry.path)  # noqa: PTH108


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _mark_of(target: Target) -> str:
    return f"{target.control_path}.reached"


def _open_once(target: Target, path: str, request: Request, *, ask: bool) -> None:
    """Log in while holding a lock for this machine.

    A process that waited for the lock finds the connection open.
    """
    with contextlib.ExitStack() as stack:
        _await_turn(stack, Path(path), request)
        if master_pid(path) is None:
            open_master(target, path, request, ask=ask)


def _await_turn(stack: contextlib.ExitStack, path: Path, request: Request) -> None:
    """Take the login lock of `path`. Another process may hold this lock as long as its own login takes."""
    patience = Deadline.after(_LOGIN_PATIENCE)
    while True:
        request.check()
        try:
            stack.enter_context(locked(path, timeout=_LOOK_EVERY))
        except Conflict:
            if patience.expired:
                raise
        else:
            return


def start(
    target: Target,
    command: str,
    *,
    bulk: bool = False,
    request: Request | None = None,
    deadline: Deadline | None = None,
    limit: float = OPEN_LIMIT,
    nudge: bytes = b"",
    relocate: Relocate | None = None,
) -> spawn.Child:
    """Start `command` on the host, in the login shell, with pipes. Return when the command runs.

    The output of the login files is dropped. With `bulk`, which is for large transfers, an additional connection is
    used if one is open. If every connection is full, another one is opened, unless a person would have to answer
    questions for it; then this call waits for a free channel. `relocate` is as for ensure_master. `deadline` limits
    the whole call. Without a deadline, a channel must open within `limit` seconds. `nudge` is a text for login
    files that wait for input; if none waits, `command` reads it. Raises what ensure_master raises, RemoteError
    (`code` shell) if the account runs no commands, and TimedOut.
    """
    if target.kind == "local" or target.control_path is None:
        return spawn.start(target.remote_argv(command), env=target.environment())
    asker = request or current()
    opened_by = deadline or Deadline.after(limit)
    pause, full = 0.05, False
    while True:
        asker.check()
        target = ensure_master(target, asker, deadline=deadline, relocate=relocate)
        found = _any_channel(target, command, asker, opened_by, bulk=bulk, full=full, nudge=nudge)
        if isinstance(found, spawn.Child):
            return found
        if isinstance(found, Unreachable):
            if opened_by.expired:
                raise found
        elif full or not _another_master(target, asker):
            full = True
            if opened_by.expired:
                raise _no_channel(target)
        else:
            continue
        asker.cancelled.wait(pause)
        pause = min(pause * 1.5, 1.0)


def _any_channel(
    target: Target, command: str, request: Request, deadline: Deadline, *, bulk: bool, full: bool, nudge: bytes
) -> spawn.Child | TrainError:
    """Open a channel on one of the live masters.

    If that fails, return the reason: Refused, or Cut for a lost master.
    """
    why: TrainError = Refused("no connection")
    for path in _paths(target, bulk=bulk):
        try:
            return open_channel(target, command, path, request, deadline, nudge)
        except (Refused, Cut) as error:
            why = error
        except TimedOut:
            if not full:
                raise
    return why


def _no_channel(target: Target) -> TimedOut:
    return TimedOut(
        f"{target.label} allows no more channels, and none became free in time",
        "raise MaxSessions in its sshd_config, or close another connection to it", code="no_channel",
    )  # fmt: skip


def numbered(path: str, number: int) -> str:
    """Return the socket path of a machine's master `number`. `path` is the socket path of master number 1."""
    return path if number == 1 else f"{path}.{number}"


def _paths(target: Target, *, bulk: bool) -> list[str]:
    """Return the socket paths of the live masters, in the order in which to try them."""
    first = target.control_path or ""
    more = [numbered(first, number) for number in range(2, MOST_MASTERS + 1)]
    live = [first, *(path for path in more if os.path.exists(path) and master_pid(path) is not None)]  # noqa: PTH110
    return live[::-1] if bulk else live


def _another_master(target: Target, request: Request) -> bool:
    """Open one more connection without asking questions. Return False if no more connections are allowed."""
    for number in range(2, MOST_MASTERS + 1):
        path = numbered(target.control_path or "", number)
        if master_pid(path) is None:
            try:
                _open_once(target, path, request, ask=False)
            except TrainError:
                return False
            return True
    return False


def disconnect(target: Target) -> int:
    """End every shared connection to this machine, with its channels. Return how many connections were ended."""
    if target.control_path is None:
        return 0
    count = 0
    for number in range(1, MOST_MASTERS + 1):
        path = numbered(target.control_path, number)
        if os.path.exists(path):  # noqa: PTH110
            count += end_master(path)
            remove_stale(path)
            forget_sent(path)
    return count


def disconnect_all() -> int:
    """End every shared connection of this user. Return how many connections were ended."""
    count = 0
    for entry in list(os.scandir(runtime_folder())):
        if entry.name.startswith("m-") and entry.is_file(follow_symlinks=False) is False:
            count += end_master(entry.path)
            remove_stale(entry.path)
            forget_sent(entry.path)
    return count
