"""A host while it is being added or changed: flags, pasted text and answers become the keys of hosts.toml."""

import re
from typing import Any, Literal
from uuid import uuid4

from trainsh_base.errors import UsageError
from trainsh_base.remote.host_spec import Spec, parse_command, parse_option, parse_port
from trainsh_base.request import Request
from trainsh_host.ways.ssh_names import blocks, fields

Type = Literal["ssh", "colab", "vast", "local"]
Values = dict[str, Any]
_ORDER = [
    "id", "name", "type", "hostname", "port", "username", "auth_method", "ssh_key_path", "jump_host", "is_favorite",
    "tags", "notes", "vast_instance_id", "ssh_options", "password_secret", "known_hosts", "bootstrap", "env_vars",
]  # fmt: skip
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
RESERVED = ("local", "placeholder")


def check_name(name: str) -> str:
    """`name`, if recipes can say @name; UsageError otherwise."""
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"not a name for a host: {name!r}", "letters, digits, _ and -, a letter first", code="bad_name"
        )
    if name in RESERVED:
        raise UsageError(f"{name!r} has a meaning of its own in recipes", "choose another name", code="bad_name")
    return name


def from_text(text: str, request: Request) -> Values:
    """The keys that a pasted ssh command, spec or Host block says; what is left out is reported."""
    found = blocks(text) if re.match(r"\s*(#.*\n\s*)*host\s", text, re.IGNORECASE) else {}
    if found:
        name, pairs = next(iter(found.items()))
        if len(found) > 1:
            request.emit("log", message=f"took the first of {len(found)} Host blocks: {name}")
        return {"name": name, **fields(name, pairs)}
    spec = parse_command(text)
    for part in spec.dropped:
        request.emit("log", message=f"left out {part}: it belongs to one connection, not to the machine")
    return from_spec(spec)


def from_spec(spec: Spec) -> Values:
    """The keys of a spec."""
    if spec.form == "local":
        return {"type": "local"}
    if spec.form == "vast":
        return {"type": "vastai", "vast_instance_id": spec.value}
    if spec.form == "colab":
        return {"type": "colab", "name": spec.value}
    values: Values = {"type": "ssh", "hostname": spec.value}
    if spec.user:
        values["username"] = spec.user
    if spec.port:
        values["port"] = spec.port
    if spec.keys:
        values |= {"auth_method": "key", "ssh_key_path": spec.keys[0]}
    if spec.jump:
        values["jump_host"] = spec.jump
    options = [*spec.options, *(f"IdentityFile={key}" for key in spec.keys[1:])]
    return values | ({"ssh_options": options} if options else {})


def from_flags(
    *,
    type_: str | None = None,
    host: str | None = None,
    user: str | None = None,
    port: int | None = None,
    key: str | None = None,
    auth: str | None = None,
    jump: str | None = None,
    option: list[str] | None = None,
    password_secret: str | None = None,
    instance: str | None = None,
    tunnel: str | None = None,
    tag: list[str] | None = None,
    notes: str | None = None,
    favorite: bool | None = None,
    bootstrap: bool | None = None,
) -> Values:
    """The keys that flags set; None leaves one alone."""
    if port is not None:
        parse_port(str(port))
    values: Values = {
        "type": {"vast": "vastai"}.get(type_ or "", type_), "hostname": host, "username": user, "port": port,
        "ssh_key_path": key, "auth_method": auth or ("key" if key else "password" if password_secret else None),
        "jump_host": jump, "ssh_options": [parse_option(text) for text in option] if option else None,
        "password_secret": password_secret, "vast_instance_id": instance, "tags": tag or None, "notes": notes,
        "env_vars": {"tunnel_type": tunnel} if tunnel else None, "is_favorite": favorite, "bootstrap": bootstrap,
    }  # fmt: skip
    return {key: value for key, value in values.items() if value is not None}


def ask_missing(values: Values, request: Request) -> Values:
    """Ask for what a host of its type cannot do without; UsageError naming the flag where nobody can answer."""
    values = dict(values)
    if "type" not in values:
        kind = "ssh"
        if not values.get("hostname"):
            choices = ["ssh", "colab", "vast", "local"]
            kind = request.ask("choose", "What kind of machine?", choices=choices, default="ssh", flag="--type")
        values["type"] = {"vast": "vastai"}.get(kind, kind)
    if values["type"] == "vastai" and not values.get("vast_instance_id"):
        values["vast_instance_id"] = request.ask("text", "Number of the instance", flag="--instance")
    if values["type"] == "colab" and not values.get("hostname"):
        _ask_tunnel(values, request)
    if values["type"] == "ssh" and not values.get("hostname"):
        _ask_login(values, request)
    if not values.get("name"):
        values["name"] = request.ask("text", "Name", default=_proposed(values), flag="NAME")
    check_name(values["name"])
    return {key: value for key, value in values.items() if value not in ("", None)}


def _ask_tunnel(values: Values, request: Request) -> None:
    if "env_vars" not in values:
        choices = ["cloudflared", "ngrok"]
        tunnel = request.ask("choose", "Tunnel", choices=choices, default="cloudflared", flag="--tunnel")
        values["env_vars"] = {"tunnel_type": tunnel}
    values["hostname"] = request.ask("text", "Address of the tunnel", flag="--host")
    if values["env_vars"].get("tunnel_type") == "ngrok" and "port" not in values:
        values["port"] = parse_port(request.ask("text", "Port", default="22", flag="--port"))


def _ask_login(values: Values, request: Request) -> None:
    """Where it is, and what the answer (`user@host -p 22`, or `ssh ...` as copied) leaves open."""
    answer = request.ask("text", "Address (user@host, or an ssh command)", flag="--host")
    said = from_text(answer, request)
    values |= {key: value for key, value in said.items() if key not in values}
    if "username" not in values:
        values["username"] = request.ask("text", "User (empty: as ssh decides)", default="", flag="--user")
    if "port" not in values:
        values["port"] = parse_port(request.ask("text", "Port", default="22", flag="--port"))
    if "ssh_key_path" not in values:
        key = request.ask("text", "Key file (empty: as ssh decides)", default="", flag="--key")
        values |= {"auth_method": "key", "ssh_key_path": key} if key else {}


def _proposed(values: Values) -> str | None:
    word = re.sub(r"[^A-Za-z0-9_-]", "-", str(values.get("hostname", "")).partition(".")[0])
    return word if _NAME.fullmatch(word) and word not in RESERVED else None


def complete(values: Values) -> Values:
    """The table to write: in 0.9's order, with an id, and the port that 0.9 always wrote."""
    full = {"id": str(uuid4()), "type": "ssh", **values}
    if full["type"] in ("ssh", "colab"):
        full.setdefault("port", 22)
        full.setdefault("auth_method", "agent")
    return {key: full[key] for key in _ORDER if key in full}
