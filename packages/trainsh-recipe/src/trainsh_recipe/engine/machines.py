"""Identifies the machine of a host by a token in train-tmux's folder there, so that a resume can compare tokens."""

import contextlib
from collections.abc import Callable
from typing import Any

from trainsh_base.errors import TrainError
from trainsh_recipe.engine.outside.tools import Tools
from trainsh_recipe.store.state import State

LIMIT = 30.0  # seconds within which a host must answer
LATE = 2.0  # seconds that train-tmux may need to report that the host has not answered


class Machines:
    """Asks hosts for their machine token, sessions and steps, without changing anything.

    `record` writes an event.
    """

    def __init__(self, state: State, job: str, tools: Tools, record: Callable[..., None]) -> None:
        self._state, self._job, self._tools, self._record = state, job, tools, record

    def learn(self, host: str, spec: str) -> None:
        """Record the machine token of a host, unless the token is known.

        Copies call this. Other steps get the token from their session, but a host of a copy may have no session.
        """
        if host in self._state.machines or spec == "local":
            return
        with contextlib.suppress(TrainError):  # the copy itself reports the error
            machine = self.holds(spec, [], []).get("machine")
            if machine:
                self._record("machine", host=host, machine=str(machine))

    def holds(self, spec: str, sessions: list[str], steps: list[str], limit: float = LIMIT) -> dict[str, Any]:
        """Ask a host about sessions and steps. `limit` is how many seconds it has for the answer.

        Returns {machine, node, sessions: {NAME: {session, state, covers, left_out}}, steps: {ID: {state, status}}}.
        """
        params = {"host": spec, "job": self._job, "sessions": sessions, "steps": steps, "timeout": limit}
        answer = self._tools.start("tmux", "holds", params).result(limit + LATE)
        return answer if isinstance(answer, dict) else {}
