"""The hosts of type colab, which train-host reads and writes."""

from typing import Any

from trainsh_base.errors import TrainError
from trainsh_base.remote.target import Target
from trainsh_base.tool.peer import call
from trainsh_colab.model import Connection

LIMIT = 30.0  # seconds for train-host to answer
TYPE = "colab"


def every() -> list[Connection]:
    """Return every connection, in the order of hosts.toml."""
    rows = call("host", "list", {"providers": False}, timeout=LIMIT)
    return [
        Connection(name=str(row["name"]), address=str(row.get("address") or ""))
        for row in rows if row.get("type") == TYPE and not row.get("problem")
    ]  # fmt: skip


def names() -> list[str]:
    """Return the names of all hosts, of any type."""
    return [str(row["name"]) for row in call("host", "list", {"providers": False}, timeout=LIMIT)]


def target(name: str) -> Target:
    """Return the target of a host. A target tells how ssh reaches the host."""
    import msgspec  # noqa: PLC0415 - loaded already by then

    return msgspec.convert(call("host", "resolve", {"name": name}, timeout=LIMIT), Target)


def save(name: str, values: dict[str, Any]) -> None:
    """Add a host of type colab. If a host with this name exists, change it. Raises the errors of train-host."""
    known = {row.name for row in every()}
    if name in known:
        call("host", "edit", {"name": name, **values}, timeout=LIMIT)
    else:
        call("host", "add", {"name": name, **values}, timeout=LIMIT)


def remove(name: str) -> None:
    """Remove the host `name` from hosts.toml."""
    call("host", "remove", {"name": name, "yes": True}, timeout=LIMIT)


def secret_of(name: str) -> str:
    """Return the name under which the host's password is stored, or "" if no password is stored."""
    try:
        shown = call("host", "show", {"name": name}, timeout=LIMIT)
    except TrainError:
        return ""
    return str(shown.get("password_secret") or "")
