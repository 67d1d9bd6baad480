"""Runs the steps `@session > command`."""

import time
from collections.abc import Callable
from typing import Any

from trainsh_recipe.engine.attempt import Attempt
from trainsh_recipe.engine.outcome import Outcome, of_step
from trainsh_recipe.engine.sessions import Sessions
from trainsh_recipe.engine.values import Values
from trainsh_recipe.plan.document import Execute

PATIENCE = 60.0  # seconds for which a step without a timeout is requested again after failures that train caused


class CommandExecutor:
    """Has train-tmux run the command. If it gets a request with the same step id twice, it runs the command once.

    `fresh` has the sessions whose shell this process started. `capture` is called with (variable, value, step).
    """

    def __init__(
        self, values: Values, sessions: Sessions, fresh: set[str], capture: Callable[[str, str, str], None],
    ) -> None:  # fmt: skip
        self._values, self._sessions, self._fresh, self._capture = values, sessions, fresh, capture

    def run(self, at: Attempt, step: Execute) -> Outcome:
        """Run the command, or get the result of the earlier run when resuming."""
        command, secrets = self._values.command(step.command)
        limit = self._values.seconds(step.options.timeout)
        if limit is None and not step.background:
            limit = self._values.default("recipe.timeout")
        params = {
            **self._sessions.params(step.session), "command": command, "step": at.name, "timeout": limit,
            "background": step.background, "capture": bool(step.options.capture), "secrets": secrets,
            "echo": self._values.shown(step.command), "since": at.since, "replaces": at.earlier,
        }  # fmt: skip
        grace = self._values.seconds(step.options.grace)
        if grace is not None:
            params["grace"] = grace
        at.stop_with = lambda: self._sessions.interrupt(step.session, at.name, grace)
        if at.resuming and (at.gone or step.session in self._fresh):
            lost = self._lost(at, params)
            if lost is not None:
                return lost
        left = (limit or PATIENCE) - (time.monotonic() - at.began)
        answer = at.ask("tmux", "run", params, patience=left)
        return self._outcome(at, step, answer)

    def _outcome(self, at: Attempt, step: Execute, answer: dict[str, Any]) -> Outcome:
        outcome = of_step(answer)
        if outcome.offset is None and step.background:
            outcome.offset = at.since
        if outcome.ok and step.options.capture:
            self._capture(step.options.capture, answer.get("captured") or "", at.numbered.id)
        if step.background:
            process = {key: answer[key] for key in ("pid", "start", "node") if answer.get(key) is not None}
            outcome.more = {"background": True} | ({"process": process} if process else {})
        return outcome

    def _lost(self, at: Attempt, params: dict[str, Any]) -> Outcome | None:
        """Return the outcome "lost" if the step's session is gone and the step has no exit status; else None."""
        asked = at.ask("tmux", "run", {**params, "only_ask": True, "command": ""})
        if asked["state"] not in ("running", "lost"):
            return None
        return Outcome(
            status="lost", reason="its session is gone, and how the step ended is not known\n"
            "to run it again: train recipe resume --retry-lost",
        )  # fmt: skip
