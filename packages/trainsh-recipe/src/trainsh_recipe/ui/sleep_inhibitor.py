"""Keeps the machine from sleeping while a job runs in the foreground, by systemd-inhibit or caffeinate."""

import contextlib
import os
import sys

from trainsh_base.system import spawn


class SleepInhibitor:
    """A child process that keeps the machine awake.

    The child ends with this process, because its stdin is closed then.
    """

    def __init__(self, why: str) -> None:
        self._why = why
        self._child: spawn.Child | None = None

    def start(self) -> None:
        """Start the child process. Does nothing if the machine has no such program."""
        argv = inhibitor_argv(self._why)
        if argv and sys.stdin is not None and os.isatty(2):
            quiet = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
            with contextlib.suppress(OSError):
                self._child = spawn.start(argv, stderr=quiet)
            os.close(quiet)

    def stop(self) -> None:
        """Let the machine sleep again."""
        if self._child is not None:
            self._child.end()


def inhibitor_argv(why: str) -> list[str]:
    """Return the argv of the program, or [] if the machine has no such program."""
    until = ["sh", "-c", "read -r line"]
    if _there("systemd-inhibit") and os.path.isdir("/run/systemd/system"):  # noqa: PTH112 - one stat
        return ["systemd-inhibit", "--what=idle:sleep", "--who=train", f"--why={why}", *until]
    if _there("caffeinate"):
        return ["caffeinate", "-i", *until]
    return []


def _there(program: str) -> bool:
    return any(os.access(f"{folder}/{program}", os.X_OK) for folder in os.get_exec_path())
