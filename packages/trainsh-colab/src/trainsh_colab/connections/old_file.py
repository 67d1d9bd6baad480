"""Moves the connections in the file colab.json of version 0.9 into hosts.toml and the secret store, as soon as the
file is seen.
"""

import re
from typing import Any

import msgspec

from trainsh_base.errors import UsageError
from trainsh_base.request import current
from trainsh_base.system.paths import config_home
from trainsh_colab.connections import hosts, secrets

MOVED = "colab.json.moved"


class OldConnection(msgspec.Struct, kw_only=True):
    """A connection as version 0.9 stored it, with the password in clear text."""

    name: str
    tunnel_type: str = "cloudflared"
    config: dict[str, Any] = {}
    password: str = ""


class OldFile(msgspec.Struct, kw_only=True):
    """The file of connections of version 0.9."""

    connections: list[OldConnection] = []


def move() -> None:
    """Move the connections of version 0.9. Then rename the file.

    If one fails, the next call tries all of them again.
    """
    path = config_home() / "colab.json"
    if not path.exists():
        return
    try:
        old = msgspec.json.decode(path.read_bytes(), type=OldFile)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{path} of version 0.9 cannot be read: {error}", "fix it, or move it away", code="bad_file"
        ) from None
    moved = [name for one in old.connections if (name := _move_one(one))]
    path.rename(path.with_name(MOVED))
    (path.with_name(MOVED)).chmod(0o600)
    secret = any(one.password for one in old.connections)
    current().emit(
        "log",
        message=f"{path} of version 0.9 was moved into hosts.toml ({', '.join(moved) or 'it was empty'}); the "
        f"old file is now {MOVED}"
        + (": delete it, since its passwords are now in train secrets" if secret else ""),
    )


def _move_one(one: OldConnection) -> str:
    """Move one connection, and return its new name.

    Return "" for a connection without an address, which is not moved.
    """
    address = str(one.config.get("hostname") or "")
    if not address:
        return ""
    known = {row.name: row.address for row in hosts.every()}
    name = _free_name(one.name, address, known)
    values: dict[str, Any] = {"host": address, "user": "root", "tunnel": _tunnel(one.tunnel_type)}
    if one.config.get("port"):
        values["port"] = int(one.config["port"])
    if one.password:
        secret = secrets.secret_name(name)
        secrets.store(secret, one.password)
        values |= {"password_secret": secret, "auth": "password"}
    hosts.save(name, values)
    return name


def _tunnel(kind: str) -> str:
    return "ngrok" if kind == "ngrok" else "cloudflared"


def _free_name(old: str, address: str, known: dict[str, str]) -> str:
    """Return a name, similar to `old`, that recipes can use and that no other host has."""
    plain = re.sub(r"[^A-Za-z0-9_-]", "-", old).strip("-") or "colab"
    plain = plain if plain[0].isalpha() else f"colab-{plain}"
    taken = set(hosts.names())
    name, number = plain, 1
    while name in taken and address not in known.get(name, ""):
        number += 1
        name = f"{plain}-{number}"
    return name
