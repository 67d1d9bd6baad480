"""The view of `train exec`: only the commands' output."""

import sys
import threading

from trainsh_base.system.printable import Printable
from trainsh_base.tool.gate import raw
from trainsh_recipe.engine.outcome import Outcome
from trainsh_recipe.engine.outside.view import View
from trainsh_recipe.plan.numbering import Numbered
from trainsh_recipe.store.journal import Event
from trainsh_recipe.store.state import State
from trainsh_recipe.store.step_log import plain_text


class Output(View):
    """Prints only the commands' output, on stdout. Escape sequences are removed if stdout is no terminal."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._plain: dict[str, Printable] = {}
        self._escapes = sys.stdout.isatty()

    def output(self, step: Numbered, text: str) -> None:
        """Print output as it arrives, with plain newlines."""
        with self._lock:
            plain = self._plain.setdefault(step.id, plain_text())
            out = raw(sys.stdout) if self._escapes else sys.stdout
            out.write(text.replace("\r\n", "\n") if self._escapes else plain.feed(text))
            out.flush()

    def event(self, event: Event) -> None:
        """Print the messages of notify and, when a step ends, the output that was held back."""
        with self._lock:
            if event["event"] == "step.finished" and event["step"] in self._plain:
                sys.stdout.write(self._plain.pop(event["step"]).flush())
                sys.stdout.flush()
            elif event["event"] == "notify":
                print(event["message"], flush=True)

    def log(self, message: str) -> None:
        """Print the message on stderr."""
        print(message, file=sys.stderr, flush=True)

    def failed(self, step: Numbered, outcome: Outcome, allowed: bool) -> None:
        """Print nothing for a command's own failure, because its output and exit status show the failure."""
        if outcome.error is None and outcome.status != "failed":
            self.log(f"step {step.id}: {outcome.reason or outcome.status}")

    def end(self, state: State) -> None:
        """Print what still costs money."""
        from trainsh_recipe.ui.views.summary import billing  # noqa: PLC0415 - loaded while the first request is at work

        for line in billing(state):
            self.log(line)
