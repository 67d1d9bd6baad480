"""Runs the steps `sleep DURATION`."""

import time

from trainsh_recipe.engine.attempt import Attempt
from trainsh_recipe.engine.outcome import Outcome
from trainsh_recipe.engine.values import Values
from trainsh_recipe.plan.document import Sleep
from trainsh_recipe.store.journal import seconds_of
from trainsh_recipe.store.state import State


class SleepExecutor:
    """Sleeps. If an earlier process began the sleep, it continues for the time that is left."""

    def __init__(self, values: Values, state: State) -> None:
        self._values, self._state = values, state

    def run(self, at: Attempt, step: Sleep) -> Outcome:
        """Sleep for the step's seconds, at most its `timeout`."""
        seconds = self._values.seconds(step.seconds) or 0.0
        limit = self._values.seconds(step.options.timeout)
        if at.resuming:
            seconds -= time.time() - seconds_of(self._state.steps[at.numbered.id].started)
        at.sync()
        short = limit is not None and limit < seconds
        if at.pause(max(0.0, limit if short and limit is not None else seconds)):
            return Outcome(status="cancelled", reason="cancelled")
        return Outcome(status="timeout", reason=f"timed out after {limit:g}s") if short else Outcome(status="ok")
