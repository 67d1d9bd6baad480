"""What is known about one step while it is followed."""

import time

import msgspec


class Known(msgspec.Struct, kw_only=True):
    """What the log and the host have told about a step so far.

    `offset` and `end`: where its output begins and ends in the log, as far as it was read. `status`: its exit
    status. `why`: the reason that the host recorded. `marked`: the log showed its end; the host need not be asked.
    `gone`: the host says that it is lost. `process`: pid and start of a background step. `survived`: processes that
    did not end. `resumed`: an earlier request had started the step.
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
