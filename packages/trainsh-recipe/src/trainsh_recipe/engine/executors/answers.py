"""Handles the answer of a verb: journals its bindings and machines, and makes the text that is shown."""

from collections.abc import Callable
from typing import Any

import msgspec

from trainsh_base.remote.host_spec import parse_spec
from trainsh_base.tool.display import cell
from trainsh_base.tool.table import draw
from trainsh_recipe.engine.outside.tools import Tools
from trainsh_recipe.engine.outside.view import View
from trainsh_recipe.store.rented import key as key_of
from trainsh_recipe.store.state import State

RESOLVE_LIMIT = 60.0
BOUND = frozenset(("hosts", "vars", "storages", "instance", "instances", "message"))


class Answers:
    """Keeps the hosts, storages and variables that answers contain, for later steps. `record` writes an event."""

    def __init__(self, state: State, tools: Tools, view: View, record: Callable[..., None]) -> None:
        self._state, self._tools, self._view, self._record = state, tools, view, record

    def _text(self, tool: str, key: str, value: Any, answer: dict[str, Any]) -> str:
        """Return as text a value that an answer gives to a host, a storage or a variable.

        For an ssh host, the text is a full target from train-host, which accepts only safe ssh options.
        """
        if not isinstance(value, str):
            return msgspec.json.encode(value).decode()
        if key != "hosts" or value.startswith("{") or parse_spec(value).form != "ssh":
            return value
        instance = answer.get("instance")
        id = instance.get("id") if isinstance(instance, dict) else None
        params = {"name": value, "from_tool": True, "machine": f"{tool}-{id if id is not None else value}"}
        target = self._tools.peer("host").request("resolve", params, timeout=RESOLVE_LIMIT)
        return msgspec.json.encode(target).decode()

    def bind(self, tool: str, answer: Any, ours: list[str]) -> str:
        """Keep the hosts, storages and variables of an answer for later steps, and return the answer's message."""
        if not isinstance(answer, dict):
            return ""
        bound: dict[str, dict[str, str]] = {}
        for key in ("hosts", "storages", "vars"):
            found = answer.get(key)
            if isinstance(found, dict) and found:
                bound[key] = {str(name): self._text(tool, key, value, answer) for name, value in found.items()}
                given = self._state.overrides.get(key, {})
                for name in set(bound[key]) & set(given):
                    self._view.log(f"{name} stays {given[name]}, as set on the command line")
        rows = _instances(answer)
        hosts = list(bound.get("hosts", {})) or ours
        for row in rows:
            known = self._state.instances.get(key_of(tool, row["id"]))
            of_it = known.hosts if known and known.hosts else hosts if len(rows) == 1 else []
            self._record("instance", sync=True, **{**_safe(row), "provider": tool, "hosts": of_it})
            if known is None and row.get("price_per_hour") is None and self._state.options.max_cost is not None:
                self._view.log(f"--max-cost does not count {tool} {row['id']}: {tool} gives no price for it")
        if bound:
            self._record("binding", sync=True, tool=tool, **bound)
        message = answer.get("message")
        return str(message) if message else ""


def _instances(answer: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the machines in an answer, each once. A machine is a document with an `id`."""
    several = answer.get("instances")
    rows = [answer.get("instance"), *(several if isinstance(several, list) else [])]
    found = {str(row["id"]): row for row in rows if isinstance(row, dict) and row.get("id") is not None}
    return list(found.values())


def _safe(instance: dict[str, Any]) -> dict[str, Any]:
    return {str(key): value for key, value in instance.items() if key not in ("t", "event")}


def text_of(answer: Any) -> str:
    """Return the text that shows an answer without a message: a table if the answer is a list of documents, else
    lines, or "" for an empty answer.
    """
    if isinstance(answer, dict):
        left = {key: value for key, value in answer.items() if key not in BOUND and value not in (None, "", [], {})}
        lines = [f"{key.replace('_', ' ')}: {cell(value)}" for key, value in left.items()]
        return "" if answer.get("message") else _joined(lines)
    if not isinstance(answer, list):
        return _joined([cell(answer)] if answer not in (None, "", True) else [])
    rows = [row for row in answer if isinstance(row, dict)]
    if len(rows) != len(answer) or not rows:
        return _joined([cell(item) for item in answer])
    if all(row.get("message") for row in rows):
        return _joined([str(row["message"]) for row in rows])
    heads = [key for key in rows[0] if any(row.get(key) not in (None, "", [], {}) for row in rows)]
    table = [[cell(row.get(key)) for key in heads] for row in rows]
    return _joined(draw([head.replace("_", " ").upper() for head in heads], table, whole=[], width=None))


def _joined(lines: list[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
