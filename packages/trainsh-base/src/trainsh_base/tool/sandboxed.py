"""Tells whether this shell is set to a sandbox that has ended, and how to leave it.

`train sandbox env` exports `TRAINSH_SANDBOX_PID`, the process of the sandbox. Without it
nothing is done.
"""

import os

from trainsh_base.errors import Unreachable

VARIABLE = "TRAINSH_SANDBOX_PID"


def ended() -> bool:
    """Whether the sandbox to which the environment is set no longer runs."""
    pid, folder = os.environ.get(VARIABLE, ""), os.environ.get("TRAINSH_SANDBOX", "")
    if not pid.isascii() or not pid.isdigit() or not folder:
        return False
    try:
        with open(f"{folder}/running.json", "rb") as file:  # noqa: PTH123 - without pathlib, which is slow to load
            same = f'"pid":{pid},'.encode() in file.read()
        os.kill(int(pid), 0)
    except PermissionError:  # of kill: the process runs, as another user
        return False
    except (OSError, OverflowError):
        return True
    return not same


def gone() -> Unreachable:
    """Return the error of a tool that would have to reach the sandbox."""
    hint = f"to use your own settings again: {command('--unset')}"
    return Unreachable("this shell is set to a sandbox that is not up", hint, code="sandbox_down")


def note() -> str:
    """Return what to tell a person if the sandbox has ended, with the command that leaves it; else ""."""
    if not ended():
        return ""
    error = gone()
    return f"note: {error.message}\n  {error.hint}"


def caller() -> str:
    """Return `fish` if fish started this process. Otherwise return `bash`: every POSIX shell can read its lines."""
    try:
        with open(f"/proc/{os.getppid()}/comm") as file:  # noqa: PTH123 - as above
            parent = file.read().strip()
    except OSError:  # a system without /proc
        parent = os.environ.get("SHELL", "").rpartition("/")[2]
    return "fish" if parent == "fish" else "bash"


def command(option: str = "") -> str:
    """Return the command `train sandbox env`, with `option`, in the language of the shell that started this
    process.
    """
    words = f"train sandbox env {option}".rstrip()
    return f"{words} | source" if caller() == "fish" else f'eval "$({words})"'
