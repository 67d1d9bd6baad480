"""The tools on this machine. A tool is asked for its schema once, and only if the recipe names the tool."""

import os
from typing import Any

import msgspec

from trainsh_base.errors import NotFound, TrainError
from trainsh_base.system.spawn import tool_path

# seconds within which a tool must print its schema; a slower tool counts as a tool without a schema
ANSWER_WITHIN = 10.0


class InstalledTools:
    """Gets schemas by running `train-TOOL schema`."""

    def __init__(self) -> None:
        self._schemas: dict[str, dict[str, Any] | None] = {}

    def schema(self, tool: str) -> dict[str, Any] | None:
        """The schema of a tool, {} if the tool prints no usable schema, or None if there is no such program."""
        if tool not in self._schemas:
            path = tool_path(tool)
            self._schemas[tool] = None if path is None else _ask(path)
        return self._schemas[tool]

    def has(self, tool: str) -> bool:
        """Whether a program `train-TOOL` is on PATH."""
        return tool_path(tool) is not None

    def names(self) -> list[str]:
        """The names of the tools that are on PATH."""
        found: set[str] = set()
        for folder in os.get_exec_path():
            try:
                found.update(entry.name[6:] for entry in os.scandir(folder) if entry.name.startswith("train-"))
            except OSError:
                continue
        return sorted(found)


def host_hint(name: str) -> str | None:
    """A hint for a host's name that train-host does not know.

    The result is None if train-host knows the name or does not answer.
    """
    from trainsh_base.tool.peer import call  # noqa: PLC0415 - only a recipe with a host of one word needs it

    try:
        call("host", "resolve", {"name": name}, timeout=ANSWER_WITHIN)
    except NotFound as error:
        return error.hint
    except TrainError:
        return None
    return None


def _ask(path: str) -> dict[str, Any]:
    from trainsh_base.system.proc import run  # noqa: PLC0415 - only recipes that name a plugin need subprocess

    try:
        done = run([path, "schema"], input=b"", timeout=ANSWER_WITHIN)
        document = msgspec.json.decode(done.stdout)
    except (TrainError, OSError, msgspec.DecodeError):
        return {}
    return document if isinstance(document, dict) else {}
