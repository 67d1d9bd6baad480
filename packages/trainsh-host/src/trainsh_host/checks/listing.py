"""The configured hosts, for `list` and `show`."""

from trainsh_base.errors import TrainError
from trainsh_host.model import Listed, Shown
from trainsh_host.old_types import INSTANCE_KEY, PROVIDERS, TUNNEL_TYPE
from trainsh_host.store import hosts_file
from trainsh_host.store.hosts_file import Raw
from trainsh_host.ways.resolve import resolve

# key of hosts.toml -> name of the same setting as a parameter of `add`
_NAMES = {
    "hostname": "host", "username": "user", "ssh_key_path": "key", "auth_method": "auth", "jump_host": "jump",
    "ssh_options": "options", "is_favorite": "favorite",
}  # fmt: skip


def rows(tags: list[str]) -> list[Listed]:
    """Every host that has all of `tags`. Favourites come first, then the other hosts in the order of the file."""
    found = [_row(raw) for raw in hosts_file.load_raw()]
    return sorted((row for row in found if set(tags) <= set(row.tags)), key=lambda row: not row.favorite)


def _row(raw: Raw) -> Listed:
    name = str(raw.get("name", "?"))
    try:
        host = hosts_file.as_host(raw)
    except TrainError as error:
        return Listed(name=name, type=str(raw.get("type", "ssh")), problem=error.message, code=error.code)
    return Listed(
        name=name, type=_type(host.type), address=host.address, jump=host.jump_host, tags=host.tags,
        favorite=host.is_favorite, notes=host.notes,
    )  # fmt: skip


def show(name: str) -> Shown:
    """A host of hosts.toml with all its keys. For a spec or an alias: the host to which it resolves."""
    raw = hosts_file.find_raw(name)
    problem, argv, kind = "", [], "local"
    try:
        target = resolve(name)
        argv, kind = target.argv, target.kind
    except TrainError as error:
        if raw is None:
            raise
        problem = error.message
    if raw is None:
        return Shown(name=name, type=kind, ssh=argv)
    return Shown(**_as_added(raw), ssh=argv, file=str(hosts_file.hosts_path()), problem=problem)


def _type(kind: str) -> str:
    """The text that `list` shows for a type of hosts.toml."""
    return PROVIDERS.get(kind, kind)


def _as_added(raw: Raw) -> Raw:
    """The table of a host, with the keys named as the parameters of `add`, and without the id.

    In the result, a tunnel and a provider each have a key of their own.
    """
    table = {_NAMES.get(key, key): value for key, value in raw.items() if key not in ("id", "env_vars")}
    extra = raw.get("env_vars")
    if tunnel := extra.get("tunnel_type") if isinstance(extra, dict) else None:
        table["tunnel"] = tunnel
    kind = str(raw.get("type", "ssh"))
    provider = PROVIDERS.get(kind, "")
    if provider and raw.get(INSTANCE_KEY):
        table["ref"] = f"{provider}:{table.pop(INSTANCE_KEY)}"
    table["type"] = "provider" if provider else "tunnel" if kind == TUNNEL_TYPE else kind
    known = {field for field in Shown.__struct_fields__ if field not in ("more", "ssh", "file", "problem")}
    more = {key: value for key, value in table.items() if key not in known}
    return {key: value for key, value in table.items() if key in known} | {"more": more}
