"""Which job holds which runtime: a file, changed under its lock."""

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from trainsh_base.system.files import locked, write_atomic
from trainsh_base.system.paths import jobs_home, private_folder, state_home
from trainsh_colab.model import Runtime

PREFIX = "colab:"


class Hold(msgspec.Struct, frozen=True, kw_only=True):
    """The job that holds a runtime, and the name of the recipe's host that this runtime is."""

    job: str
    host: str


def free_for(row: Runtime, job: str) -> bool:
    """Whether a job may take this runtime: nobody holds it, or a job that has ended."""
    return not row.job or row.job == job or not (jobs_home() / "open" / row.job).exists()


def _path() -> Path:
    return private_folder(state_home()) / "colab-holds.json"


def holds() -> dict[str, Hold]:
    """Runtime -> the job that holds it."""
    try:
        return msgspec.json.decode(_path().read_bytes(), type=dict[str, Hold])
    except (FileNotFoundError, msgspec.DecodeError):
        return {}


@contextlib.contextmanager
def changed_holds() -> Iterator[dict[str, Hold]]:
    """The holds, to be changed; they are written when the block ends."""
    with locked(_path()):
        held = holds()
        yield held
        write_atomic(_path(), msgspec.json.encode(held))


def session_name(job: str, host: str) -> str:
    """The name of the session that a job creates for a host of its recipe: the same at every call."""
    return "t-" + re.sub(r"[^A-Za-z0-9-]", "-", f"{job}-{host}")[-60:].strip("-")


def plain_ref(ref: str) -> str:
    """A reference without the provider's name before it."""
    return ref.removeprefix(PREFIX)
