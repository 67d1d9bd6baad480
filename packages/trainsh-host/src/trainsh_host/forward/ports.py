"""Ports as people write them, and whether a port of this machine is free."""

import contextlib
import errno
import re
import shlex
import socket

from trainsh_base.errors import Conflict, UsageError
from trainsh_host.forward.model import Port

_PORT = re.compile(r"(?:(\d{1,5}):)?(?:(\[[0-9A-Fa-f:]+\]|[^:\[\]\s]+):)?(\d{1,5})")


def parse_ports(texts: list[str], bind: str) -> list[Port]:
    """The ports in texts of the form `8888`, `LOCAL:REMOTE` or `LOCAL:HOST:REMOTE`.

    Raises UsageError for a text of another form.
    """
    found = [_parse(text, bind) for text in texts]
    for port in found:
        if sum(other.local == port.local for other in found) > 1:
            raise UsageError(f"port {port.local} of this machine is given twice", code="bad_port")
    return found


def _parse(text: str, bind: str) -> Port:
    parts = _PORT.fullmatch(text)
    if not parts or (parts[2] and not parts[1]):
        raise UsageError(
            f"not a port to forward: {text!r}", "write it like 8888, LOCAL:REMOTE or LOCAL:HOST:REMOTE",
            code="bad_port",
        )  # fmt: skip
    remote = int(parts[3])
    local = int(parts[1]) if parts[1] else remote
    for port in (local, remote):
        if not 0 < port < 65536:
            raise UsageError(f"not a port: {port}", "ports are 1 to 65535", code="bad_port")
    return Port(bind=bind, local=local, host=(parts[2] or "localhost").strip("[]"), remote=remote)


def need_free(port: Port, host: str) -> None:
    """Raise Conflict if a program listens on this port of this machine.

    Raise UsageError if this process may not listen on the port.
    """
    family = socket.AF_INET6 if ":" in port.bind else socket.AF_INET
    with contextlib.closing(socket.socket(family)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((port.bind, port.local))
            probe.listen(1)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise UsageError(
                    f"cannot listen on {port.bind}, port {port.local}: {(error.strerror or str(error)).lower()}",
                    _another(port, host), code="bad_port",
                ) from None  # fmt: skip
            raise in_use(port, host) from None


def in_use(port: Port, host: str) -> Conflict:
    """The error for a port of this machine on which another program listens."""
    return Conflict(
        f"port {port.local} of this machine is in use",
        _another(port, host), code="port_in_use", data={"port": port.local},
    )  # fmt: skip


def _another(port: Port, host: str) -> str:
    other = port.local + 1 if 1024 <= port.local < 65535 else 8080
    return f"use another one: train host forward {shlex.quote(host)} {other}:{port.remote}"


def closes_at_once(port: Port, patience: float = 0.7) -> bool:
    """Whether a connection to the local port is closed at once, as it is if nothing listens at the other end of the
    forward.
    """
    try:
        with socket.create_connection((port.bind, port.local), patience) as probe:
            probe.settimeout(patience)
            return probe.recv(1) == b""
    except TimeoutError:
        return False
    except OSError:
        return True
