"""Typed errors for steps whose command gave no result."""

from typing import Any

import msgspec

from trainsh_base.errors import Conflict, RemoteError, TrainError
from trainsh_tmux.model import Outcome


class NotStarted(Conflict):
    """The command did not begin and will never begin; `data.reason` tells why.

    A caller must not ignore this error.
    """

    default_code = "not_started"


class Lost(RemoteError):
    """The command began, but its exit status cannot be known."""

    default_code = "lost"


class SessionEnded(TrainError):
    """The session's shell ended during the step; `data.status` is the recorded status, or null."""

    default_code = "session_ended"


def not_started(step: str, reason: str, hint: str = "") -> NotStarted:
    """Return the error for a step that did not begin."""
    return NotStarted(
        f"step {step} did not begin: {reason}", hint or "to continue: fix that, then run the step again",
        data={"step": step, "reason": reason},
    )  # fmt: skip


_FAILURES = ("not_started", "never", "lost", "session_ended")


def raise_for(outcome: Outcome) -> Outcome:
    """Return the outcome if the command ended by itself or still runs.

    Otherwise raise the error for the outcome.
    """
    if outcome.state not in _FAILURES:
        return outcome
    data: dict[str, Any] = {**msgspec.to_builtins(outcome), "status": outcome.exit}
    if outcome.state in ("not_started", "never"):
        raise NotStarted(
            f"step {outcome.step} did not begin: {outcome.reason}",
            "to continue: fix that, then run the step again",
            data=data,
        )
    if outcome.state == "lost":
        raise Lost(
            f"step {outcome.step} is lost: {outcome.reason}", "run the step again if that is safe", data=data
        )
    raise SessionEnded(
        f"the session ended in step {outcome.step}: {outcome.reason}", "open it again with tmux.open", data=data
    )
