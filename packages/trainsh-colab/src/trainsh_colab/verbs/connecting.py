"""Adds a connection: shows the cell for the notebook, asks for the address that the cell prints, and saves the
host.
"""

import re
import sys
import time

from trainsh_base.errors import UsageError
from trainsh_base.request import Request
from trainsh_colab.connections import hosts, old_file, secrets, tunnel
from trainsh_colab.connections.cell import cell, public_key
from trainsh_colab.model import Connected, Tunnel

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
PATIENCE = 20.0  # seconds within which a new tunnel must become reachable
ADDRESS = re.compile(r"(?:[a-z]+://)?(?:.*--host )?([A-Za-z0-9][A-Za-z0-9.-]*)(?::|.*--port )?(\d{1,5})?.*")


def connect(
    name: str, host: str | None, port: int | None, kind: Tunnel, key: str | None, password: bool, request: Request
) -> Connected:
    """Connect a runtime. If its address is not given, show the cell. On a terminal, also ask for the address."""
    old_file.move()
    if not NAME.fullmatch(name):
        raise UsageError(
            f"not a name for a host: {name!r}", "use letters, digits, _ and -, beginning with a letter"
        )
    if name in hosts.names() and name not in {one.name for one in hosts.every()}:
        raise UsageError(f"there is a host {name!r} that is not a Colab runtime", "take another name")
    text, secret = "", hosts.secret_of(name)
    if host is None:
        own = "" if password else public_key(key)
        secret = "" if own else secrets.secret_name(name)
        text = cell(name, kind, own, secrets.stored_or_new(secret) if secret else "")
        if not (request.for_people and sys.stdin.isatty() and sys.stdout.isatty() and sys.stderr.isatty()):
            return Connected(name=name, state="waiting", cell=text, secret=secret)
        request.emit("log", message=f"Paste this into a cell of the notebook, and run it:\n\n{text}")
        host, port = _parsed(request.ask("text", "The address that it printed (--host ...)", flag="--host"), port)
    elif password:
        secret = secrets.secret_name(name)
    host, port = _parsed(host, port)
    hosts.save(name, _values(name, host, port, kind, key, secret))
    answer = tunnel.ask(hosts.target(name), PATIENCE)
    return Connected(
        name=name, state="running" if answer.alive else "gone", address=f"{host}:{port}" if port else host,
        cell="", secret=secret, problem=answer.why,
    )  # fmt: skip


def _parsed(text: str, port: int | None) -> tuple[str, int | None]:
    """Return the host and the port that are in the pasted `text`.

    The text may be a name, `tcp://host:1234`, or the whole line that the cell printed.
    """
    found = ADDRESS.fullmatch(text.strip())
    if not found:
        raise UsageError(
            f"not the address of a tunnel: {text!r}", "write it like x-y.trycloudflare.com", code="bad_address"
        )
    return found[1], port or (int(found[2]) if found[2] else None)


def _values(
    name: str, host: str, port: int | None, kind: Tunnel, key: str | None, secret: str
) -> dict[str, object]:
    """Return the values for train-host. The host key gets a new alias, because a new runtime has a new host key."""
    login = {"auth": "password", "password_secret": secret} if secret else {"auth": "key" if key else "agent"}
    alias = f"colab-{name}-{int(time.time() * 1000):x}"
    return {
        "host": host, "port": port or 22, "user": "root", "tunnel": kind, "options": [f"HostKeyAlias={alias}"],
        **login, **({"key": key} if key else {}),
    }  # fmt: skip
