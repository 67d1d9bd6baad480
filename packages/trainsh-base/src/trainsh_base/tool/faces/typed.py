"""The command as the user typed it: `train transfer` for train-xfer copy, `train host` for train-host.

The dispatcher passes it in TRAINSH_TYPED. For a shortcut, TRAINSH_SHORTCUT is the command that the shortcut runs.
"""

import os

_typed = os.environ.pop("TRAINSH_TYPED", "")
_command = os.environ.pop("TRAINSH_SHORTCUT", "")


def tool_words(program: str) -> str:
    """Return the tool's name for usage lines and messages: `train host`, or `train-host` when that was typed."""
    if _typed and _command:
        return program.replace("-", " ", 1)
    return _typed or program


def command_words(program: str, command: str) -> str:
    """Return a command's name for usage lines: `train transfer` when that was typed, not `train xfer copy`."""
    return _typed if _command and command == _command else f"{tool_words(program)} {command}"
