"""The error that ends the waits on a session when a background step has failed or is lost."""

import contextlib
import queue

from trainsh_base.errors import RemoteError, TrainError
from trainsh_base.system.deadline import Deadline
from trainsh_tmux.log.output import Output
from trainsh_tmux.log.sentinels import Piece
from trainsh_tmux.remote.reply import malformed
from trainsh_tmux.session.live import Live, log_end
from trainsh_tmux.session.log_reader import LogReader
from trainsh_tmux.statuses import describe

TAIL_BYTES = 1 << 14  # bytes at the end of the log that are searched for the last lines
TAIL_LIMIT = 2.0  # seconds after which the failure is reported without the last lines


def background_failure(live: Live, told: str) -> TrainError:
    """Return the error for `told`, the host's report about a background step.

    `told` is `STEP STATUS [WHY]` or `STEP lost`.
    """
    step, status, why = (*told.split(" ", 2), "", "")[:3]
    lines = last_lines(live, step)
    if status == "lost":
        return RemoteError(
            f"background step {step} is lost: its session or its host went down, and its exit status is unknown",
            "run the step again if that is safe", code="lost", data={"step": step, "status": None, "tail": lines},
        )  # fmt: skip
    if not (status.isascii() and status.isdigit()):
        return malformed(live.host.name, f"failed {told}")
    number = int(status)
    how = "it ran out of its time" if why == "timeout" else "it was interrupted" if why == "interrupted" else ""
    shown = "".join(f"\n  {line}" for line in lines[-5:])
    return TrainError(
        f"background step {step} failed: {how or describe(number)}{shown}", code="background_failed",
        data={"step": step, "status": number, "how": how, "tail": lines},
    )  # fmt: skip


def last_lines(live: Live, step: str) -> list[str]:
    """Return the last lines of the log since the step began, with secrets masked.

    Returns no lines if they do not arrive in time.
    """
    output = Output(live.secrets, lambda _: None)
    reader = LogReader(live)
    deadline = Deadline.after(TAIL_LIMIT)
    with contextlib.suppress(queue.Empty, TrainError, OSError):
        end = log_end(live.host, live.job, live.name)
        reader.reread(max(0, end - TAIL_BYTES), deadline)
        seen = 0
        while seen < end:
            piece = reader.next(deadline.left())
            if isinstance(piece, Piece):
                seen = piece.end
                if piece.letter == "o" and piece.fields[:1] == (step,):
                    # a new Output, because earlier text belongs to other attempts and steps
                    output = Output(live.secrets, lambda _: None)
                elif not piece.letter:
                    output.feed(piece.offset, piece.data)
    reader.close()
    output.finish()
    return output.tail()
