"""Prints hosts and the stages of a test for people."""

import sys

from trainsh_base.tool.display import fix, folded, nothing, paint, remark, table
from trainsh_host.model import Listed, Stage

COLOURS = {"ok": "32", "failed": "1;31", "absent": "33", "skipped": "2"}


EMPTY = "No hosts yet. Add one: train host add NAME user@host"


def print_hosts(rows: list[Listed]) -> None:
    """Print one line for each host.

    If there are no hosts, print how to add one. If stdout is not a terminal, this text goes to stderr.
    """
    if not rows:
        nothing(EMPTY)
        return
    columns = {"name": "name", "type": "type", "address": "address", "jump": "through", "tags": "tags"}
    documents = [{key: getattr(row, key) for key in [*columns, "notes", "problem", "state", "gpu"]} for row in rows]
    for document, row in zip(documents, rows, strict=True):
        document["price"] = _price(row)
        document["answer"] = row.problem if not row.reachable else f"ok, {milliseconds(row.seconds)}"
    if any(row.state for row in rows):
        columns |= {"state": "state", "gpu": "GPU", "price": "price"}
    if any(row.reachable is not None for row in rows):
        columns["answer"] = "answer"
    else:
        columns["notes"] = "notes"
    table(documents, columns)
    for row in rows:
        if row.problem and row.reachable is None:
            remark(f"{row.name.removesuffix(':')}: {row.problem}")


def _price(row: Listed) -> str:
    """The price of a machine as text, such as `0.23 USD/h`. If the machine costs nothing, the text is empty.

    A price below 0.1, such as the price of a disk, has four decimals.
    """
    if not row.price_per_hour:
        return ""
    return f"{row.price_per_hour:.{2 if row.price_per_hour >= 0.1 else 4}f} {row.currency}/h"


def milliseconds(seconds: float | None) -> str:
    """A time in seconds as a text in milliseconds, such as `12 ms`."""
    return f"{round((seconds or 0) * 1000)} ms"


def stage_lines(stage: Stage, width: int = 14) -> str:
    """One stage as text: a line for the stage, and below it the lines of its fix."""
    state = paint(f"{stage.state:<7}", COLOURS[stage.state], sys.stdout)
    took = f"  ({milliseconds(stage.seconds)})" if stage.seconds is not None else ""
    detail = folded(f"{stage.detail}{took}", width + 11)
    lines = [f"{stage.name:<{width}}  {state}  {detail}".rstrip()]
    return "\n".join([*lines, *(fix(line, width + 11) for line in stage.fix.splitlines())])
