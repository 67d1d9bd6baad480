"""The passphrase of the encrypted file. It is in TRAINSH_PASSPHRASE, or a person types it on the terminal."""

import os
import sys

from trainsh_base.errors import CredentialError, UsageError
from trainsh_base.request import current
from trainsh_secrets.names import PASSPHRASE

HINT = f"set {PASSPHRASE}, or run it on a terminal"


def existing(path: str, again: str = "") -> str:
    """Return the passphrase that opens `path`.

    `again` tells the person why the passphrase is asked for another time. Raises CredentialError if not
    interactive.
    """
    locked = f"{path} is locked, and there is no terminal to ask for its passphrase"
    return os.environ.get(PASSPHRASE) or _ask(f"{again}Passphrase of {path}, which holds your secrets", locked)


def new(path: str, why: str) -> str:
    """Ask for a new passphrase twice, and return it. `why` explains to the person why a passphrase is needed."""
    given = os.environ.get(PASSPHRASE)
    if given:
        return given
    needed = f"the new file {path} needs a passphrase, and there is no terminal to ask for one"
    first = _ask(f"{why}\nNew passphrase for {path}", needed)
    if not first.strip():
        raise UsageError("an empty passphrase protects nothing; nothing was stored", code="bad_passphrase")
    if _ask("Repeat the passphrase", needed) != first:
        raise UsageError("the two passphrases differ; nothing was stored", code="bad_passphrase")
    return first


def wrong(path: str) -> CredentialError:
    """Return the error for a passphrase that does not open `path`."""
    said = f"{PASSPHRASE} is not the passphrase of {path}" if fixed() else f"wrong passphrase for {path}"
    return CredentialError(said, "nothing was changed; try again with the right one", code="wrong_passphrase")


def fixed() -> bool:
    """Whether the passphrase is in TRAINSH_PASSPHRASE, so that asking again would be useless."""
    return bool(os.environ.get(PASSPHRASE))


def _ask(question: str, otherwise: str) -> str:
    try:
        return current().ask("secret", question, flag=PASSPHRASE)
    except UsageError as error:
        if error.code != "cannot_ask":
            raise
        if current().for_people and sys.stderr.isatty() and _in_front():
            return _on_terminal(question, otherwise)
        raise CredentialError(otherwise, HINT, code="locked") from None


def _on_terminal(question: str, otherwise: str) -> str:
    """Ask on /dev/tty, as ssh does. Standard input may be a pipe through which the secret itself comes."""
    from getpass import getpass  # noqa: PLC0415 - only if standard input is a pipe

    try:
        return getpass(f"{question}: ")
    except EOFError:
        raise CredentialError(otherwise, HINT, code="locked") from None


def _in_front() -> bool:
    """Whether this process may read from its controlling terminal."""
    try:
        handle = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(handle) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(handle)
