"""The interface of a view, which shows what a run reports. The views are in ui/."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from trainsh_recipe.engine.outcome import Outcome
from trainsh_recipe.plan.numbering import Numbered
from trainsh_recipe.store.journal import Event
from trainsh_recipe.store.state import State


class View:
    """Base class of the views, which itself shows nothing. Its methods may be called from any thread."""

    redraws = False  # whether the view redraws its lines, and holds messages back while it is paused

    def begin(self, state: State, steps: list[Numbered], file: str) -> None:
        """Called when the run begins."""

    def event(self, event: Event) -> None:
        """Called when an event was written to the journal."""

    def output(self, step: Numbered, text: str) -> None:
        """Called with the output of a step."""

    def progress(self, step: Numbered, data: dict[str, Any]) -> None:
        """Called with the progress of a step: {done, total, unit, message}."""

    def log(self, message: str) -> None:
        """Called with a message for people."""

    def failed(self, step: Numbered, outcome: Outcome, allowed: bool) -> None:
        """Called when a step failed and is not retried."""

    def end(self, state: State) -> None:
        """Called when the run is over."""

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Show nothing inside this block, because a question is on the terminal."""
        yield

    def close(self) -> None:
        """Release the terminal."""
