"""The view as plain lines, for pipes, files and logs."""

import sys
import threading
import time
from typing import Any

from trainsh_base.system.printable import Printable
from trainsh_base.system.units import format_duration
from trainsh_base.tool.display import fitted
from trainsh_recipe.engine.outcome import Outcome
from trainsh_recipe.engine.outside.view import View
from trainsh_recipe.plan.numbering import Numbered, leaves
from trainsh_recipe.store.jobs import short
from trainsh_recipe.store.journal import Event, seconds_of
from trainsh_recipe.store.state import State
from trainsh_recipe.store.step_log import plain_text
from trainsh_recipe.store.words import WORDS
from trainsh_recipe.ui.views.summary import billing, failure, summary, unnoticed

FOLDED = 1 << 16  # a longer line is broken after this many characters


class Lines(View):
    """Prints a line when a step begins and when it ends.

    With `show_output`, the step's output is printed too, with a bar before each line.
    """

    def __init__(self, *, show_output: bool = False) -> None:
        self._show_output = show_output
        self._lock = threading.RLock()
        self._steps: dict[str, Numbered] = {}
        self._width = 1
        self._file = ""
        self._plain: dict[str, tuple[Printable, str]] = {}
        self._told: dict[str, float] = {}

    def begin(self, state: State, steps: list[Numbered], file: str) -> None:
        """Print the job and the recipe."""
        self._steps = {step.id: step for step in steps}
        self._width = max((len(step.id) for step in steps), default=1)
        self._file = file
        again = f", attempt {state.round}" if state.round > 1 else ""
        count = len(leaves(steps))
        size = "1 step" if count == 1 else f"{count} steps"
        self._say(f"job {short(state.id)}: {state.name}, {size}{again}", state.last)

    def event(self, event: Event) -> None:
        """Print a line for the kinds of events that people should see."""
        kind = event["event"]
        if kind == "step.started":
            self._started(event)
        elif kind == "step.finished":
            self._finished(event)
        elif kind == "finally.started" and any(step.closing for step in self._steps.values()):
            self._say(f"finally (the job is {WORDS.get(event['status'], event['status'])})", event["t"])
        elif kind == "hold.started":
            hosts, at = (
                ", ".join(event["hosts"]),
                time.strftime("%H:%M", time.localtime(seconds_of(event["until"]))),
            )
            self._say(f"{hosts} is kept until {at}", event["t"])
        elif kind == "background" and event.get("exit"):
            self._say(f"{event['step']:>{self._width}}  failed in the background: exit {event['exit']}", event["t"])
        elif kind == "notify":
            self._say(f"notify: {event['message']}", event["t"])

    def _started(self, event: Event) -> None:
        again = f" (attempt {event['attempt']})" if event["attempt"] > 1 and not event.get("repeated") else ""
        text = event["text"].split("\n")[0]
        more = " ..." if "\n" in event["text"] else ""
        self._say(f"{event['step']:>{self._width}}  {text}{more}{again}", event["t"])

    def _finished(self, event: Event) -> None:
        with self._lock:
            plain, rest = self._plain.pop(event["step"], (None, ""))
            if plain is not None and (rest + plain.flush()).strip():
                self._print(f"{'':>{self._width + 9}} | {rest}")
        word = WORDS.get(event["status"], event["status"])
        reason = event.get("reason", "").split("\n")[0]
        if event.get("background") and event["status"] == "ok":
            self._say(f"{event['step']:>{self._width}}  {reason}", event["t"])
            return
        if reason.startswith(word):  # for example `timed out after 5s`
            word, reason = reason, ""
        reason = f": {reason}" if reason else ""
        seconds = f" in {format_duration(event['seconds'])}" if event.get("seconds") is not None else ""
        allowed = " (allowed)" if event.get("allowed") and event["status"] not in ("ok", "skipped") else ""
        line = f"{event['step']:>{self._width}}  {word}{allowed}{seconds}{reason}"
        self._say(fitted(line, len("HH:MM:SS ")), event["t"])

    def output(self, step: Numbered, text: str) -> None:
        """Print complete lines, each behind a bar."""
        if not self._show_output:
            return
        with self._lock:
            plain, rest = self._plain.setdefault(step.id, (plain_text(), ""))
            *lines, rest = (rest + plain.feed(text)).split("\n")
            rest = rest.rpartition("\r")[2]  # a progress bar may never end its line
            if len(rest) > FOLDED:
                lines, rest = [*lines, rest], ""
            if lines:
                bar = f"{'':>{self._width + 9}} | "
                self._print("\n".join(bar + line.rpartition("\r")[2] for line in lines))
            self._plain[step.id] = (plain, rest)

    def progress(self, step: Numbered, data: dict[str, Any]) -> None:
        """Print nothing, because progress is of no use in a log."""

    def log(self, message: str) -> None:
        """Print the message on stderr."""
        with self._lock:
            sys.stdout.flush()
            print(fitted(message), file=sys.stderr, flush=True)

    def failed(self, step: Numbered, outcome: Outcome, allowed: bool) -> None:
        """Print the recipe's line, the reason and the last lines of output, on stderr."""
        if allowed:
            return
        with self._lock:
            sys.stdout.flush()
            print(failure(step, outcome, self._file), file=sys.stderr, flush=True)

    def end(self, state: State) -> None:
        """Print how the job ended, and what still costs money."""
        self._say(fitted(summary(state), len("HH:MM:SS ")), state.ended)
        for line in [*unnoticed(state), *billing(state)]:
            self.log(line)

    def _say(self, text: str, stamp: str = "") -> None:
        """Print a line with the time of the event. If a job is watched, the event may be long past."""
        at = time.localtime(seconds_of(stamp) if stamp else None)
        self._print(f"{time.strftime('%H:%M:%S', at)} {text}")

    def _print(self, line: str) -> None:
        with self._lock:
            sys.stdout.write(line + "\n")
            sys.stdout.flush()
