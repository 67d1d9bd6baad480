"""Writes the lines of `train sandbox env` in the language of the shell that reads them."""

import shlex

from trainsh_base.tool.sandboxed import caller, command
from trainsh_sandbox.model import Environment

__all__ = ["caller", "command", "lines"]


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
