"""Destroys what the checks have rented.

The rows of `list` may be malformed, so they are read without a fixed type.
"""

import contextlib
from collections.abc import Iterator
from typing import Any

from trainsh_base.errors import TrainError
from trainsh_plugin.check.subject import HOST, Subject

Raw = dict[str, Any]


class Leftovers:
    """The machines to destroy: those whose row contains `mark`, and those that were in an answer of `pick`.

    Every job of these checks has an id that begins with `mark`.
    """

    def __init__(self, subject: Subject, mark: str) -> None:
        self.subject = subject
        self.mark = mark
        self.jobs: list[str] = []
        self.picked: set[str] = set()
        self.before = {_id(row) for row in self._rows() or []}

    def note(self, answer: Any) -> None:
        """Remember the ids in an answer of `pick`. The answer may have any form."""
        if not isinstance(answer, dict):
            return
        hosts, instance = answer.get("hosts"), answer.get("instance")
        spec = hosts.get(HOST) if isinstance(hosts, dict) else None
        spec = spec.get("name") if isinstance(spec, dict) else spec
        if isinstance(spec, str) and spec.startswith(f"{self.subject.name}:"):
            self.picked.add(spec.partition(":")[2])
        if isinstance(instance, dict) and _id(instance):
            self.picked.add(_id(instance))

    def destroy(self) -> list[str]:
        """Destroy all machines of the checks. Returns a line for each machine that may still be there."""
        verb, rows = self.subject.last, self._rows()
        # `list` failed, so only the jobs and the answers of `pick` are known
        if rows is None and verb in self.subject.commands:
            for job in self.jobs:
                with contextlib.suppress(TrainError, OSError):
                    self.subject.result(self.subject.begin(verb, self.subject.about(verb, job, "")))
        known = self.picked - self.before if rows is None else {_id(row) for row in self._ours(rows)}
        for ref in sorted(known):
            with contextlib.suppress(TrainError, OSError):
                self.subject.act(verb, ref)
        return list(self._left())

    def _left(self) -> Iterator[str]:
        """Yield a line for each machine that `list` still shows: the machines of the checks, and other new
        machines.

        Another new machine may belong to the checks too; this cannot be known.
        """
        name, rows = self.subject.name, self._rows()
        if rows is None:
            yield f"list failed: look for machines labelled {self.mark}* on the website of {name}"
            yield from (f"{name} {ref} may still be there" for ref in sorted(self.picked - self.before))
            return
        ours = list(self._ours(rows))
        for row in ours:
            if self.subject.last != "stop" or row.get("state") != "stopped":
                yield f"{name} {_id(row) or row} is still there: {row.get('end') or 'its row has no `end`'}"
        for row in rows:
            if row not in ours and _there(row) and _id(row) not in self.before:
                yield f"{name} {_id(row) or row} is new, and not of these checks: find out who rented it"

    def _ours(self, rows: list[Raw]) -> Iterator[Raw]:
        for row in rows:
            marked = any(isinstance(value, str) and self.mark in value for value in row.values())
            if _there(row) and (marked or _id(row) in self.picked - self.before):
                yield row

    def _rows(self) -> list[Raw] | None:
        """Return the rows of `list` that are JSON objects. Return None if `list` fails or prints no list."""
        try:
            rows = self.subject.once("list", {})
        except (TrainError, OSError):
            return None
        return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else None


def _id(row: Raw) -> str:
    return "" if row.get("id") is None else str(row["id"])


def _there(row: Raw) -> bool:
    return row.get("state") != "gone"
