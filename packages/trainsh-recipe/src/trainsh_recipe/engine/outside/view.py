"""The interface of a view: what a run reports. The views are in ui/."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from trainsh_recipe.engine.outcome import Outcome
from trainsh_recipe.plan.numbering import Numbered
from trainsh_recipe.store.journal import Event
from trainsh_recipe.store.state import State


class View:
    """Sees everything and shows nothing. Methods may be called from any thread."""

    def begin(self, state: State, steps: list[Numbered], file: str) -> None:
        """The run begins."""

    def event(self, event: Event) -> None:
        """An event was written to the journal."""

    def output(self, step: Numbered, text: str) -> None:
        """A step printed something."""

    def progress(self, step: Numbered, data: dict[str, Any]) -> None:
        """A step says how far it is: {done, total, unit, message}."""

    def log(self, message: str) -> None:
        """Something a person should know."""

    def failed(self, step: Numbered, outcome: Outcome, allowed: bool) -> None:
        """A step failed for good."""

    def end(self, state: State) -> None:
        """The run is over."""

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Show nothing while a question is on the terminal."""
        yield

    def close(self) -> None:
        """Release the terminal."""
