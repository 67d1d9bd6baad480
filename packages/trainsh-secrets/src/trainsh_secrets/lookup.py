"""Looks for a secret in the environment, then in the keyring, with the helper, and in the encrypted file."""

import os
from collections.abc import Callable

from trainsh_base.errors import Conflict, CredentialError, NotFound, TrainError
from trainsh_base.request import current, serve_in_this_thread
from trainsh_base.system.secret import from_environment
from trainsh_base.system.suggest import nearest
from trainsh_secrets import ring, secret_command, vault
from trainsh_secrets.model import Changed, Found, Listed
from trainsh_secrets.names import check, is_variable, known

ENVIRONMENT = "environment"
AT_ONCE = 8


STORES: dict[str, Callable[[str], str | None]] = {
    ENVIRONMENT: from_environment,
    ring.SOURCE: ring.get,
    secret_command.SOURCE: secret_command.get,
    vault.SOURCE: vault.get,
}


def find(name: str) -> Found:
    """Return the secret from the first source that has it.

    Raises NotFound if no source has the secret. Raises CredentialError if a locked store may have it.
    """
    check(name)
    locked: list[CredentialError] = []
    refused = ""
    for source, get in STORES.items():
        try:
            value = get(name)
        except CredentialError as error:
            locked.append(error)
            continue
        except secret_command.Refused as error:
            refused = str(error)
            continue
        if value is not None:
            for shut in locked:
                current().emit("log", message=f"note: {shut.message}; {name} is read from the {source} instead")
            return Found(name=name, value=value, source=source)
    if locked:
        raise locked[0]
    raise nowhere(name, refused)


def nowhere(name: str, refused: str = "") -> NotFound:
    """Return the error for a secret that no store has.

    `refused` is the error message of the helper, if it failed.
    """
    names = known()
    near = None if name in names else nearest(name, names)
    hint = f"store it with: train secrets set {name}" + (f", or did you mean {near}?" if near else "")
    reason = f" ({refused})" if refused else ""
    return NotFound(f"there is no secret {name}{reason}", hint, code="no_secret", data={"name": name})


def target(to: str | None) -> str:
    """Return the store for a new value: `to` if it is given, else the keyring.

    Without a keyring, it is the file.
    """
    return to or (ring.SOURCE if ring.usable() else vault.SOURCE)


def store(values: dict[str, str], to: str | None) -> list[Changed]:
    """Store `values`.

    If a source that is read before this store has another value for a name, warn that it hides the new value.
    """
    source = target(to)
    (ring.put if source == ring.SOURCE else vault.put)(values)
    for name in values:
        _warn_when_hidden(name, source)
    return [Changed(name=name, source=source) for name in values]


def _warn_when_hidden(name: str, source: str) -> None:
    hiding = ENVIRONMENT if os.environ.get(name) else ""
    if not hiding and source == vault.SOURCE:
        try:
            hiding = ring.SOURCE if ring.get(name) else ""
        except CredentialError:
            return
    if hiding:
        current().emit("log", message=f"note: {name} in the {hiding} is used before the one stored now")


def delete(name: str) -> list[Changed]:
    """Delete `name` from every store.

    Raises NotFound if no store has it. Raises Conflict if only the environment has it, because we cannot change
    that.
    """
    check(name)
    gone = [
        Changed(name=name, source=source)
        for source, remove in ((ring.SOURCE, ring.delete), (vault.SOURCE, vault.delete))
        if remove(name)
    ]
    if not gone:
        raise _not_stored(name)
    return gone


def must_be_stored(name: str) -> None:
    """Raise the error of `delete` if no store has `name`, before anybody is asked about it."""
    if not stored_in(name):
        raise _not_stored(name)


def _not_stored(name: str) -> TrainError:
    if os.environ.get(name):
        return Conflict(
            f"{name} is set in the environment, and not stored anywhere", f"unset {name}", code="not_ours"
        )
    return nowhere(name)


def stored_in(name: str) -> list[str]:
    """Return which stores have `name` now.

    Only the keyring and the encrypted file count, because we can change these two.
    """
    return [source for source, get in ((ring.SOURCE, ring.get), (vault.SOURCE, vault.get)) if get(name) is not None]


def every() -> list[Listed]:
    """List the names that installed tools use, and the user's own names.

    Each row tells whether the secret is set, and where. To find this out, the values are read, but not kept.
    """
    used = known()
    sources: dict[str, str] = {}
    shut = [*_in_keyring(sources, set(used)), *_in_file(sources)]
    names = [*used, *sorted(set(sources) - set(used))]
    sources |= _by_helper([name for name in names if sources.get(name) in (None, vault.SOURCE)])
    sources |= {name: ENVIRONMENT for name in names if is_variable(name) and os.environ.get(name)}
    for error in shut:
        current().emit("log", message=f"note: {error.message}; {error.hint}")
    return [
        Listed(
            name=name,
            set=True if name in sources else None if shut else False,
            source=sources.get(name),
            known=name in used,
            help=used.get(name, ""),
        )
        for name in names
    ]


def _in_keyring(sources: dict[str, str], used: set[str]) -> list[CredentialError]:
    try:
        for name in ring.names() | used:
            if ring.get(name) is not None:
                sources[name] = ring.SOURCE
    except CredentialError as error:
        return [error]
    return []


def _in_file(sources: dict[str, str]) -> list[CredentialError]:
    try:
        for name in vault.values():
            sources.setdefault(name, vault.SOURCE)
    except CredentialError as error:
        return [error]
    return []


def _by_helper(names: list[str]) -> dict[str, str]:
    if not names or not secret_command.argv(names[0]):
        return {}
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - only with a helper

    request = current()
    with ThreadPoolExecutor(AT_ONCE, initializer=serve_in_this_thread, initargs=(request,)) as pool:
        answers = dict(zip(names, pool.map(_helper_has, names), strict=True))
    return {name: secret_command.SOURCE for name, has in answers.items() if has}


def _helper_has(name: str) -> bool:
    try:
        return secret_command.get(name) is not None
    except secret_command.Refused:
        return False
