"""Asks train-xfer which checkpoints of a job `xfer.follow` has uploaded, and waits at most LIMIT seconds."""

from typing import Any

import msgspec

from trainsh_base.errors import TrainError
from trainsh_base.system.units import format_duration
from trainsh_base.tool.peer import call
from trainsh_recipe.model import CheckpointReport
from trainsh_recipe.store.state import State

VERB = "xfer.follow"
LIMIT = 15.0  # seconds for train-xfer, which asks the host


def checkpoints(state: State) -> list[CheckpointReport]:
    """Return a row for each folder that the job follows. If train-xfer does not answer, a row is "unreachable"."""
    if not any(step.text.startswith(VERB) for step in state.steps.values()):
        return []
    try:
        rows: Any = call("xfer", "status", {"job": state.id}, timeout=LIMIT)
        return [msgspec.convert(_known(row), CheckpointReport) for row in rows]
    except TrainError as error:
        return [CheckpointReport(state="unreachable", failed=error.message)]
    except (msgspec.ValidationError, TypeError):
        return [CheckpointReport(state="unreachable", failed="a malformed answer from train-xfer")]


def _known(row: Any) -> dict[str, Any]:
    known = CheckpointReport.__struct_fields__
    return {key: value for key, value in row.items() if key in known and value is not None} if row else {}


def told(row: CheckpointReport) -> str:
    """Return a text for people about a row: its folders, and the newest uploaded checkpoint or the problem.

    Example: `@gpu:/ckpt -> @out:/ckpt: following, newest uploaded checkpoint ckpt-40, 2m 5s old`.
    """
    where = f"{row.source} -> {row.destination}" if row.source else VERB
    wrong = f"; {row.failed}" if row.failed else ""
    if row.newest is None or row.age is None:
        return f"{where}: {row.state}, no checkpoint is uploaded yet{wrong}"
    return f"{where}: {row.state}, newest uploaded checkpoint {row.newest}, {format_duration(row.age)} old{wrong}"
