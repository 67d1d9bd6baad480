"""Remembers which job holds which runtime, in a file that is changed under its lock."""

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from trainsh_base.system.files import locked, write_atomic
from trainsh_base.system.paths import jobs_home, state_home
from trainsh_colab.model import Runtime

PREFIX = "colab:"


class Hold(msgspec.Struct, frozen=True, kw_only=True):
    """The job that holds a runtime, and the name of the recipe's host that this runtime is."""

    job: str
    host: str


def free_for(row: Runtime, job: str) -> bool:
    """Whether the job may take this runtime.

    It may if no job holds it, if the job itself does, or if its job has ended.
    """
    return not row.job or row.job == job or not (jobs_home() / "open" / row.job).exists()


def _path() -> Path:
    return state_home() / "colab-holds.json"


def holds() -> dict[str, Hold]:
    """Return which job holds which runtime, as a dict: name of the runtime -> Hold."""
    try:
        return msgspec.json.decode(_path().read_bytes(), type=dict[str, Hold])
    except (FileNotFoundError, msgspec.DecodeError):
        return {}


@contextlib.contextmanager
def changed_holds() -> Iterator[dict[str, Hold]]:
    """Yield the holds, so that the block can change them. They are written at the end of the block."""
    with locked(_path()):
        held = holds()
        yield held
        write_atomic(_path(), msgspec.json.encode(held))


def session_name(job: str, host: str) -> str:
    """Return the name of the session that a job creates for a host of its recipe.

    Each call returns the same name.
    """
    return "t-" + re.sub(r"[^A-Za-z0-9-]", "-", f"{job}-{host}")[-60:].strip("-")


def plain_ref(ref: str) -> str:
    """Return a reference without the provider's name, with which it may begin."""
    return ref.removeprefix(PREFIX)
