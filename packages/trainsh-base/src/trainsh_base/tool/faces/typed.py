"""The command as the user typed it, which may differ from the program that runs.

For example, `train transfer` runs `train-xfer copy`. The dispatcher sets the variable TRAINSH_TYPED to the words
that the user typed. For a shortcut such as `transfer`, it also sets TRAINSH_SHORTCUT to the command that the
shortcut runs, here `copy`.
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
