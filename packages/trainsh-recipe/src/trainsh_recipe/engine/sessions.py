"""The sessions of a job: the parameters that identify a session to tools, and the hosts of steps."""

from typing import Any

from trainsh_base.errors import NotFound
from trainsh_recipe.engine.outside.tools import AnyPending, Tools
from trainsh_recipe.plan.document import Control, Execute, Transfer, Wait
from trainsh_recipe.plan.numbering import Numbered
from trainsh_recipe.store.state import SessionState, State


class Sessions:
    """Looks sessions up in the state of the job `job`."""

    def __init__(self, state: State, job: str, tools: Tools, numbers: list[Numbered]) -> None:
        self._state, self._job, self._tools = state, job, tools
        opens = [each.step for each in numbers if isinstance(each.step, Control) and each.step.tool == "tmux"]
        self._hosts = {step.session: step.host for step in opens if step.verb == "open"}

    def get(self, name: str) -> SessionState | None:
        """Return the session if the job has opened it, else None."""
        return self._state.sessions.get(name)

    def params(self, name: str) -> dict[str, Any]:
        """Return the parameters that identify the session in a request.

        Raises NotFound `not_open` if the session is not open.
        """
        session = self.get(name)
        if session is None or not session.open:
            raise NotFound(
                f"session {name} is not open", "open it first: tmux.open @HOST as " + name, code="not_open"
            )
        return {"session": name, "host": session.host, "job": self._job}

    def interrupt(self, session: str, step: str, grace: float | None) -> AnyPending:
        """End a step on its host with INT, then TERM, then KILL, within `grace` seconds."""
        params = {**self.params(session), "step": step}
        if grace is not None:
            params["grace"] = grace
        return self._tools.start("tmux", "interrupt", params)

    def host_of(self, session: str) -> str:
        """Return the host on which the recipe opens the session, or "" if it opens no such session."""
        return self._hosts.get(session, "")

    def reached(self, each: Numbered) -> bool:
        """Return whether the job has reached all hosts of a step.

        If so, a failure to connect only interrupts the step.
        """
        hosts = self.hosts_of(each)
        known = set(self._state.machines) | {session.host_name for session in self._state.sessions.values()}
        return bool(hosts) and hosts <= known

    def hosts_of(self, each: Numbered) -> set[str]:
        """Return the hosts that a step uses. If one of these hosts is a new machine, the step's effect is gone."""
        step = each.step
        if isinstance(step, Execute | Wait):
            return {self.host_of(step.session)} - {""}
        if isinstance(step, Transfer):
            return {step.source.host, step.destination.host} - {""}
        if isinstance(step, Control) and step.tool == "tmux":
            return {step.host or self.host_of(step.session)} - {""}
        return set()
