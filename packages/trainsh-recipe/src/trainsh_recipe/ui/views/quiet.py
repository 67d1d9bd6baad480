"""The view of `--quiet`, which shows only what failed and what still costs money."""

import sys

from trainsh_base.tool.display import fitted
from trainsh_recipe.engine.outcome import Outcome
from trainsh_recipe.engine.outside.view import View
from trainsh_recipe.plan.numbering import Numbered
from trainsh_recipe.store.state import State
from trainsh_recipe.ui.views.summary import billing, failure, summary


class Quiet(View):
    """Prints on stderr. For a job that goes well and leaves no machine running, it prints nothing."""

    def __init__(self) -> None:
        self._file = ""

    def begin(self, state: State, steps: list[Numbered], file: str) -> None:
        """Keep the recipe's name for reports of failures."""
        self._file = file

    def failed(self, step: Numbered, outcome: Outcome, allowed: bool) -> None:
        """Print the report of a failure."""
        if not allowed:
            print(failure(step, outcome, self._file), file=sys.stderr, flush=True)

    def end(self, state: State) -> None:
        """Print how the job ended, if it did not go well, and what still costs money."""
        if state.status != "ok":
            print(fitted(summary(state)), file=sys.stderr, flush=True)
        for line in billing(state):
            print(fitted(line), file=sys.stderr, flush=True)
