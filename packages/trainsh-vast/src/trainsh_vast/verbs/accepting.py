"""Measures a machine that runs, and arms its limits.

A machine that is worse than its offer is replaced by another.
"""

import msgspec

from trainsh_base.errors import Conflict
from trainsh_base.remote.target import Target
from trainsh_base.request import current
from trainsh_vast.api.service import Row, Service
from trainsh_vast.limits import arming, beat
from trainsh_vast.limits.limits import Limits
from trainsh_vast.rented import labels, rows
from trainsh_vast.verbs import picked, picking, waiting
from trainsh_vast.verbs import states as changing
from trainsh_vast.vetting import vetting

TRIES = 5  # the most machines that are measured for one host of a recipe
GIVE_BACK = 120.0  # the most seconds to wait until a rejected machine is no longer listed


class Patience(msgspec.Struct, frozen=True, kw_only=True):
    """The limits of a wait: at most `timeout` seconds, with `poll` seconds between two requests.

    `stop_on_fail` tells whether to stop a machine that fails.
    """

    timeout: float
    poll: float
    stop_on_fail: bool = False


def vetted(
    service: Service, number: int, patience: Patience, vet: float | None, job: str | None
) -> tuple[Row, Target]:
    """Wait until a machine runs and is as good as its offer.

    Return this machine, or its replacement if it is worse. Raises Conflict with the code `fell_short` if there is
    no replacement.
    """
    for left in range(TRIES, 0, -1):
        row, target = waiting.wait(
            service, number, timeout=patience.timeout, poll=patience.poll, stop_on_fail=patience.stop_on_fail
        )
        if vet is None:
            return row, target
        found = vetting.vet(row, target, vet)
        if not found.short:
            return row, target
        why = f"instance {number} is worse than its offer says: {'; '.join(found.short)}"
        number = _replaced(service, row, job, why, last=left == 1)
    raise AssertionError


def _replaced(service: Service, row: Row, job: str | None, why: str, *, last: bool) -> int:
    """Give a machine back, and pick another one for the same host of the recipe.

    Return the id of the new machine.
    """
    number = int(row["id"])
    holder, host = labels.holder(row.get("label"))
    known = picked.load(job, host) if job and holder else None
    if known is None or not job:
        raise Conflict(why, f"to give it back: {rows.rented(row).end}", code="fell_short", data={"id": number})
    current().emit("log", message=why)
    beat.stop(number)
    if number in known.rented:
        changing.destroy(service, number, GIVE_BACK)
        current().emit("log", message=f"instance {number} was destroyed, and costs nothing any more")
    else:
        changing.stop(service, number, GIVE_BACK)
        service.set_label(number, labels.unmarked(row.get("label")))
        end = f"train vast destroy {number}"
        current().emit(
            "log", message=f"instance {number} was stopped, but its disk costs money; to delete the disk: {end}"
        )
    if last:
        raise Conflict(
            f"{TRIES} machines were worse than their offers", why, code="fell_short", data={"id": number}
        )
    return int(picking.pick(service, host, job, known.wanted, known.rules)["id"])


def armed(row: Row, target: Target, limits: Limits | None, job: str | None) -> str:
    """Arm the limits that the machine itself enforces. Return them in words, or "" if there are no limits.

    If the job has not picked, rented or started the machine, only limits of time and money are armed.
    """
    if limits is not None and job and not _holds(row, job):
        limits = msgspec.structs.replace(limits, idle=0.0)
    if limits is None or not (limits.idle or limits.asked):
        return ""
    number = int(row["id"])
    said = arming.arm(number, target, limits, rows.rented(row).price_per_hour)
    if said and job:
        beat.begin(number, target, limits.idle)
    return said


def _holds(row: Row, job: str) -> bool:
    return labels.holder(row.get("label"))[0] == labels.holder(labels.marked("", job, ""))[0]
