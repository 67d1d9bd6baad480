"""The configured machines as they are listed and shown."""

from trainsh_base.errors import TrainError
from trainsh_host.model import Listed, Shown
from trainsh_host.store import hosts_file
from trainsh_host.store.hosts_file import Raw
from trainsh_host.ways.resolve import resolve

PROVIDERS = {"vastai": "vast"}


def rows(tags: list[str]) -> list[Listed]:
    """Every host with all of `tags`; favourites first, else in the order of the file."""
    found = [_row(raw) for raw in hosts_file.load_raw()]
    return sorted((row for row in found if set(tags) <= set(row.tags)), key=lambda row: not row.favorite)


def _row(raw: Raw) -> Listed:
    name = str(raw.get("name", "?"))
    try:
        host = hosts_file.as_host(raw)
    except TrainError as error:
        return Listed(name=name, type=str(raw.get("type", "ssh")), problem=error.message, code=error.code)
    address = host.address
    if host.type == "vastai" and host.vast_instance_id:
        address = f"vast:{host.vast_instance_id}"
    return Listed(
        name=name, type=PROVIDERS.get(host.type, host.type), address=address, jump=host.jump_host, tags=host.tags,
        favorite=host.is_favorite, notes=host.notes,
    )  # fmt: skip


def show(name: str) -> Shown:
    """A host of hosts.toml in full, or what a spec or alias comes to."""
    raw = hosts_file.find_raw(name)
    problem, argv, kind = "", [], "local"
    try:
        target = resolve(name)
        argv, kind = target.argv, target.kind
    except TrainError as error:
        if raw is None:
            raise
        problem = error.message
    file = str(hosts_file.hosts_path()) if raw is not None else ""
    type_ = str(raw.get("type", "ssh")) if raw is not None else kind
    return Shown(
        name=name,
        type=PROVIDERS.get(type_, type_),
        file=file,
        fields=raw or {"name": name},
        ssh=argv,
        problem=problem,
    )
