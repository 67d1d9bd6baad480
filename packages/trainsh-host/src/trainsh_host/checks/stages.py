"""Tests a machine in stages. Stops at the first failure, because later stages depend on earlier ones."""

import os
import re
import select
import socket
import time
from collections.abc import Callable, Iterator

from trainsh_base.errors import RemoteError, TrainError, UsageError
from trainsh_base.remote import ssh
from trainsh_base.remote.control_socket import master_pid
from trainsh_base.remote.target import Target
from trainsh_base.request import Request
from trainsh_base.system import spawn
from trainsh_base.system.deadline import Deadline
from trainsh_host.checks.probe import read_probe, script, stages_of
from trainsh_host.model import Stage
from trainsh_host.ways.ssh_names import settings

CONNECT = ("name", "port", "host key", "authentication", "shell")
INSIDE = ("tmux", "processes", "rsync", "rclone", "GPU", "disk")
PORT_PATIENCE = 10.0
ANSWER_LIMIT = 45.0  # seconds within which the script must answer


def test(target: Target, request: Request) -> Iterator[Stage]:
    """Yield each stage when it ends, in order. After a failure, the remaining stages are skipped."""
    failed = ""
    if target.kind == "ssh":
        for stage in _connecting(target, request):
            failed = failed or (stage.name if stage.state == "failed" else "")
            yield stage
    if failed:
        yield from (Stage(name=name, state="skipped", detail=f"{failed} failed") for name in INSIDE)
    else:
        yield from _inside(target, request)


def _connecting(target: Target, request: Request) -> Iterator[Stage]:
    pending = list(CONNECT)
    try:
        for stage in _reach(target, request):
            pending.remove(stage.name)
            yield stage
            if stage.state == "failed":
                break
    except TrainError as error:
        yield from _up_to_failure(error, pending)
        return
    yield from (Stage(name=name, state="skipped") for name in pending)


def _up_to_failure(error: TrainError, pending: list[str]) -> Iterator[Stage]:
    """Yield the `pending` stages of a login that raised `error`.

    The stages before the failed stage have passed.
    """
    at = _stage_of(error)
    at = at if at in pending else pending[0]
    for name in pending:
        if name == at:
            yield _failure(name, error)
        else:
            before = pending.index(name) < pending.index(at)
            yield Stage(name=name, state="ok" if before else "skipped", detail="" if before else f"{at} failed")


def _stage_of(error: TrainError) -> str:
    by_code = {
        "name_not_resolved": "name", "bad_ssh": "name", "refused": "port", "no_answer": "port", "closed": "port",
        "no_connection": "port", "no_common_algorithm": "host key", "host_key_changed": "host key",
        "host_key_unknown": "host key", "shell": "shell", "no_channel": "shell",
    }  # fmt: skip
    return by_code.get(error.code, "authentication")


def _failure(stage: str, error: TrainError) -> Stage:
    return Stage(name=stage, state="failed", detail=error.message, fix=error.hint, exit=error.exit_status)


def _reach(target: Target, request: Request) -> Iterator[Stage]:
    """Yield the stages until a shell runs on the host. Raises the errors of the login."""
    if master_pid(target.control_path or "") is not None:
        yield from (Stage(name=name, state="ok", detail="connected before") for name in CONNECT[:4])
    else:
        try:
            known = settings(*target.argv[1:])
        except UsageError as error:
            yield _failure("name", error)
            return
        via = next((known[key] for key in ("proxyjump", "proxycommand") if known.get(key, "none") != "none"), "")
        yield from _behind(via) if via else _direct(known["hostname"], int(known["port"]))
        took = _timed(lambda: ssh.ensure_master(target, request))
        yield Stage(name="host key", state="ok", detail="known")
        yield Stage(name="authentication", state="ok", detail=f"as {known['user']}", seconds=took)
    took = _timed(lambda: _say_hello(target, request))
    yield Stage(name="shell", state="ok", seconds=took)


def _behind(via: str) -> Iterator[Stage]:
    yield Stage(name="name", state="ok", detail=f"looked up by {via}")
    yield Stage(name="port", state="ok", detail=f"through {via}")


def _direct(hostname: str, port: int) -> Iterator[Stage]:
    try:
        began = time.monotonic()
        found = socket.getaddrinfo(hostname, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        fix = "check the spelling, the network, and the Host blocks of ~/.ssh/config"
        yield Stage(name="name", state="failed", detail=f"cannot find {hostname}: {_said(error)}", fix=fix, exit=8)
        return
    yield Stage(
        name="name",
        state="ok",
        detail=", ".join(sorted({str(entry[4][0]) for entry in found})),
        seconds=_since(began),
    )
    try:
        took = _timed(lambda: socket.create_connection((hostname, port), PORT_PATIENCE).close())
    except OSError as error:
        refused = isinstance(error, ConnectionRefusedError)
        fix = (
            f"is {port} the right port, and does sshd run there?"
            if refused
            else "is the machine switched on, and is there a firewall or a VPN on the way?"
        )
        yield Stage(name="port", state="failed", detail=f"port {port}: {_said(error)}", fix=fix, exit=8)
        return
    yield Stage(name="port", state="ok", detail=str(port), seconds=took)


def _said(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error).lower()


def _timed(work: Callable[[], object]) -> float:
    """Call `work`, and return how long the call took, in seconds."""
    began = time.monotonic()
    work()
    return _since(began)


def _since(began: float) -> float:
    return round(time.monotonic() - began, 3)


def _say_hello(target: Target, request: Request) -> None:
    child = ssh.start(target, "exit 0", request=request)
    _read_all(child, Deadline.after(ANSWER_LIMIT))


def _read_all(child: spawn.Child, deadline: Deadline) -> str:
    """Read the child's output until it ends or the deadline passes."""
    child.close_stdin()
    output = select.poll()
    output.register(child.stdout, select.POLLIN)
    parts = []
    while output.poll(deadline.within(ANSWER_LIMIT) * 1000):
        part = os.read(child.stdout, 65536)
        if not part:
            break
        parts.append(part)
    os.close(child.stdout)
    child.end()
    child.wait()
    return b"".join(parts).decode(errors="replace")


def _inside(target: Target, request: Request) -> Iterator[Stage]:
    """Yield the stages tmux, processes, rsync, rclone, GPU and disk.

    One script checks them all. `sh` runs the script, whatever the login shell is.
    """
    child = ssh.start(target, "exec sh", request=request)
    os.write(child.stdin, script().encode())
    output = _read_all(child, Deadline.after(ANSWER_LIMIT))
    if not re.search(r"^end=", output, re.MULTILINE):
        last = output.strip().rpartition("\n")[2]
        raise RemoteError(
            f"{target.label}: the shell did not answer all questions within {ANSWER_LIMIT:g} seconds"
            + (f"; the last answer was: {last}" if last else ""),
            "a program on the host hangs: usually nvidia-smi or df", code="shell",
        )  # fmt: skip
    yield from stages_of(read_probe(output))
