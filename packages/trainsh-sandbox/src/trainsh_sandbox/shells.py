"""Writes the lines of `train sandbox env` in the language of the shell that reads them."""

import os
import shlex
from pathlib import Path

from trainsh_sandbox.model import Environment


def caller() -> str:
    """Return `fish` if fish started this process. Otherwise return `bash`: every POSIX shell can read its lines."""
    try:
        parent = Path(f"/proc/{os.getppid()}/comm").read_text().strip()
    except OSError:  # a system without /proc
        parent = Path(os.environ.get("SHELL", "")).name
    return "fish" if parent == "fish" else "bash"


def command(option: str = "") -> str:
    """Return the command `train sandbox env`, with `option`, in the language of the shell that started this
    process.
    """
    words = f"train sandbox env {option}".rstrip()
    return f"{words} | source" if caller() == "fish" else f'eval "$({words})"'


def lines(found: Environment) -> list[str]:
    """Return the lines that set the variables of `found`.

    If `found` has names in `unset`, return lines that remove these.
    """
    fish = found.shell == "fish"
    setting = "set -gx {} {}" if fish else "export {}={}"
    lines = [setting.format(name, _quoted(value, fish=fish)) for name, value in found.env.items()]
    if found.unset:
        lines.append(f"{'set -e' if fish else 'unset'} {' '.join(found.unset)}")
    return lines


def _quoted(value: str, *, fish: bool) -> str:
    """Quote one word. In fish, unlike in other shells, a backslash is special inside single quotes."""
    return shlex.quote(value.replace("\\", "\\\\")) if fish else shlex.quote(value)
