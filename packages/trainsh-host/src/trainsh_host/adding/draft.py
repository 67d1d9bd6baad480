"""Turns flags, pasted text and answers about a host into the keys of hosts.toml."""

import os
import re
from collections.abc import Callable
from typing import Any, TypeVar
from uuid import uuid4

from trainsh_base.errors import UsageError
from trainsh_base.remote.host_spec import Spec, clean, parse_command, parse_destination, parse_option, parse_port
from trainsh_base.request import Request
from trainsh_host.old_types import INSTANCE_KEY, TUNNEL_TYPE
from trainsh_host.ways.ssh_names import blocks, fields

T = TypeVar("T")
Values = dict[str, Any]
_ORDER = [
    "id", "name", "type", "hostname", "port", "username", "auth_method", "ssh_key_path", "jump_host", "is_favorite",
    "tags", "notes", INSTANCE_KEY, "ref", "ssh_options", "password_secret", "known_hosts", "bootstrap",
    "env_vars",
]  # fmt: skip
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
RESERVED = ("local", "placeholder")
TRIES = 20  # how often one question is asked; if the last answer is wrong too, its error is raised
KINDS = ["ssh", "provider", "tunnel", "local"]


def check_name(name: str) -> str:
    """Return `name` if recipes can use it as @name, else raise UsageError."""
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"not a name for a host: {name!r}",
            "use letters, digits, _ and -, beginning with a letter",
            code="bad_name",
        )
    if name in RESERVED:
        raise UsageError(f"{name!r} is a reserved word in recipes", "choose another name", code="bad_name")
    return name


def check_key(path: str) -> str:
    """Return `path` if this key file exists, or if the path contains a % or $, which only ssh can expand.

    Otherwise raise UsageError.
    """
    if path and not re.search(r"[%$]", path) and not os.path.isfile(os.path.expanduser(path)):  # noqa: PTH111, PTH113
        raise UsageError(
            f"there is no key file {path}", "give the path of the private key, or no key", code="no_key_file"
        )
    return path


def from_text(text: str, request: Request) -> Values:
    """The keys of hosts.toml for a pasted ssh command, spec or Host block.

    Parts of the text for which hosts.toml has no key are logged.
    """
    text = clean(text)
    found = blocks(text) if re.match(r"\s*(#.*\n\s*)*host\s", text, re.IGNORECASE) else {}
    if found:
        name, pairs = next(iter(found.items()))
        if len(found) > 1:
            request.emit("log", message=f"used the first of {len(found)} Host blocks: {name}")
        return {"name": name, **fields(name, pairs)}
    spec = parse_command(text)
    for key in spec.keys:
        check_key(key)
    for part in spec.dropped:
        request.emit("log", message=f"ignored {part}: it belongs to one connection, not to the machine")
    return from_spec(spec)


def from_spec(spec: Spec) -> Values:
    """The keys of hosts.toml for a spec."""
    if spec.form == "local":
        return {"type": "local"}
    if spec.form == "provider":
        return {"type": "provider", "ref": f"{spec.provider}:{spec.value}"}
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
    ref: str | None = None,
    tunnel: str | None = None,
    tag: list[str] | None = None,
    notes: str | None = None,
    favorite: bool | None = None,
    bootstrap: bool | None = None,
) -> Values:
    """The keys of hosts.toml that the flags set. A flag that is None changes nothing."""
    if port is not None:
        parse_port(str(port))
    if key:
        check_key(key)
    if ref is not None and from_spec(parse_command(ref)).get("type") != "provider":
        raise UsageError(f"not a provider's machine: {ref!r}", "write it like acme:17", code="bad_spec")
    if host is not None and (":" in host or "@" in host):
        said, host, in_host = parse_destination(host)
        user, port = user or said or None, port or in_host
    type_ = {"tunnel": TUNNEL_TYPE}.get(type_ or "", type_) or (
        "provider" if ref else TUNNEL_TYPE if tunnel else None
    )
    values: Values = {
        "type": type_, "hostname": host, "username": user, "port": port,
        "ssh_key_path": key, "auth_method": auth or ("key" if key else "password" if password_secret else None),
        "jump_host": jump, "ssh_options": [parse_option(text) for text in option] if option else None,
        "password_secret": password_secret, "ref": ref, "tags": tag or None, "notes": notes,
        "env_vars": {"tunnel_type": tunnel} if tunnel else None, "is_favorite": favorite, "bootstrap": bootstrap,
    }  # fmt: skip
    return {key: value for key, value in values.items() if value is not None}


def ask_missing(values: Values, request: Request) -> Values:
    """Ask for the fields that this type of host needs.

    If the program is not interactive, raise UsageError with the name of a flag that is missing.
    """
    values = dict(values)
    if "type" not in values:
        kind = "ssh"
        if not values.get("hostname"):
            kind = _ask_kind(request)
        values["type"] = {"tunnel": TUNNEL_TYPE}.get(kind, kind)
    kind = values["type"]
    if kind == "provider" and not values.get("ref"):
        values["ref"] = ask_until(request, _check_reference, "Machine (PROVIDER:ID)", flag="--ref")
    if kind == TUNNEL_TYPE and not values.get("hostname"):
        _ask_tunnel(values, request)
    if kind == "ssh" and not values.get("hostname"):
        _ask_login(values, request)
    if not values.get("name"):
        values["name"] = ask_until(request, check_name, "Name", default=_proposed(values), flag="NAME")
    check_name(values["name"])
    return {key: value for key, value in values.items() if value not in ("", None)}


def _ask_kind(request: Request) -> str:
    try:
        return request.ask("choose", "What kind of machine?", choices=KINDS, default="ssh", flag="--type")
    except UsageError as error:
        if error.code != "cannot_ask":
            raise
        hint = "train host add NAME USER@HOST, or pass --host, or --type for another kind of machine"
        message = "not interactive, and the machine's address is missing"
        raise UsageError(message, hint, code=error.code, data=error.data) from None


def ask_until(
    request: Request, check: Callable[[str], T], question: str, *, default: str | None = None, flag: str
) -> T:
    """Ask `question` until `check` accepts the answer, and return what `check` returned.

    If `check` refuses an answer, the reason is shown.
    """
    for _ in range(TRIES - 1):
        answer = request.ask("text", question, default=default, flag=flag)
        try:
            return check(answer)
        except UsageError as error:
            request.emit("log", message=f"{error.message}: {error.hint}" if error.hint else error.message)
    return check(request.ask("text", question, default=default, flag=flag))


def _check_reference(text: str) -> str:
    values = from_spec(parse_command(text))
    if "ref" not in values:
        raise UsageError(f"not a provider's machine: {text!r}", "write it like acme:17", code="bad_spec")
    return str(values["ref"])


def _ask_tunnel(values: Values, request: Request) -> None:
    if "env_vars" not in values:
        choices = ["cloudflared", "ngrok"]
        tunnel = request.ask("choose", "Tunnel", choices=choices, default="cloudflared", flag="--tunnel")
        values["env_vars"] = {"tunnel_type": tunnel}
    values["hostname"] = request.ask("text", "Address of the tunnel", flag="--host")
    if values["env_vars"].get("tunnel_type") == "ngrok" and "port" not in values:
        values["port"] = ask_until(request, parse_port, "Port", default="22", flag="--port")


def _ask_login(values: Values, request: Request) -> None:
    """Ask for the address. Then ask for everything that the answer does not contain.

    The answer may be `user@host -p 22`, or a pasted ssh command.
    """
    said = ask_until(
        request, lambda text: _address(text, request), "Address (user@host, or an ssh command)", flag="--host"
    )
    values |= {key: value for key, value in said.items() if key not in values}
    if "username" not in values:
        values["username"] = request.ask("text", "User (empty: as ssh decides)", default="", flag="--user")
    if "port" not in values:
        values["port"] = ask_until(request, parse_port, "Port", default="22", flag="--port")
    if "ssh_key_path" not in values:
        key = ask_until(request, check_key, "Key file (empty: as ssh decides)", default="", flag="--key")
        values |= {"auth_method": "key", "ssh_key_path": key} if key else {}


def _address(text: str, request: Request) -> Values:
    values = from_text(text, request)
    if not values.get("hostname"):
        raise UsageError(f"no address in {text!r}", "write user@host, or paste an ssh command", code="bad_spec")
    check_key(values.get("ssh_key_path", ""))
    return values


def _proposed(values: Values) -> str | None:
    place = str(values.get("hostname") or values.get("ref") or "")
    word = re.sub(r"[^A-Za-z0-9_-]", "-", place.partition(".")[0])
    return word if _NAME.fullmatch(word) and word not in RESERVED else None


def complete(values: Values) -> Values:
    """The table to write, with the keys in the order of version 0.9.

    If id, port or auth_method is missing, it is added.
    """
    full = {"id": str(uuid4()), "type": "ssh", **values}
    if full["type"] in ("ssh", TUNNEL_TYPE):
        full.setdefault("port", 22)
        full.setdefault("auth_method", "agent")
    return {key: full[key] for key in _ORDER if key in full}
