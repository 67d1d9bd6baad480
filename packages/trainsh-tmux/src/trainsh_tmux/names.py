"""Names of sessions, jobs and steps, and the folders and tmux servers they stand for."""

import re

from trainsh_base.errors import UsageError

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
LONGEST = 64


def session_name(name: str) -> str:
    """`name`, when it can name a session (tmux itself would change `.` and `:`)."""
    if not _NAME.fullmatch(name) or len(name) > LONGEST:
        raise UsageError(
            f"not a session name: {name!r}", "letters, digits, _ and -, not beginning with a digit", code="bad_name"
        )
    return name


def word(kind: str, text: str) -> str:
    """`text`, when it can name a job or a step."""
    if not _WORD.fullmatch(text) or len(text) > LONGEST:
        raise UsageError(f"not a {kind}: {text!r}", "letters, digits, `.`, `_` and -", code="bad_name")
    return text


def variable(name: str) -> str:
    """`name`, when it can name a variable of a shell."""
    if not _VARIABLE.fullmatch(name):
        raise UsageError(f"not a variable's name: {name!r}", "letters, digits and _", code="bad_name")
    return name


def server(job: str) -> str:
    """The tmux server (`tmux -L`) of a job's sessions; `train` for those made by hand."""
    return f"train-{word('job', job)}" if job else "train"


def folder(job: str, name: str) -> str:
    """The session's folder below the host's `sessions` folder, as shell words make it: `$r` is the root."""
    return f'"$r"/sessions/{server(job)}/{session_name(name)}'
