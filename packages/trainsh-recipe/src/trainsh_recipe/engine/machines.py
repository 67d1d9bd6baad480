"""Which machine a host is: a token that train-tmux keeps in its folder there, compared when a job is resumed."""

import contextlib
from collections.abc import Callable
from typing import Any

from trainsh_base.errors import TrainError
from trainsh_recipe.engine.outside.tools import Tools
from trainsh_recipe.store.state import State

LIMIT = 30.0  # seconds in which a host has to say what holds


class Machines:
    """Asks hosts what they are and what they hold; asking touches nothing. `record` writes an event."""

    def __init__(self, state: State, job: str, tools: Tools, record: Callable[..., None]) -> None:
        self._state, self._job, self._tools, self._record = state, job, tools, record

    def learn(self, host: str, spec: str) -> None:
        """Note which machine a host is, where no session has told it: a copy alone leaves files there too."""
        if host in self._state.machines or spec == "local":
            return
        with contextlib.suppress(TrainError):  # the copy itself will say what is wrong
            machine = self.holds(spec, [], []).get("machine")
            if machine:
                self._record("machine", host=host, machine=str(machine))

    def holds(self, spec: str, sessions: list[str], steps: list[str], limit: float = LIMIT) -> dict[str, Any]:
        """{machine, node, sessions: {NAME: {session, state, covers}}, steps: {ID: {state, status}}}."""
        params = {"host": spec, "job": self._job, "sessions": sessions, "steps": steps}
        answer = self._tools.start("tmux", "holds", params).result(limit)
        return answer if isinstance(answer, dict) else {}
