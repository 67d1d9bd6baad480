"""What an exit status means, in words."""

import signal

from trainsh_tmux.model import State


def describe(status: int) -> str:
    """`exit 1`, `killed by SIGKILL`: a shell reports a child that a signal ended as 128 plus its number."""
    if 128 < status < 128 + 65:
        try:
            return f"killed by {signal.Signals(status - 128).name}"
        except ValueError:
            return f"exit {status}"
    return f"exit {status}"


def judge(status: int | None, why: str, limit: str) -> tuple[State, str]:
    """The state of a step that is over, and the reason for people; `why` is what its host noted beside it."""
    if why == "timeout":
        return "timeout", f"timed out after {limit}"
    if why == "stuck":
        return "timeout", f"timed out after {limit}, heeded no signal, and its session was closed"
    if why == "never":
        if not limit:
            return "never", "it was taken back before it began"
        return "timeout", f"it did not begin within {limit}: another step held the session"
    if why == "hung-up":
        return "lost", "its session was closed while it ran"
    if status is None:
        return "lost", "the session is gone, and nobody knows how the step ended"
    end = " and the session ended with it" if why == "ended" else ""
    return ("ok" if status == 0 else "failed"), describe(status) + end
