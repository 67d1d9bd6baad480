"""The command as the user typed it: `train transfer` if train-xfer copy runs, `train host` if train-host runs.

The dispatcher passes what was typed in the variable TRAINSH_TYPED. If a shortcut was typed, the variable
TRAINSH_SHORTCUT has the command that the shortcut runs, such as `copy`.
"""

import os

_typed = os.environ.pop("TRAINSH_TYPED", "")
_command = os.environ.pop("TRAINSH_SHORTCUT", "")


def tool_words(program: str) -> str:
    """Return the tool's name for usage lines and messages: `train host`, or `train-host` if the user typed that."""
    if _typed and _command:
        return program.replace("-", " ", 1)
    return _typed or program


def command_words(program: str, command: str) -> str:
    """Return a command's name for usage lines: `train xfer copy`, or `train transfer` if the user typed that."""
    return _typed if _command and command == _command else f"{tool_words(program)} {command}"
