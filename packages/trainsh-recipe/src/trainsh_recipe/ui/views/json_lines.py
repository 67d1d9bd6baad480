"""The view for programs: events and output as JSON, for `--jsonl` and clients of `serve`."""

from typing import Any

from trainsh_base.request import Request
from trainsh_recipe.engine.outside.view import View
from trainsh_recipe.plan.numbering import Numbered
from trainsh_recipe.store.journal import Event
from trainsh_recipe.store.state import State
from trainsh_recipe.ui.views.summary import billing


class JsonLines(View):
    """Emits events and output as events of the request, for `--jsonl` and clients of `serve`."""

    def __init__(self, request: Request) -> None:
        self._request = request

    def event(self, event: Event) -> None:
        """Emit an event of the journal. Its `kind` is sent as `of`, because the protocol itself uses `kind`."""
        data = {"of" if key == "kind" else key: value for key, value in event.items() if key != "event"}
        self._request.emit(event["event"], **data)

    def output(self, step: Numbered, text: str) -> None:
        """Emit output of a step."""
        self._request.emit("output", step=step.id, data=text)

    def progress(self, step: Numbered, data: dict[str, Any]) -> None:
        """Emit the progress of a step."""
        kept = {key: value for key, value in data.items() if key not in ("kind", "request")}
        self._request.emit("progress", step=step.id, **kept)

    def log(self, message: str) -> None:
        """Emit a message for people."""
        self._request.emit("log", message=message)

    def end(self, state: State) -> None:
        """Emit a message for everything that still costs money."""
        for line in billing(state):
            self.log(line)
