"""Carries out `train host forward`: forwards ports here or in the background, lists forwards, and stops them."""

import os
import shlex
import subprocess
import sys
import time

import msgspec

from trainsh_base.errors import Bug, Conflict, NotFound, TimedOut, TrainError, UsageError, from_document
from trainsh_base.remote import ssh
from trainsh_base.request import Request
from trainsh_host.forward import mux, registry
from trainsh_host.forward.carrying import Carrier, Resolve
from trainsh_host.forward.model import Forward, Port
from trainsh_host.forward.ports import closes_at_once, need_free, parse_ports
from trainsh_host.forward.relay import relay

START_LIMIT = 120.0  # seconds within which a detached forward must connect


def listed(host: str | None = None) -> list[Forward]:
    """The forwards of this user to `host`, or to all hosts if `host` is None.

    A forward whose process was killed is removed from the list.
    """
    found = []
    for forward in registry.all_forwards():
        if registry.lives(forward.id) or forward.state == "failed":
            found.append(forward)
        else:
            _sweep(forward)
    return [forward for forward in found if host in (None, forward.host)]


def _sweep(forward: Forward) -> None:
    """Remove what the killed process of a forward has left: its ports on the shared connection, and its file."""
    mux.take_away(forward)
    registry.forget(forward.id)


def stop(host: str | None, ports: list[str], every: bool) -> list[Forward]:
    """End forwards, and return them.

    With `every`, all forwards are ended. Otherwise those of `host` are ended. If `ports` are given, only those of
    `host` are ended that have one of these local ports.
    """
    if (host is None) != every:
        raise UsageError("name a host, or pass --all", "usage: train host forward NAME [PORT...] --stop")
    wanted = {port.local for port in parse_ports(ports, "127.0.0.1")}
    found = [
        forward for forward in listed(host)
        if not wanted or wanted & {port.local for port in forward.ports}
    ]  # fmt: skip
    if not found and not every:
        raise NotFound(
            f"no port of {host} is forwarded" + (f" on {', '.join(map(str, sorted(wanted)))}" if wanted else ""),
            "see: train host forward --list", code="no_forward",
        )  # fmt: skip
    for forward in found:
        registry.end(forward)
        _sweep(forward)
    return [msgspec.structs.replace(forward, state="ended") for forward in found]


def start(
    host: str, texts: list[str], bind: str, *, detach: bool, resolve: Resolve, request: Request
) -> list[Forward]:
    """Forward ports of `host` until the request is cancelled. With `detach`, a background process forwards them."""
    ports = parse_ports(texts, bind)
    if not ports:
        raise UsageError(
            f"no port given for {host}",
            f"for instance: train host forward {shlex.quote(host)} 8888",
            code="no_port",
        )
    target = resolve(host)
    if target.kind == "local":
        return _local(host, ports, detach=detach, request=request)
    taken = {port.local: forward for forward in listed() for port in forward.ports if registry.lives(forward.id)}
    for port in ports:
        if port.local in taken:
            raise _taken(port, taken[port.local])
        need_free(port, host)
    forward = Forward(id=str(ports[0].local), host=host, ports=ports, detached=detach)
    if detach:
        ssh.ensure_master(target, request)  # questions must be asked here, where a person can answer
        left = _left_behind(forward)
        say_silent(left, request)
        return [left]
    with registry.held(forward.id):
        Carrier(forward, resolve, request).carry(lambda opened: say(opened, request))
    return []


def _taken(port: Port, by: Forward) -> TrainError:
    return Conflict(
        f"port {port.local} of this machine is already forwarded to {by.host}",
        f"end that: train host forward {shlex.quote(by.host)} {port.local} --stop", code="port_in_use",
        data={"port": port.local},
    )  # fmt: skip


def _local(host: str, ports: list[Port], *, detach: bool, request: Request) -> list[Forward]:
    """Handle a host that is this machine.

    If the local and the remote port are the same, there is nothing to do. Otherwise the port is relayed.
    """
    here = [port for port in ports if port.local == port.remote and port.host == "localhost"]
    for port in here:
        request.emit("log", message=f"{host} is this machine: port {port.remote} needs no forward")
    others = [port for port in ports if port not in here]
    if others and detach:
        raise UsageError(f"{host} is this machine: a relay between two of its ports cannot run in the background")
    for port in others:
        need_free(port, host)
    if others:
        for port in others:
            request.emit("log", message=f"{port.bind}:{port.local} leads to {port.host}:{port.remote}")
        relay(others, request)
    return []


def say(forward: Forward, request: Request) -> None:
    """Report which ports are forwarded, and to where."""
    for port in forward.ports:
        message = f"{port.bind}:{port.local} leads to port {port.remote} of {_there(forward, port)}"
        request.emit("log", message=message)
    say_silent(forward, request)


def say_silent(forward: Forward, request: Request) -> None:
    """Report each port for which nothing listens at the other end."""
    for port in forward.ports:
        if closes_at_once(port):
            message = f"nothing listens on port {port.remote} of {_there(forward, port)} yet"
            request.emit("log", message=message)


def _there(forward: Forward, port: Port) -> str:
    return forward.host if port.host == "localhost" else f"{port.host} (from {forward.host})"


def _left_behind(forward: Forward) -> Forward:
    """Start a background process for the forward, and wait until the ports are open.

    Raises the error of this process.
    """
    words = [sys.executable, "-m", "trainsh_host.forward.background", forward.id]
    log = os.open(registry.log_file(forward.id), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        with registry.held(forward.id) as lock:  # the child inherits the lock
            registry.save(forward)
            child = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd="/",
                pass_fds=(lock,),
            )  # fmt: skip
    finally:
        os.close(log)
    return _opened(forward.id, child)


def _opened(id: str, child: "subprocess.Popen[bytes]") -> Forward:
    deadline = time.monotonic() + START_LIMIT
    while time.monotonic() < deadline:
        ended = child.poll() is not None
        found = registry.read(id)
        if found and found.state == "open":
            return found
        if found and found.state == "failed" and found.problem:
            registry.forget(id)
            raise from_document(found.problem)
        if ended:
            raise Bug(f"the process of the forward ended; its last messages are in {registry.log_file(id)}")
        time.sleep(0.02)
    child.terminate()
    raise TimedOut(f"the forward was not open within {START_LIMIT:g} seconds", code="not_forwarded")
