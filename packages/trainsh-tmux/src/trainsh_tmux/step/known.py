"""What is known about one step while it is followed."""

import time

import msgspec


class Known(msgspec.Struct, kw_only=True):
    """What the log and the host have shown about a step so far.

    `offset` and `end` are where the step's output begins and ends in the log, as far as the log was read. `status`
    is the step's exit status, and `why` the reason that the host recorded. `process` has the pid and the start time
    of a background step. `survived` lists the processes that did not end.

    Three fields are flags. `marked`: the log showed the step's end, so the host need not be asked. `gone`: the host
    reported that the step is lost. `resumed`: an earlier request had started the step.
    """

    began: float = msgspec.field(default_factory=time.monotonic)
    offset: int | None = None
    end: int | None = None
    status: int | None = None
    why: str = ""
    marked: bool = False
    gone: bool = False
    process: tuple[int | None, str | None] = (None, None)
    survived: list[str] = []
    resumed: bool = False
