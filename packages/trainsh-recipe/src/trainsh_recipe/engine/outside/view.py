"""The interface of a view, which shows what a run reports. The views are in ui/."""

import errno
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from trainsh_base.errors import EXIT_HANGUP, EXIT_PIPE
from trainsh_recipe.engine.outcome import Outcome
from trainsh_recipe.engine.outside.cancellation import Leave
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


class GuardedView(View):
    """Passes every call to `view`. If one raises, nothing more is shown, and `on_lost` is called with a Leave.

    A closed pipe or a full disk behind stdout is thus never taken for an error of a step or of the journal.
    """

    def __init__(self, view: View, on_lost: Callable[[Leave], None]) -> None:
        self._view, self._on_lost = view, on_lost
        self.redraws = view.redraws
        self._lock = threading.Lock()
        self._lost = False

    def _show(self, call: Callable[..., None], *arguments: Any) -> None:
        if self._lost:
            return
        try:
            call(*arguments)
        except Exception as error:
            with self._lock:
                first, self._lost = not self._lost, True
            if first:
                self._on_lost(_left_by(error))

    def begin(self, state: State, steps: list[Numbered], file: str) -> None:
        """Pass the call on."""
        self._show(self._view.begin, state, steps, file)

    def event(self, event: Event) -> None:
        """Pass the call on."""
        self._show(self._view.event, event)

    def output(self, step: Numbered, text: str) -> None:
        """Pass the call on."""
        self._show(self._view.output, step, text)

    def progress(self, step: Numbered, data: dict[str, Any]) -> None:
        """Pass the call on."""
        self._show(self._view.progress, step, data)

    def log(self, message: str) -> None:
        """Pass the call on."""
        self._show(self._view.log, message)

    def failed(self, step: Numbered, outcome: Outcome, allowed: bool) -> None:
        """Pass the call on."""
        self._show(self._view.failed, step, outcome, allowed)

    def end(self, state: State) -> None:
        """Pass the call on."""
        self._show(self._view.end, state)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Pass the call on. Errors are raised, because the question in this block needs the terminal too."""
        with self._view.paused():
            yield

    def close(self) -> None:
        """Release the terminal. An error is not reported, because the run is over."""
        with suppress(OSError):
            self._view.close()


def _left_by(error: Exception) -> Leave:
    """Return the request to end a run whose view raised `error`."""
    number = error.errno if isinstance(error, OSError) else None
    if number == errno.EPIPE:
        return Leave(EXIT_PIPE, "the program that read the output has ended")
    if number == errno.EIO:
        return Leave(EXIT_HANGUP, "the terminal is gone")
    from trainsh_base.tool.faces.bug_reports import as_failure  # noqa: PLC0415 - disks are rarely full

    failure = as_failure(error, "train-recipe")
    return Leave(failure.exit_status, f"the output cannot be shown: {failure.message}")
