"""Validates the names of sessions, jobs and steps. Maps these names to folders and tmux servers."""

import re

from trainsh_base.errors import UsageError

_NAME = r"[A-Za-z_][A-Za-z0-9_-]*"
_WORD = r"[A-Za-z0-9][A-Za-z0-9._-]*"
_VARIABLE = r"[A-Za-z_][A-Za-z0-9_]*"
LONGEST = 64


def session_name(name: str) -> str:
    """Return `name` if it is a valid name of a session; else raise UsageError.

    A `.` or `:` is not valid: tmux would replace it.
    """
    if not re.fullmatch(_NAME, name) or len(name) > LONGEST:
        raise UsageError(
            f"not a session name: {name!r}",
            "use letters, digits, _ and -; the first is not a digit",
            code="bad_name",
        )
    return name


def word(kind: str, text: str) -> str:
    """Return `text` if it is a valid name of a job or a step; else raise UsageError."""
    if not re.fullmatch(_WORD, text) or len(text) > LONGEST:
        raise UsageError(f"not a {kind}: {text!r}", "letters, digits, `.`, `_` and -", code="bad_name")
    return text


def variable(name: str) -> str:
    """Return `name` if it is a valid name of a shell variable; else raise UsageError."""
    if not re.fullmatch(_VARIABLE, name):
        raise UsageError(f"not a variable's name: {name!r}", "letters, digits and _", code="bad_name")
    return name


def server(job: str) -> str:
    """Return the name of the tmux server (for `tmux -L`) that has a job's sessions.

    Without a job, the name is `train`.
    """
    return f"train-{word('job', job)}" if job else "train"


def folder(job: str, name: str) -> str:
    """Return the path of the session's folder as a shell word, in which `$r` is train's folder on the host."""
    return f'"$r"/sessions/{server(job)}/{session_name(name)}'
