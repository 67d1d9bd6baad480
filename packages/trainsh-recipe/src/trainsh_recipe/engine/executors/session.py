"""Runs the steps `tmux.open @host as NAME` and `tmux.close @NAME`."""

import os
from collections.abc import Callable
from typing import Any

from trainsh_recipe.engine.attempt import Attempt
from trainsh_recipe.engine.outcome import Outcome
from trainsh_recipe.engine.outside.view import View
from trainsh_recipe.engine.sessions import Sessions
from trainsh_recipe.engine.values import Values
from trainsh_recipe.plan.document import Control
from trainsh_recipe.plan.numbering import Numbered
from trainsh_recipe.store.state import State

TOLD = ("machine", "node", "restored", "covers", "left_out")
PATIENCE = 60.0  # seconds for which opening or closing is tried again after failures that train caused


class SessionExecutor:
    """Opens and closes sessions. Adds to `fresh` the names of the sessions whose shell this process started.

    `reopened` is called when a session that the job had opened before was opened again. `resumable_after` returns
    whether a resume may run steps after a given step. If it may not, a session is closed without a snapshot.
    """

    def __init__(
        self, values: Values, sessions: Sessions, state: State, fresh: set[str], view: View,
        record: Callable[..., None], reopened: Callable[[str], None], resumable_after: Callable[[Numbered], bool],
    ) -> None:  # fmt: skip
        self._values, self._sessions, self._state, self._fresh = values, sessions, state, fresh
        self._view, self._record, self._reopened = view, record, reopened
        self._resumable_after = resumable_after

    def run(self, at: Attempt, step: Control) -> Outcome:
        """Open or close the session."""
        return self._open(at, step) if step.verb == "open" else self._close(at, step)

    def _open(self, at: Attempt, step: Control) -> Outcome:
        spec = self._values.host(step.host)
        known = self._sessions.get(step.session)
        params: dict[str, Any] = {"host": spec, "name": step.session, "job": self._state.id}
        if spec == "local":
            params["cwd"] = self._state.cwd
            params["without"] = self._values.secret_names()
        if known is not None:
            params["restore"] = True
        answer = at.ask(
            "tmux", "open", params, self._values.seconds(step.options.timeout), patience=self._patience(at)
        )
        fresh = bool(answer.get("fresh"))
        if fresh:
            self._fresh.add(step.session)
        told = {key: answer[key] for key in TOLD if answer.get(key) is not None}
        if answer.get("token") or fresh:
            told["token"] = answer.get("token") or os.urandom(4).hex()
        self._record(
            "session", session=step.session, host=spec, host_name=step.host, fresh=fresh, state="open",
            offset=answer.get("offset"), **told,
        )  # fmt: skip
        for note in answer.get("notes", []):
            self._view.log(note)
        if known is not None:
            self._reopened(step.session)
        return Outcome(status="ok")

    def _patience(self, at: Attempt) -> float:
        return PATIENCE if at.reached and not at.numbered.closing else 0.0

    def _close(self, at: Attempt, step: Control) -> Outcome:
        session = self._sessions.get(step.session)
        if session is None or not session.open:
            return Outcome(status="ok", reason="it was not open")
        if session.host_name in self._state.stopped:
            reason = f"{session.host_name} is stopped"
        else:
            params = {**self._sessions.params(step.session), "snapshot": self._resumable_after(at.numbered)}
            limit = self._values.seconds(step.options.timeout)
            answer = at.ask("tmux", "close", params, limit, patience=self._patience(at))
            reason = "" if answer.get("done") == "closed" else str(answer.get("done", ""))
        self._record("session", session=step.session, state="closed")
        return Outcome(status="ok", reason=reason)
