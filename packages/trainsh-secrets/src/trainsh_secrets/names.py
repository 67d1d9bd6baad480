"""The names of secrets: those that the installed tools use, and the syntax of a valid name."""

import re

from trainsh_base.errors import UsageError
from trainsh_base.system.configuration import share
from trainsh_base.system.printable import visible

PASSPHRASE = "TRAINSH_PASSPHRASE"

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def known() -> dict[str, str]:
    """Return the secrets that installed tools use, as name -> the service that needs it.

    A tool declares its secrets in the file `share/trainsh/secrets/TOOL`. A line has a name, a tab and the service.
    """
    folders = share.every_folder()
    texts = [
        share.read(folder, "secrets", tool) or "" for folder in folders for tool in share.names(folder, "secrets")
    ]
    rows = [line.partition("\t") for text in texts for line in text.splitlines()]
    return {name: service for name, _, service in rows if _NAME.fullmatch(name) and name != PASSPHRASE}


def check(name: str) -> str:
    """Return `name` if it is valid.

    A valid name has only letters, digits and `_.-`, and does not begin with a dash. Otherwise raise UsageError.
    """
    if _NAME.fullmatch(name) and name != PASSPHRASE:
        return name
    raise UsageError(
        f"a secret cannot be called {visible(name)!r}",
        "use letters, digits and underscores, such as HF_TOKEN",
        code="bad_name",
    )


def is_variable(name: str) -> bool:
    """Whether an environment variable can have this name."""
    return bool(_VARIABLE.fullmatch(name))
