"""Describes exit statuses in words."""

import signal

from trainsh_tmux.model import State

# These signals stop a process, and do not end it. A shell then goes on with the next command.
STOPS = (signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU)


def describe(status: int) -> str:
    """Return `exit 1`, or for example `killed by SIGKILL` for 137.

    A shell reports a signal as 128 plus its number.
    """
    if 128 < status < 128 + 65:
        try:
            found = signal.Signals(status - 128)
        except ValueError:
            return f"exit {status}"
        return f"stopped by {found.name} (exit {status})" if found in STOPS else f"killed by {found.name}"
    return f"exit {status}"


def judge(status: int | None, why: str, limit: str) -> tuple[State, str]:
    """Return the state of a step that has ended, and a reason for people.

    `why` is the reason that the step's host recorded. `limit` is the timeout in words, or "" for a step without a
    timeout. A step without a status never has the state "ok".
    """
    word, _, rest = why.partition(" ")
    if word == "not-started":
        return "not_started", rest or "the session's shell could not start it"
    if word == "never":
        if not limit:
            return "not_started", "it was cancelled before it began"
        return "not_started", f"another step occupied the session for {limit}"
    if word == "timeout":
        return "timeout", f"timed out after {limit}"
    if word == "stuck":
        return "timeout", f"timed out after {limit}; its signals did not end it, so its session was closed"
    if word == "hung-up":
        return "lost", "its session was closed while it ran"
    if status is None and word == "ended":
        return "session_ended", rest or "its shell ended"
    if status is None:
        return "lost", "its session is gone, and its exit status is unknown"
    if word == "ended":
        return "session_ended", describe(status)
    return ("ok" if status == 0 else "failed"), describe(status)
