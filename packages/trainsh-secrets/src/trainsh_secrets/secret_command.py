"""Runs the command in the setting `secrets.helper`, which prints a secret.

It may be pass, 1Password, Bitwarden or a script.
"""

import os
import shlex

from trainsh_base.errors import UsageError
from trainsh_base.system.configuration.config import config_value
from trainsh_base.system.proc import run
from trainsh_secrets.names import PASSPHRASE, known

SOURCE = "helper"
TIMEOUT = 120.0


class Refused(Exception):
    """The helper exited with a status other than 0. The text of this exception is the helper's error message."""


def get(name: str) -> str | None:
    """Return what the helper prints for `name`, without the final newline.

    Returns None if there is no helper, or if it prints nothing. Raises Refused if the helper fails, MissingProgram
    if it is not installed, and TimedOut after two minutes.
    """
    words = argv(name)
    if not words:
        return None
    done = run(words, env=environment(), timeout=TIMEOUT, check=False)
    if done.status != 0:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise Refused(f"{words[0]} ended with status {done.status}{': ' + said[-1] if said else ''}")
    try:
        return done.stdout.decode().removesuffix("\n").removesuffix("\r") or None
    except UnicodeDecodeError:
        raise UsageError(f"{words[0]} printed bytes that are not text for {name}", code="bad_helper") from None


def argv(name: str) -> list[str]:
    """Return the argv that runs the helper for the secret `name`. It is empty if there is no helper.

    The setting is split into words first. Then `{name}` is replaced in each word, so that a name with blanks stays
    one word.
    """
    command = config_value("secrets.helper")
    if not command:
        return []
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise UsageError(
            f"secrets.helper is not a valid command line: {error}: {command}", code="bad_helper"
        ) from None
    if not any("{name}" in word for word in words):
        raise UsageError(
            f"secrets.helper has no place for the secret's name: {command}",
            "train config set secrets.helper 'pass show train/{name}'",
            code="bad_helper",
        )
    words = [word.replace("{name}", name) for word in words]
    return [os.path.expanduser(words[0]), *words[1:]]  # noqa: PTH111 - a word, not a path


def environment() -> dict[str, str]:
    """Return the environment of this process without the secrets in it.

    Child processes do not need these secrets.
    """
    secrets = {*known(), PASSPHRASE}
    return {name: value for name, value in os.environ.items() if name not in secrets}
