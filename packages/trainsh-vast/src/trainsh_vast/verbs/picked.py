"""Saves the parameters of each pick. They are needed to replace a machine that is worse than its offer.

Also saves which machines a job uses although it has not rented them.
"""

import contextlib
import re
import time
from pathlib import Path

import msgspec

from trainsh_base.system.files import write_atomic
from trainsh_base.system.paths import private_folder, state_home
from trainsh_vast.limits.limits import Limits
from trainsh_vast.market.wanted import Wanted

FORGOTTEN = 30 * 86400.0  # seconds after which a saved pick is deleted


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """How a machine may be chosen.

    With `auto`, no question is asked. With `create`, a machine may be rented, with the image `image` and for at
    most `max_dph` $ per hour. `limits` are the limits of a new machine.
    """

    auto: bool = False
    create: bool = False
    image: str = ""
    limit: int = 20
    max_dph: float | None = None
    limits: Limits | None = None


class Picked(msgspec.Struct, frozen=True, kw_only=True):
    """The parameters of a pick, and the ids of the machines that it rented."""

    wanted: Wanted
    rules: Rules
    rented: list[int] = []


def _place(job: str, host: str) -> Path:
    name = re.sub(r"[^\w.-]", "_", f"{job}-{host}")
    return private_folder(private_folder(state_home() / "vast") / "picks") / f"{name}.json"


def load(job: str, host: str) -> Picked | None:
    """The last pick for a host of a job, or None when there was none."""
    try:
        return msgspec.json.decode(_place(job, host).read_bytes(), type=Picked)
    except (FileNotFoundError, msgspec.MsgspecError):
        return None


def save(job: str, host: str, wanted: Wanted, rules: Rules) -> None:
    """Record a pick before it is made. The machines that an earlier pick has rented are kept in the record."""
    place, old = _place(job, host), load(job, host)
    write_atomic(place, msgspec.json.encode(Picked(wanted=wanted, rules=rules, rented=old.rented if old else [])))
    for file in place.parent.iterdir():
        with contextlib.suppress(FileNotFoundError):
            if time.time() - file.stat().st_mtime > FORGOTTEN:
                file.unlink()


def add_rented(job: str, host: str, number: int) -> None:
    """Record that the pick for a host has rented a machine."""
    old = load(job, host)
    if old is not None:
        write_atomic(
            _place(job, host), msgspec.json.encode(msgspec.structs.replace(old, rented=[*old.rented, number]))
        )


def take(job: str, number: int) -> None:
    """Record that a job uses a machine that it has not rented.

    Call this before the machine gets the label of the job.
    """
    write_atomic(_taken_place(job), msgspec.json.encode(sorted({*_taken(job), number})))


def was_rented(job: str, host: str, number: int) -> bool:
    """Whether a job has rented the machine that has the job's label.

    If there is no record, because the pick was made on another computer, the machine counts as one that existed
    before the job.
    """
    return number not in _taken(job) and (not host or load(job, host) is not None)


def _taken(job: str) -> list[int]:
    try:
        return msgspec.json.decode(_taken_place(job).read_bytes(), type=list[int])
    except (FileNotFoundError, msgspec.MsgspecError):
        return []


def _taken_place(job: str) -> Path:
    return _place(job, "").with_suffix(".taken")
