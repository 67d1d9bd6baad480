"""Removes a connection from this machine."""

from trainsh_base.errors import Cancelled, NotFound, TrainError
from trainsh_base.request import Request
from trainsh_base.system.suggest import did_you_mean
from trainsh_colab.connections import hosts, old_file, secrets
from trainsh_colab.holds import changed_holds
from trainsh_colab.model import Connection


def remove(name: str, yes: bool, request: Request) -> Connection:
    """Remove a connection from hosts.toml, and the password that `connect` stored. Returns the connection."""
    old_file.move()
    known = {one.name: one for one in hosts.every()}
    if name not in known:
        raise NotFound(
            f"there is no Colab connection {name!r}", did_you_mean(name, known, "see: train colab list"),
            code="no_instance",
        )  # fmt: skip
    if not yes and request.ask("confirm", f"Forget {name}?", default="no", flag="--yes") != "yes":
        raise Cancelled(f"{name} was not removed")
    secret = hosts.secret_of(name)
    hosts.remove(name)
    with changed_holds() as held:
        held.pop(name, None)
    if secret == secrets.secret_name(name):
        try:
            secrets.delete(secret)
        except TrainError as error:
            request.emit("log", message=f"its password {secret} was not deleted: {error.message}")
    return known[name]
