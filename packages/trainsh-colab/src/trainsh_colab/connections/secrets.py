"""Keeps the passwords of runtimes in the secret store (train-secrets)."""

import re
import secrets

from trainsh_base.errors import TrainError
from trainsh_base.system.proc import run
from trainsh_base.tool.peer import call, find

LIMIT = 60.0


def secret_name(name: str) -> str:
    """Return the name of the secret of a connection, such as `NB_COLAB_PASSWORD` for the connection `nb`."""
    return re.sub(r"[^A-Z0-9_]", "_", name.upper()) + "_COLAB_PASSWORD"


def store(name: str, password: str) -> None:
    """Store a password. It is given to train-secrets on standard input, because other users can see arguments."""
    done = run([find("secrets"), "set", name], input=password.encode(), check=False, timeout=LIMIT)
    if done.status != 0:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise TrainError(
            f"the password {name} was not stored: {said[0].removeprefix('error: ') if said else done.status}",
            f"store it by hand: train secrets set {name}", code="not_stored",
        )  # fmt: skip


def stored_or_new(name: str) -> str:
    """Return the stored password. If there is none, store a new one and return that."""
    try:
        return str(call("secrets", "get", {"name": name}, timeout=LIMIT)["value"])
    except TrainError as error:
        if error.code != "no_secret":
            raise
    password = secrets.token_hex(16)
    store(name, password)
    return password


def delete(name: str) -> None:
    """Delete the password that is stored as `name`."""
    call("secrets", "delete", {"name": name, "yes": True}, timeout=LIMIT)
