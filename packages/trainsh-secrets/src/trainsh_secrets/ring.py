"""Stores secrets in the system keyring.

As in tmux-trainsh 0.9, an entry has the service `tmux-trainsh`, and its user name is the secret's name."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from trainsh_base.errors import CredentialError
from trainsh_base.system.files import locked, write_atomic
from trainsh_base.system.paths import config_home

SERVICE = "tmux-trainsh"
SOURCE = "keyring"


def get(name: str) -> str | None:
    """Return the value of `name`. Return None if the keyring does not have it, or if there is no keyring.

    Raises CredentialError if the keyring is locked.
    """
    backend = _backend()
    if backend is None:
        return None
    with _explained():
        value = backend.get_password(SERVICE, name)
    return value or None


def usable() -> bool:
    """Whether this machine has a keyring. It may be locked."""
    return _backend() is not None


def put(values: dict[str, str]) -> None:
    """Store `values`. Then read each value again, and raise an error if the keyring has not kept it."""
    backend = _backend()
    if backend is None:
        raise CredentialError("this machine has no keyring", "use --to file", code="no_keyring")
    for name, value in values.items():
        with _explained(", or use --to file"):
            backend.set_password(SERVICE, name, value)
            kept = backend.get_password(SERVICE, name)
        if kept != value:
            raise CredentialError(
                f"the keyring ({type(backend).__module__}) did not keep {name}", "use --to file", code="not_kept"
            )
        _remember(name)


def delete(name: str) -> bool:
    """Delete `name`. Return False if the keyring does not have it."""
    backend = _backend()
    if backend is None or get(name) is None:
        return False
    with _explained():
        backend.delete_password(SERVICE, name)
    return True


def names() -> set[str]:
    """Return the names that may be in the keyring: those that it lists, and those stored from this machine."""
    backend = _backend()
    found = _remembered()
    if backend is not None and hasattr(backend, "get_preferred_collection"):
        with _explained():
            items = backend.get_preferred_collection().search_items({"service": SERVICE})
            found |= {item.get_attributes().get("username", "") for item in items}
    return found - {""}


def _backend() -> Any:
    import keyring
    from keyring.backends import fail, null

    backend = keyring.get_keyring()
    return None if isinstance(backend, (fail.Keyring, null.Keyring)) else backend


@contextlib.contextmanager
def _explained(otherwise: str = "") -> Iterator[None]:
    """Turn an exception of a keyring library in this block into a CredentialError.

    `otherwise` is added to the hint of the error.
    """
    from keyring.errors import InitError, KeyringLocked

    try:
        yield
    except CredentialError:
        raise
    except (KeyringLocked, InitError) as error:
        raise CredentialError(
            f"the keyring is locked: {_said(error)}",
            f"unlock it (log in to the desktop, or run gnome-keyring-daemon --unlock){otherwise}",
            code="keyring_locked",
        ) from None
    except Exception as error:  # backends raise exceptions of D-Bus or of a system library
        raise CredentialError(f"the keyring failed: {_said(error)}", code="keyring_failed") from None


def _said(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0].rstrip(".")


def _index() -> Path:
    return config_home() / "keyring.names"


def _remembered() -> set[str]:
    try:
        return set(_index().read_text().split())
    except FileNotFoundError:
        return set()


def _remember(name: str) -> None:
    """Save `name` in a file, because most keyrings cannot list their names. The file never contains a value."""
    if name in _remembered():
        return
    with locked(_index()):
        write_atomic(_index(), "".join(f"{known}\n" for known in sorted(_remembered() | {name})))
