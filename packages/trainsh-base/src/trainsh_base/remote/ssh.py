"""Channels to a machine over one shared ssh connection: opened once, kept alive, made again when it is lost."""

import contextlib
import os
import select
import time
from collections.abc import Callable
from pathlib import Path

from trainsh_base.errors import RemoteError, TimedOut, TrainError, Unreachable
from trainsh_base.remote.connection import open_master, patient
from trainsh_base.remote.control_socket import end_master, master_pid, remove_stale
from trainsh_base.remote.ssh_config import no_ssh
from trainsh_base.remote.ssh_errors import last_line
from trainsh_base.remote.target import Target
from trainsh_base.request import Request, current
from trainsh_base.system import spawn
from trainsh_base.system.files import locked
from trainsh_base.system.paths import runtime_home

# sshd allows ten channels a connection (MaxSessions): eight masters are eighty.
MOST_MASTERS = 8
OPEN_LIMIT = 60.0
# Login files that have not ended after so long may be waiting for an answer.
ASKS_AFTER, ASKS_EVERY = 2.0, 0.5
_LOGIN_PATIENCE = 300.0


class Refused(TrainError):
    """The connection is full: sshd allows no more channels on it (MaxSessions)."""

    default_code = "channel_refused"


class _Lost(Unreachable):
    """The connection went while a channel was being opened."""

    default_code = "lost"


def ensure_master(
    target: Target,
    request: Request | None = None,
    *,
    within: float = 0.0,
    anew: Callable[[], Target] | None = None,
) -> Target:
    """Make the shared connection exist; at once when it does, nothing for this machine. The way it was reached.

    Tries again for `within` seconds while the machine cannot be reached (0: one try); after a try in vain `anew`
    says where it is by now. Questions go through `request`. Raises Unreachable (name, port, host key, silence:
    `code` says which), CredentialError, RemoteError.
    """
    path = target.control_path
    if path is None or target.kind == "local" or master_pid(path) is not None:
        return target
    asker, found = request or current(), target

    def attempt() -> None:
        nonlocal found
        try:
            _open_once(found, found.control_path or "", asker, ask=True)
        except Unreachable:
            before, found = found, anew() if anew else found
            if found == before or found.control_path is None:
                raise
            _open_once(found, found.control_path, asker, ask=True)

    patient(asker, target, within, attempt)
    return found


def _open_once(target: Target, path: str, request: Request, *, ask: bool) -> None:
    """One login at a time for one machine: who comes second finds it done."""
    with locked(Path(path), timeout=_LOGIN_PATIENCE):
        if master_pid(path) is None:
            open_master(target, path, request, ask=ask)


def start(
    target: Target,
    command: str,
    *,
    bulk: bool = False,
    request: Request | None = None,
    within: float = 0.0,
    nudge: bytes = b"",
    anew: Callable[[], Target] | None = None,
) -> spawn.Child:
    """Start `command` there, read by the login shell, with pipes; returns when it runs.

    What login files print before it is dropped. `bulk`: much data, rather on another connection when one is open.
    A full connection gets a second one where the host lets us in without a question; else this waits for a free
    channel. `within`: seconds for all of it, in which a machine that cannot be reached is tried again (0: it is
    tried once, and a channel has OPEN_LIMIT seconds to open). `nudge` answers login files that ask something on
    standard input: it may reach `command` too. `anew` as for ensure_master. Raises as that, RemoteError (`code`
    shell) when the account runs no commands, TimedOut.
    """
    if target.kind == "local" or target.control_path is None:
        return spawn.start(target.remote_argv(command), env=target.environment())
    asker = request or current()
    deadline = time.monotonic() + (within or OPEN_LIMIT)
    pause, full = 0.05, False
    while True:
        asker.check()
        left = max(0.0, deadline - time.monotonic()) if within else 0.0
        target = ensure_master(target, asker, within=left, anew=anew)
        found = _any_channel(target, command, asker, deadline, bulk=bulk, full=full, nudge=nudge)
        if isinstance(found, spawn.Child):
            return found
        if isinstance(found, Unreachable):
            if time.monotonic() > deadline:
                raise found
        elif full or not _another_master(target, asker):
            full = True
            if time.monotonic() > deadline:
                raise _no_channel(target, within)
        else:
            continue
        asker.cancelled.wait(pause)
        pause = min(pause * 1.5, 1.0)


def _any_channel(
    target: Target, command: str, request: Request, deadline: float, *, bulk: bool, full: bool, nudge: bytes
) -> spawn.Child | TrainError:
    """A channel on one of the live masters; else why there is none: Refused, or Unreachable when one was lost."""
    why: TrainError = Refused("no connection")
    for path in _paths(target, bulk=bulk):
        try:
            return _channel(target, command, path, request, deadline, nudge)
        except (Refused, _Lost) as error:
            why = error
        except TimedOut:
            if not full:
                raise
    return why


def _no_channel(target: Target, within: float) -> TimedOut:
    return TimedOut(
        f"{target.label} allows no more channels, and none became free within {within or OPEN_LIMIT:g} seconds",
        "raise MaxSessions in its sshd_config, or end something that is connected", code="no_channel",
    )  # fmt: skip


def numbered(path: str, number: int) -> str:
    """The socket of the master `number` (1 is the first) of a machine."""
    return path if number == 1 else f"{path}.{number}"


def _paths(target: Target, *, bulk: bool) -> list[str]:
    """The sockets of the live masters, in the order to try."""
    first = target.control_path or ""
    more = [numbered(first, number) for number in range(2, MOST_MASTERS + 1)]
    live = [first, *(path for path in more if os.path.exists(path) and master_pid(path) is not None)]  # noqa: PTH110
    return live[::-1] if bulk else live


def _another_master(target: Target, request: Request) -> bool:
    """Open one more connection, asking nobody; False when there may be none."""
    for number in range(2, MOST_MASTERS + 1):
        path = numbered(target.control_path or "", number)
        if master_pid(path) is None:
            try:
                _open_once(target, path, request, ask=False)
            except TrainError:
                return False
            return True
    return False


def _channel(
    target: Target, command: str, path: str, request: Request, deadline: float, nudge: bytes
) -> spawn.Child:
    """Start `command` over the master at `path` and wait until it runs; Refused when sshd wants no more."""
    mark = f"trainsh-{os.urandom(6).hex()}"
    argv = target.remote_argv(f"printf '%s\\n' {mark}; {command}", control_path=path)
    said = _unnamed_file()
    try:
        try:
            child = spawn.start(argv, env=target.environment(), stderr=said)
        except FileNotFoundError:
            raise no_ssh() from None
        try:
            opened = _await_mark(child, mark.encode() + b"\n", request, deadline, nudge)
        except BaseException:
            child.end()
            os.close(child.stdout)
            child.wait()
            raise
        if opened:
            return child
        os.close(child.stdout)
        child.close_stdin()
        raise _not_opened(target, path, child.wait(), os.pread(said, 65536, 0).decode(errors="replace"))
    finally:
        os.close(said)


def _await_mark(child: spawn.Child, mark: bytes, request: Request, deadline: float, nudge: bytes) -> bool:
    """Read up to the line `mark` and not a byte beyond; False when the channel ends before."""
    heard = bytearray()
    asks = time.monotonic() + ASKS_AFTER
    output = select.poll()
    output.register(child.stdout, select.POLLIN)
    while time.monotonic() < deadline:
        request.check()
        if output.poll(200):
            byte = os.read(child.stdout, 1)
            if not byte:
                return False
            heard += byte
            if heard.endswith(mark):
                return True
        elif nudge and time.monotonic() > asks:
            asks = time.monotonic() + ASKS_EVERY
            with contextlib.suppress(OSError):
                os.write(child.stdin, nudge)
    words = heard.decode(errors="replace").split("\n")
    said = next((f", which said last: {line.strip()}" for line in reversed(words) if line.strip()), "")
    raise TimedOut(
        f"the machine was reached, but its login shell ran nothing in time{said}",
        "its login files hang or ask something: look at ~/.bashrc there", code="shell",
    )  # fmt: skip


def _not_opened(target: Target, path: str, status: int, said: str) -> TrainError:
    if status != 255:
        return RemoteError(
            f"the account on {target.label} runs no commands (status {status}): {last_line(said)}",
            "give it a login shell: chsh -s /bin/sh", code="shell",
        )  # fmt: skip
    if master_pid(path) is not None:
        return Refused(f"{target.label} allows no more channels: {last_line(said)}")
    return _Lost(f"the connection to {target.label} was lost: {last_line(said)}")


def _unnamed_file() -> int:
    """An open file that has no name and is gone with its last reader: what a channel says on stderr."""
    name = f"{runtime_home()}/e-{os.getpid()}-{os.urandom(4).hex()}"
    handle = os.open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
    os.unlink(name)  # noqa: PTH108
    return handle


def disconnect(target: Target) -> int:
    """End every shared connection to this machine, with the channels on them; how many there were."""
    if target.control_path is None:
        return 0
    count = 0
    for number in range(1, MOST_MASTERS + 1):
        path = numbered(target.control_path, number)
        if os.path.exists(path):  # noqa: PTH110
            count += end_master(path)
            remove_stale(path)
    return count


def disconnect_all() -> int:
    """End every shared connection of this user; how many there were."""
    count = 0
    for entry in list(os.scandir(runtime_home())):
        if entry.name.startswith("m-") and entry.is_file(follow_symlinks=False) is False:
            count += end_master(entry.path)
            remove_stale(entry.path)
    return count
