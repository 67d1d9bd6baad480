"""Reports changes of states, and reads logs."""

import time
from typing import Any

from trainsh_base.errors import TimedOut, TrainError
from trainsh_base.request import current
from trainsh_base.system.deadline import Deadline
from trainsh_vast.api.service import Service
from trainsh_vast.model import Change
from trainsh_vast.rented import rows

LOGS_WITHIN = 20.0


def watch(service: Service, number: int | None, every: float, until: str | None) -> list[Change]:
    """The changes that occurred until Ctrl-C, or until the state `until` was reached.

    The instance `number` must reach this state. If `number` is None, all instances must reach it.
    """
    request, seen = current(), dict[Any, tuple[str, str]]()
    changes: list[Change] = []
    while True:
        try:
            found = [row for row in rows.every(service) if number is None or row.id == number]
        except TrainError as error:
            if error.exit_status not in (6, 7, 8):
                raise
            request.emit("log", message=error.message)
        else:
            present: dict[Any, tuple[str, str]] = {row.id: (row.state, row.problem or row.status) for row in found}
            present |= {one: ("gone", "") for one in seen if one not in present}
            for one, state in present.items():
                if seen.get(one) != state:
                    changes.append(Change(id=int(one), at=time.time(), state=state[0], status=state[1]))
                    request.emit("log", message=f"{one}  {state[0]}  {state[1]}".rstrip())
            seen = present
            if until and present and all(state == until for state, _ in present.values()):
                return changes
        if request.cancelled.wait(every):
            request.check()


def logs(service: Service, number: int, tail: int, word: str | None) -> str:
    """The last `tail` lines of a container's log.

    The service writes the log to a URL. This function requests that URL until the log is there.
    """
    service.need(number)
    address = service.request_logs(number, tail, word)
    deadline = Deadline.after(LOGS_WITHIN)
    while not deadline.expired:
        text = service.fetch_text(address)
        if text is not None:
            return text
        current().cancelled.wait(0.5)
        current().check()
    raise TimedOut(
        f"the log of instance {number} was not available in time", "try again in a minute", code="no_log"
    )
