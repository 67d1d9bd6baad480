"""The names of secrets: those that train itself uses, and the syntax of a valid name."""

import re

from trainsh_base.errors import UsageError
from trainsh_base.system.printable import visible

KNOWN = {
    "VAST_API_KEY": "Vast.ai",
    "HF_TOKEN": "Hugging Face",
    "R2_ACCESS_KEY": "Cloudflare R2",
    "R2_SECRET_KEY": "Cloudflare R2",
    "B2_KEY_ID": "Backblaze B2",
    "B2_APPLICATION_KEY": "Backblaze B2",
    "AWS_ACCESS_KEY_ID": "Amazon S3",
    "AWS_SECRET_ACCESS_KEY": "Amazon S3",
    "GOOGLE_DRIVE_CREDENTIALS": "Google Drive",
    "GITHUB_TOKEN": "GitHub",
    "OPENAI_API_KEY": "OpenAI",
    "ANTHROPIC_API_KEY": "Anthropic",
}
PASSPHRASE = "TRAINSH_PASSPHRASE"

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def check(name: str) -> str:
    """Return `name` if it is valid: it has only letters, digits and `_.-`, and does not begin with a dash.

    Otherwise raise UsageError.
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
