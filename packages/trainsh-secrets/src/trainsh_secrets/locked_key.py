"""Reads and writes an age identity that is encrypted with a passphrase, in the format of `age -p`."""

import re
import time
from pathlib import Path
from typing import Any

from trainsh_base.errors import CredentialError, TrainError

KEPT = "nothing was changed; restore it from a backup"
PORTABLE_WORK = 20  # the highest log2 of scrypt's N that is written; the age program refuses files above 22
ATTEMPTS = 20
PAUSE = 0.25


def lock(key: Any, word: str) -> bytes:
    """Return the bytes of a key file for the identity `key`, encrypted with the passphrase `word`.

    The library measures one short run, and chooses a scrypt cost that should take about a second. If that run was
    unusually fast, the cost is too high for other machines. Then the file is created again.
    """
    import pyrage  # type: ignore[import-untyped]

    for _ in range(ATTEMPTS):
        data: bytes = pyrage.passphrase.encrypt(f"{key}\n".encode(), word)
        if work(data) <= PORTABLE_WORK:
            return data
    raise TrainError("this machine's clock gives no usable times, so scrypt cannot be tuned", code="no_clock")


def identity(text: str) -> Any:
    """Return the identity that the agent stores as `text`."""
    import pyrage

    return pyrage.x25519.Identity.from_str(text)


def work(data: bytes) -> int:
    """Return log2 of scrypt's cost N, from the header of a key file. Return 0 if the file has no such header."""
    found = re.match(rb"age-encryption\.org/v1\n-> scrypt \S+ (\d+)\n", data)
    return int(found[1]) if found else 0


def unlock(key: Path, data: bytes, word: str) -> Any:
    """Return the identity in the key file `key`. `data` is the content of this file.

    Returns None if the passphrase `word` is wrong. Damage that age reports in the same way has the same result.
    Raises CredentialError if the file has other damage, or if this machine is far too slow to decrypt it.
    """
    import pyrage

    try:
        return pyrage.x25519.Identity.from_str(_decrypt(key, data, word).decode().strip())
    except pyrage.DecryptError as error:
        if str(error) == "Decryption failed":
            return None
        raise CredentialError(f"{key} is damaged: {error}", KEPT, code="damaged") from None
    except (pyrage.IdentityError, UnicodeDecodeError) as error:
        raise CredentialError(f"{key} holds no age identity: {error}", KEPT, code="damaged") from None


def _decrypt(key: Path, data: bytes, word: str) -> bytes:
    """Decrypt the content `data` of the key file `key` with the passphrase `word`.

    The library refuses a file if, by its estimate, decrypting takes more than 16 seconds. On a busy machine the
    estimate may be wrong, so this function tries again.
    """
    import pyrage

    for _ in range(ATTEMPTS):
        try:
            opened: bytes = pyrage.passphrase.decrypt(data, word)
            return opened
        except pyrage.DecryptError as error:
            if not str(error).startswith("Excessive work"):
                raise
            time.sleep(PAUSE)
    raise CredentialError(
        f"the scrypt work factor of {key} is too high for this machine: 2^{work(data)}",
        "try again when the machine is less busy", code="too_slow",
    )  # fmt: skip
