"""How one attempt of a step ended, and whether the command or train caused the failure."""

from typing import Any

import msgspec

from trainsh_base.errors import TrainError

# The failures that train caused, not the command: a tool was killed, there was no connection, or the command did
# not begin.
OURS = frozenset((
    "peer_lost", "host_lost", "host_silent", "unreachable", "not_started", "disk_full", "no_folder", "bad_answer",
    "other_node", "tool_silent",
))  # fmt: skip
# The failures of OURS after which another request is useless, because train-tmux has already waited or because
# waiting changes nothing.
HOPELESS = frozenset(("peer_lost", "host_lost", "other_node", "not_started"))
# The failures after which `allow_fail` does not apply, because nothing ran: there is no session.
NO_SESSION = frozenset(("session_gone", "session_not_found", "not_open"))


class Outcome(msgspec.Struct, kw_only=True):
    """How one attempt of a step ended.

    `status` is ok, failed, timeout, lost, cancelled, skipped, or `interrupted`, which means that it is not known
    how the attempt ended. `own` means that the command itself caused the status, so that `allow_fail` applies. The
    other fields are set only for some kinds of steps.
    """

    status: str
    exit: int | None = None
    reason: str = ""
    seconds: float = 0.0
    offset: int | None = None
    end: int | None = None
    bytes: int = 0
    tail: list[str] = []
    error: TrainError | None = None
    own: bool = True
    more: dict[str, Any] = {}  # further keys of the event

    @property
    def ok(self) -> bool:
        """Whether the step succeeded."""
        return self.status in ("ok", "skipped")

    @property
    def again(self) -> bool:
        """Whether the step may be retried. A step that was lost, or that may still run, may not be retried."""
        return self.status in ("failed", "timeout")

    @property
    def forgiven(self) -> bool:
        """Whether `allow_fail` applies to this outcome."""
        return self.own and self.status in ("failed", "timeout")


def ours(error: TrainError) -> bool:
    """Return whether train and not the command caused the error. The step's exit status is then unknown.

    Returns False for a step that did not begin because its session had ended: such a step has failed.
    """
    ended = error.code == "not_started" and str(error.data.get("reason", "")).startswith("session ")
    return error.code in OURS and not ended


def of_error(error: TrainError) -> Outcome:
    """Return the outcome of an attempt for which a tool returned an error."""
    reason = error.message
    if error.hint:
        reason += "\n" + error.hint
    status, exit = "failed", None
    if error.exit_status == 6:
        status = "timeout"
    elif error.code == "lost":
        status = "lost"
    elif error.code == "session_ended" and isinstance(error.data.get("status"), int):
        exit = error.data["status"]
    elif error.code == "session_ended":
        status = "lost"
    own = error.code not in OURS and error.code not in NO_SESSION
    return Outcome(status=status, exit=exit, reason=reason, error=error, own=own, tail=_tail(error))


def _tail(error: TrainError) -> list[str]:
    tail = error.data.get("tail")
    return [str(line) for line in tail] if isinstance(tail, list) else []


def of_step(answer: dict[str, Any]) -> Outcome:
    """Convert train-tmux's answer to `run` into an Outcome."""
    state = answer["state"]
    return Outcome(
        status="ok" if state == "started" else state, exit=answer.get("exit"),
        reason="" if state == "ok" else answer.get("reason", ""),
        offset=answer.get("offset"), end=answer.get("end"), bytes=answer.get("bytes", 0),
        tail=answer.get("tail") or [],
    )  # fmt: skip
