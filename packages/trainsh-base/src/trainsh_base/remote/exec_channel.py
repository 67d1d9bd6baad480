"""Starts one command over a live shared connection, and waits until the command runs."""

import contextlib
import os
import select
import time

from trainsh_base.errors import RemoteError, TimedOut, TrainError, Unreachable
from trainsh_base.remote.control_socket import MuxError, master_pid, start_session
from trainsh_base.remote.ssh_config import no_ssh, sent_variables
from trainsh_base.remote.ssh_errors import by_hand, last_line
from trainsh_base.remote.target import Target
from trainsh_base.request import Request
from trainsh_base.system import spawn
from trainsh_base.system.deadline import Deadline
from trainsh_base.system.paths import runtime_folder

# After ASKS_AFTER seconds, login files that still run may be waiting for input. From then on, the text `nudge` is
# sent to them every ASKS_EVERY seconds.
ASKS_AFTER, ASKS_EVERY = 2.0, 0.5
END_PATIENCE = 5.0
MOST_HEARD = 1 << 16  # the most bytes of the login files' output that are kept


class Refused(TrainError):
    """The connection is full: sshd allows no more channels on this connection (MaxSessions)."""

    default_code = "channel_refused"


class Cut(Unreachable):
    """The connection was cut while a channel was being opened."""

    default_code = "lost"


def open_channel(
    target: Target, command: str, path: str, request: Request, deadline: Deadline, nudge: bytes
) -> spawn.Child:
    """Start `command` over the connection at `path`, and wait until the command runs.

    Raises Refused if sshd allows no more channels, Cut if the connection is cut, TimedOut at the deadline, and
    RemoteError (`code` shell) if the account does not run commands.
    """
    sentinel = f"trainsh-{os.urandom(6).hex()}"
    argv = target.remote_argv(f"printf '%s\\n' {sentinel}; {command}", control_path=path)
    errors = _unnamed_file()
    try:
        child = _start(target, argv, path, errors)
        try:
            heard = _await_sentinel(child, sentinel.encode() + b"\n", request, deadline, nudge)
        except BaseException:
            _end(child)
            raise
        if heard is None:
            return child
        status = _end(child)
        said = os.pread(errors, 65536, 0) + getattr(child, "reason", "").encode()
        raise _not_opened(target, path, status, heard, said)
    finally:
        os.close(errors)


def _start(target: Target, argv: list[str], path: str, errors: int) -> spawn.Child:
    """Start the command: over the control socket if it is known which variables to send, else by `ssh -S`."""
    environment = sent_variables(path, target.environment())
    if environment is not None:
        with contextlib.suppress(OSError, MuxError):
            return start_session(path, argv[-1], argv, errors, environment)
    try:
        return spawn.start(argv, env=target.environment(), stderr=errors)
    except FileNotFoundError:
        raise no_ssh() from None


def _await_sentinel(
    child: spawn.Child, sentinel: bytes, request: Request, deadline: Deadline, nudge: bytes
) -> bytes | None:
    """Read the output up to the line `sentinel` and no further. Return None.

    If the output ends before that line, return the output.
    """
    heard = bytearray()
    asks = time.monotonic() + ASKS_AFTER
    output = select.poll()
    output.register(child.stdout, select.POLLIN)
    while not deadline.expired:
        request.check()
        if output.poll(200):
            byte = os.read(child.stdout, 1)
            if not byte:
                return bytes(heard)
            heard += byte
            if heard.endswith(sentinel):
                return None
            if len(heard) > MOST_HEARD:
                del heard[: MOST_HEARD // 2]
        elif child.poll() is not None and not output.poll(0):
            return bytes(heard)
        elif nudge and time.monotonic() > asks:
            asks = time.monotonic() + ASKS_EVERY
            with contextlib.suppress(OSError):
                os.write(child.stdin, nudge)
    last = _last_printed(heard)
    raise TimedOut(
        "the machine was reached, but its login shell ran no command in time"
        + (f"; it printed last: {last}" if last else ""),
        "its login files hang or ask a question: look at ~/.bashrc there", code="shell",
    )  # fmt: skip


def _last_printed(heard: bytes | bytearray) -> str:
    lines = heard.decode(errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


def _end(child: spawn.Child) -> int:
    """Close our ends of the channel's pipes, and wait until its ssh exits. Return the exit status.

    If ssh does not exit soon, it is killed.
    """
    with contextlib.suppress(OSError):
        os.close(child.stdout)
    child.close_stdin()
    deadline = time.monotonic() + END_PATIENCE
    while (status := child.poll()) is None:
        if time.monotonic() > deadline:
            child.end(9)
        time.sleep(0.002)
    return status


def _not_opened(target: Target, path: str, status: int, heard: bytes, errors: bytes) -> TrainError:
    """Return the error for a channel that ended before its command ran."""
    printed = " ".join(heard.decode(errors="replace").split())
    said = errors.decode(errors="replace")
    if printed:
        return RemoteError(
            f"the account on {target.label} does not run the commands it is sent (status {status}). It printed: "
            f"{printed[:500]}",
            f"log in as another user; to see the whole output: {by_hand(target)}", code="shell",
        )  # fmt: skip
    if status != 255:
        return RemoteError(
            f"the account on {target.label} runs no commands (status {status}): {last_line(said)}",
            "give it a login shell: chsh -s /bin/sh", code="shell",
        )  # fmt: skip
    if master_pid(path) is not None:
        return Refused(f"{target.label} allows no more channels: {last_line(said)}")
    return Cut(f"the connection to {target.label} was lost: {last_line(said)}")


def _unnamed_file() -> int:
    """Open a temporary file for a channel's stderr. The file has no name, so closing it also deletes it."""
    name = f"{runtime_folder()}/e-{os.getpid()}-{os.urandom(4).hex()}"
    handle = os.open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
    os.unlink(name)  # noqa: PTH108
    return handle
