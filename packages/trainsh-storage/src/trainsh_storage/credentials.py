"""Handles the credentials of storages: finds the names of their secrets, and reads and stores them with
train-secrets.
"""

import re

from trainsh_base.errors import CredentialError, NotFound
from trainsh_base.request import Request
from trainsh_base.system.proc import run
from trainsh_base.tool.peer import SECRET_LIMIT, call, find
from trainsh_storage.kinds import KINDS, Need
from trainsh_storage.model import Credential, Storage


def needs(storage: Storage) -> tuple[Need, ...]:
    """The credentials that a storage's kind needs. A remote of the user's own rclone configuration needs none."""
    return () if storage.config.get("remote_name") else KINDS[storage.kind].needs


def own_name(storage: Storage, need: Need) -> str:
    """The name of the secret that belongs only to this storage, such as `MY_BUCKET_ACCESS_KEY`.

    For a storage without a name, it is the name of the secret for all storages of the same kind.
    """
    prefix = re.sub(r"[^A-Za-z0-9]", "_", storage.name).upper()
    return f"{prefix}_{need.suffix}" if prefix else need.known


def names(storage: Storage, need: Need) -> list[str]:
    """The names of the secrets that may hold a credential. The first of these secrets that is set is used."""
    return list(dict.fromkeys([own_name(storage, need), need.known]))


def look(storage: Storage, need: Need) -> str | None:
    """The value of a credential, or None if no secret with one of its names is set.

    Raises CredentialError if the store of secrets is locked.
    """
    for name in names(storage, need):
        try:
            return str(call("secrets", "get", {"name": name}, timeout=SECRET_LIMIT)["value"])
        except NotFound:
            continue
    return None


def value(storage: Storage, need: Need) -> str | None:
    """The value of a credential. None if the credential is optional and missing.

    If the credential is required and missing, raise CredentialError with the command that stores it.
    """
    found = look(storage, need)
    if found is None and need.required:
        wanted = names(storage, need)
        label = storage.name or storage.kind
        raise CredentialError(
            f"{label} needs the secret {' or '.join(wanted)}", f"train secrets set {wanted[0]}",
            code="no_credential", data={"secrets": wanted},
        )  # fmt: skip
    return found


def listed(storage: Storage) -> list[Credential]:
    """The name of each credential, and whether it is set. An optional credential that is not set is left out."""
    known = {row["name"]: bool(row["set"]) for row in call("secrets", "list", timeout=SECRET_LIMIT)}
    rows = []
    for need in needs(storage):
        wanted = names(storage, need)
        there = next((name for name in wanted if known.get(name)), None)
        if there or need.required:
            rows.append(Credential(name=there or wanted[0], set=there is not None))
    asked = _one_of(storage)
    return rows or ([Credential(name=own_name(storage, asked), set=False)] if asked else [])


def _one_of(storage: Storage) -> Need | None:
    """The credential to ask for if one of several credentials is enough for the storage's kind.

    None for any other kind.
    """
    found = needs(storage)
    return next((need for need in found if need.asked), None) if not any(need.required for need in found) else None


def ask(storage: Storage, request: Request) -> dict[str, str]:
    """Ask for each required credential that is not set. Return the answers by the names of their secrets."""
    answers = {}
    wanted = [need for need in needs(storage) if need.required]
    one_of = _one_of(storage)
    if one_of and all(look(storage, need) is None for need in needs(storage)):
        wanted.append(one_of)
    for need in wanted:
        if look(storage, need) is None:
            name = own_name(storage, need)
            answer = request.ask(
                "secret", f"{name}{need.asked} (input is hidden; empty: later)", default="", flag=""
            )
            if answer:
                answers[name] = answer
    return answers


def store(name: str, secret: str) -> None:
    """Store a value with train-secrets, which reads it from standard input."""
    run([find("secrets"), "set", name], input=secret.encode() + b"\n", timeout=SECRET_LIMIT)


def delete_own(storage: Storage) -> list[str]:
    """Delete the secrets that belong only to this storage. Return their names."""
    deleted = []
    for need in needs(storage):
        name = own_name(storage, need)
        if name != need.known:
            try:
                call("secrets", "delete", {"name": name, "yes": True}, timeout=SECRET_LIMIT)
            except NotFound:
                continue
            deleted.append(name)
    return deleted
