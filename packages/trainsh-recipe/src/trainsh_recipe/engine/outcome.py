"""What became of one attempt of a step."""

from typing import Any

import msgspec

from trainsh_base.errors import TrainError

LOST_CODES = ("lost", "session_gone", "session_not_found", "host_lost")


class Outcome(msgspec.Struct, kw_only=True):
    """`status` is ok, failed, timeout, lost, cancelled or skipped; the rest is known for some kinds only."""

    status: str
    exit: int | None = None
    reason: str = ""
    seconds: float = 0.0
    offset: int | None = None
    end: int | None = None
    bytes: int = 0
    tail: list[str] = []
    error: TrainError | None = None
    more: dict[str, Any] = {}  # what else the event carries

    @property
    def ok(self) -> bool:
        """Whether the step did what it should."""
        return self.status in ("ok", "skipped")


def of_error(error: TrainError) -> Outcome:
    """The outcome of an attempt that ended with an error of a tool."""
    status = "timeout" if error.exit_status == 6 else "lost" if error.code in LOST_CODES else "failed"
    reason = error.message
    if error.hint:
        reason += "\n" + error.hint
    return Outcome(status=status, reason=reason, error=error, exit=error.data.get("status"))


def of_step(answer: dict[str, Any]) -> Outcome:
    """The outcome that train-tmux's answer to `run` means."""
    state = answer["state"]
    return Outcome(
        status="ok" if state == "started" else state, exit=answer.get("exit"),
        reason="" if state == "ok" else answer.get("reason", ""),
        offset=answer.get("offset"), end=answer.get("end"), bytes=answer.get("bytes", 0),
        tail=answer.get("tail") or [],
    )  # fmt: skip
