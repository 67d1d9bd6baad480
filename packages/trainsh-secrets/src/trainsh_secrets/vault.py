"""Stores secrets in an encrypted file in the age format, for machines without a keyring.

There are two files. `secrets.age.key` is an age identity, encrypted with the passphrase by scrypt, which takes
about a second by design. `secrets.age` is a JSON object, encrypted to that identity. So a change need not run
scrypt while it holds the lock. Without train, `age -d -i secrets.age.key secrets.age` opens the file.
"""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from trainsh_base.errors import CredentialError
from trainsh_base.system.configuration.config import config_value
from trainsh_base.system.files import locked, write_atomic
from trainsh_base.system.paths import config_home
from trainsh_secrets import agent, locked_key, passphrase, ring
from trainsh_secrets.locked_key import KEPT

SOURCE = "file"
ATTEMPTS = 3

Values = dict[str, str]
_unlocked: dict[bytes, Any] = {}
_guard = threading.Lock()


def place() -> Path:
    """Return the path of the encrypted file: the setting `secrets.file`, else `secrets.age` beside config.toml."""
    own = config_value("secrets.file")
    return Path(own).expanduser().absolute() if own else config_home() / "secrets.age"


def key_place(path: Path) -> Path:
    """Return the path of the encrypted identity that opens the file `path`."""
    return path.with_name(path.name + ".key")


def get(name: str) -> str | None:
    """Return the value of `name`, or None if the file does not have it.

    If there is no file, return None without asking for a passphrase.
    """
    return values().get(name)


def values() -> Values:
    """Return all values in the file.

    Raises CredentialError if the passphrase is wrong, if the file is damaged, or if nobody can type the passphrase.
    """
    path = place()
    if not path.exists():
        return {}
    return _open(path, _unlock(path))


def put(new: Values) -> None:
    """Store all of `new`, or nothing. If there is no file yet, ask for a new passphrase first."""
    _change(lambda held: held.update(new))


def delete(name: str) -> bool:
    """Delete `name`. Return False if the file does not have it."""
    if get(name) is None:
        return False
    _change(lambda held: held.pop(name, None))
    return True


def _change(edit: Callable[[Values], object]) -> None:
    path = place()
    identity = _unlock(path) if key_place(path).exists() or path.exists() else _create(path)
    with locked(path):
        held = _open(path, identity) if path.exists() else {}
        edit(held)
        import pyrage  # type: ignore[import-untyped]

        text = msgspec.json.format(msgspec.json.encode(dict(sorted(held.items()))), indent=2)
        write_atomic(path, pyrage.encrypt(text, [identity.to_public()]))


def _create(path: Path) -> Any:
    import pyrage

    found = "" if ring.usable() else "No keyring was found on this machine. "
    why = f"{found}Your secrets are stored in {path}, encrypted with a passphrase that you choose now."
    word = passphrase.new(str(path), why)
    identity = pyrage.x25519.Identity.generate()
    data = locked_key.lock(identity, word)
    with locked(path):
        if not key_place(path).exists():
            write_atomic(key_place(path), data)
            _unlocked[data] = identity
            if not passphrase.fixed():
                agent.keep(data, str(identity))
            return identity
    return _unlock(path)  # another process has just created the key, so use that key


def _unlock(path: Path) -> Any:
    """Return the identity that opens the file. It comes from the agent, or it is decrypted with the passphrase.

    The identity is kept until this process ends, so that a `serve` asks for the passphrase only once.
    """
    key = key_place(path)
    with _guard:
        try:
            data = key.read_bytes()
        except FileNotFoundError:
            raise CredentialError(
                f"{path} cannot be opened: its key {key} is missing", KEPT, code="damaged"
            ) from None
        except OSError as error:
            raise CredentialError(f"cannot read {key}: {error.strerror}", code="damaged") from None
        if data not in _unlocked:
            _unlocked[data] = _ask_and_unlock(path, data)
        return _unlocked[data]


def _ask_and_unlock(path: Path, data: bytes) -> Any:
    if not passphrase.fixed() and (kept := agent.kept(data)):
        return locked_key.identity(kept)
    attempts = 1 if passphrase.fixed() else ATTEMPTS
    for attempt in range(attempts):
        word = passphrase.existing(str(path), "" if attempt == 0 else "That passphrase is wrong. ")
        identity = locked_key.unlock(key_place(path), data, word)
        if identity is not None:
            if not passphrase.fixed():
                agent.keep(data, str(identity))
            return identity
    raise passphrase.wrong(str(path))


def _open(path: Path, identity: Any) -> Values:
    import pyrage

    try:
        return msgspec.json.decode(pyrage.decrypt(path.read_bytes(), [identity]), type=Values)
    except pyrage.DecryptError as error:
        raise CredentialError(
            f"{path} is damaged, or locked with another key: {error}", KEPT, code="damaged"
        ) from None
    except msgspec.DecodeError:  # the error's text may contain a secret, so it is not shown
        raise CredentialError(f"{path} does not hold a JSON object of texts", KEPT, code="damaged") from None
    except OSError as error:
        raise CredentialError(f"cannot read {path}: {error.strerror}", code="damaged") from None
