"""Runs the steps `wait @session CONDITION`."""

from typing import Any

from trainsh_base.errors import TrainError
from trainsh_recipe.engine.attempt import Attempt
from trainsh_recipe.engine.outcome import Outcome, of_error
from trainsh_recipe.engine.sessions import Sessions
from trainsh_recipe.engine.values import Values
from trainsh_recipe.plan.document import Wait
from trainsh_recipe.plan.numbering import Numbered
from trainsh_recipe.store.shown import Shown

RETRY_LOST = "to run it again: train recipe resume --retry-lost"


class WaitExecutor:
    """Waits for a condition.

    The request may be repeated, because the journal has the log offset at which the search for the condition
    begins.
    """

    def __init__(self, values: Values, sessions: Sessions, numbers: list[Numbered], shown: str) -> None:
        self._values, self._sessions, self._numbers, self._shown = values, sessions, numbers, shown

    def run(self, at: Attempt, step: Wait) -> Outcome:
        """Wait for the condition. The step fails at once if a background step of the session failed or was lost."""
        value = self._values.plain(step.value)
        condition: dict[str, Any] = {step.condition: value}
        if step.condition == "port":
            condition = {"port": int(value) if value.isdigit() else value}
        elif step.condition == "idle":
            condition = {"idle": value or "own"}
        timeout = self._values.seconds(step.options.timeout) or self._values.default("recipe.wait_timeout")
        params = {**self._sessions.params(step.session), **condition, "timeout": timeout, "output": True}
        if step.condition == "pattern" and at.since is not None:
            params["since"] = at.since
        session = self._sessions.get(step.session)
        shown = Shown(self._shown, step.session, session.token if session else "")
        before = shown.read()
        params["shown"] = before if before is not None or session is None else session.background
        at.reached_offset = shown.write
        try:
            answer = at.ask("tmux", "wait", params, patience=timeout)
        except TrainError as error:
            if error.code not in ("background_failed", "lost"):
                raise
            return self._background_failed(error)
        finally:
            shown.close()
        return Outcome(
            status="ok", offset=answer.get("offset") if step.condition == "pattern" else None,
            reason=(answer.get("line") or "").strip()[:200],
            more={"idle": True} if step.condition == "idle" else {},
        )  # fmt: skip

    def _background_failed(self, error: TrainError) -> Outcome:
        """Return the outcome for a failed background step, with the number that this step has in the recipe."""
        outcome = of_error(error)
        exit = error.data.get("status", error.data.get("exit"))
        outcome.exit = exit if isinstance(exit, int) else None
        file = str(error.data.get("step", "")).rpartition("-")[0]
        found = next((each for each in self._numbers if each.file == file), None)
        if found is None:
            return outcome
        outcome.more = {"cause": found.id}
        where = f"background step {found.id} (line {found.step.span.line})"
        if outcome.status == "lost" or outcome.exit is None:
            outcome.status = "lost"
            outcome.reason = f"{where} is lost: how it ended is not known\n{RETRY_LOST}"
        else:
            outcome.reason = f"{where} failed: {error.data.get('how') or f'exit {outcome.exit}'}"
        return outcome
