"""What of a run is seen, where: the interface, and the plain lines for pipes, files and logs."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from trainsh_base.request import Request
from trainsh_base.system.units import format_duration
from trainsh_base.tool.display import colour_wanted
from trainsh_recipe.journal import Event
from trainsh_recipe.outcome import Outcome
from trainsh_recipe.plan import Numbered, leaves
from trainsh_recipe.state import State
from trainsh_recipe.steplog import Plain

FOLDED = 1 << 16  # characters of one line after which another begins
WORDS = {
    "ok": "ok", "failed": "failed", "timeout": "timed out", "lost": "lost", "cancelled": "cancelled",
    "skipped": "skipped",
}  # fmt: skip


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
        """The terminal belongs to a question."""
        yield

    def close(self) -> None:
        """Let go of the terminal."""


class JsonLines(View):
    """Events and output as the request's own events: `--jsonl`, and programs on the other side of `serve`."""

    def __init__(self, request: Request) -> None:
        self._request = request

    def event(self, event: Event) -> None:
        """Pass it on; `kind` is taken by the protocol, so a step's or job's own is `of`."""
        data = {"of" if key == "kind" else key: value for key, value in event.items() if key != "event"}
        self._request.emit(event["event"], **data)

    def output(self, step: Numbered, text: str) -> None:
        """Pass it on."""
        self._request.emit("output", step=step.id, data=text)

    def progress(self, step: Numbered, data: dict[str, Any]) -> None:
        """Pass it on."""
        kept = {key: value for key, value in data.items() if key not in ("kind", "request")}
        self._request.emit("progress", step=step.id, **kept)

    def log(self, message: str) -> None:
        """Pass it on."""
        self._request.emit("log", message=message)


class Lines(View):
    """A line when a step begins and one when it ends; with `show_output` what it prints, each line behind a bar."""

    def __init__(self, *, show_output: bool = False) -> None:
        self._show_output = show_output
        self._lock = threading.RLock()
        self._steps: dict[str, Numbered] = {}
        self._width = 1
        self._file = ""
        self._plain: dict[str, tuple[Plain, str]] = {}
        self._told: dict[str, float] = {}

    def begin(self, state: State, steps: list[Numbered], file: str) -> None:
        """Which job of which recipe."""
        self._steps = {step.id: step for step in steps}
        self._width = max((len(step.id) for step in steps), default=1)
        self._file = file
        again = f", attempt {state.round}" if state.round > 1 else ""
        self._say(f"job {state.id}: {state.name}, {len(leaves(steps))} steps{again}")

    def event(self, event: Event) -> None:
        """The lines that the events mean."""
        kind = event["event"]
        if kind == "step.started":
            self._started(event)
        elif kind == "step.finished":
            self._finished(event)
        elif kind == "finally.started" and any(step.closing for step in self._steps.values()):
            self._say(f"finally (the job is {WORDS.get(event['status'], event['status'])})")
        elif kind == "notify":
            self._say(f"notify: {event['message']}")

    def _started(self, event: Event) -> None:
        again = f" (attempt {event['attempt']})" if event["attempt"] > 1 else ""
        text = event["text"].split("\n")[0]
        more = " ..." if "\n" in event["text"] else ""
        self._say(f"{event['step']:>{self._width}}  {text}{more}{again}")

    def _finished(self, event: Event) -> None:
        with self._lock:
            plain, rest = self._plain.pop(event["step"], (None, ""))
            if plain is not None and (rest + plain.flush()).strip():
                self._print(f"{'':>{self._width + 9}} | {rest}")
        word = WORDS.get(event["status"], event["status"])
        reason = f": {event['reason']}".split("\n")[0] if event.get("reason") else ""
        seconds = f" in {format_duration(event['seconds'])}" if event.get("seconds") is not None else ""
        allowed = " (allowed)" if event.get("allowed") and event["status"] not in ("ok", "skipped") else ""
        self._say(f"{event['step']:>{self._width}}  {word}{allowed}{seconds}{reason}")

    def output(self, step: Numbered, text: str) -> None:
        """Whole lines, each behind a bar."""
        if not self._show_output:
            return
        with self._lock:
            plain, rest = self._plain.setdefault(step.id, (Plain(), ""))
            *lines, rest = (rest + plain.feed(text)).split("\n")
            rest = rest.rpartition("\r")[2]  # a progress bar need not end its line
            if len(rest) > FOLDED:
                lines, rest = [*lines, rest], ""
            if lines:
                bar = f"{'':>{self._width + 9}} | "
                self._print("\n".join(bar + line.rpartition("\r")[2] for line in lines))
            self._plain[step.id] = (plain, rest)

    def progress(self, step: Numbered, data: dict[str, Any]) -> None:
        """Not in lines: a log that is read later has no use for it."""

    def log(self, message: str) -> None:
        """On stderr."""
        with self._lock:
            sys.stdout.flush()
            print(message, file=sys.stderr, flush=True)

    def failed(self, step: Numbered, outcome: Outcome, allowed: bool) -> None:
        """The line of the recipe, what became of it, the last lines of its output; on stderr."""
        if allowed:
            return
        with self._lock:
            sys.stdout.flush()
            print(failure(step, outcome, self._file), file=sys.stderr, flush=True)

    def end(self, state: State) -> None:
        """How it ended."""
        self._say(summary(state))

    def _say(self, text: str) -> None:
        self._print(f"{time.strftime('%H:%M:%S')} {text}")

    def _print(self, line: str) -> None:
        with self._lock:
            sys.stdout.write(line + "\n")
            sys.stdout.flush()


def failure(step: Numbered, outcome: Outcome, file: str) -> str:
    """The block that a person sees when a step fails."""
    red, off = ("\x1b[1;31m", "\x1b[0m") if colour_wanted(sys.stderr) else ("", "")
    word = WORDS.get(outcome.status, outcome.status)
    reason, _, hints = outcome.reason.partition("\n")
    what = f"step {step.id} {word}: {reason or f'exit {outcome.exit}'}"
    lines = [f"{red}{file}:{step.step.span.line}:{off} {what}"]
    lines += [f"  {line}" for line in step.step.text.split("\n")[:6]]
    lines += [f"  {line}" for line in hints.split("\n") if line]
    if outcome.tail:
        lines += ["  last lines of its output:", *(f"  | {line}" for line in outcome.tail)]
    return "\n".join(lines)


def summary(state: State) -> str:
    """One line on a job that is over; after a failure also where to look, and how to go on."""
    word = WORDS.get(state.status, state.status)
    reason = f": {state.reason}" if state.reason and state.status != "ok" else ""
    line = f"job {state.id} {word} in {format_duration(state.seconds)}{reason}"
    if state.status != "failed":
        return line
    if any(session.open for session in state.sessions.values()):
        line += f"\n  look around in its session: train recipe attach {state.id}"
    return line + f"\n  go on from there: train recipe resume {state.id}"


def billing(state: State) -> list[str]:
    """A line, in red, for each rented thing that still costs money: its price, and how to stop it."""
    red, off = ("\x1b[1;31m", "\x1b[0m") if colour_wanted(sys.stderr) else ("", "")
    lines = []
    for each in state.billing():
        price = each.get("price_per_hour")
        cost = f" at {price:g} $ an hour" if isinstance(price, (int, float)) else ""
        provider, id = each.get("provider"), each.get("id")
        lines.append(f"{red}{provider} {id} is still running{cost}:{off} train {provider} stop {id}")
    return lines


class Output(View):
    """`train exec`: what the commands print, on stdout, and nothing else; escapes only to a terminal."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._plain: dict[str, Plain] = {}
        self._escapes = sys.stdout.isatty()

    def output(self, step: Numbered, text: str) -> None:
        """As it comes, with plain newlines."""
        with self._lock:
            plain = self._plain.setdefault(step.id, Plain())
            sys.stdout.write(text.replace("\r\n", "\n") if self._escapes else plain.feed(text))
            sys.stdout.flush()

    def event(self, event: Event) -> None:
        """The end of a step lets out what was held; messages of notify are output too."""
        with self._lock:
            if event["event"] == "step.finished" and event["step"] in self._plain:
                sys.stdout.write(self._plain.pop(event["step"]).flush())
                sys.stdout.flush()
            elif event["event"] == "notify":
                print(event["message"], flush=True)

    def log(self, message: str) -> None:
        """On stderr."""
        print(message, file=sys.stderr, flush=True)

    def failed(self, step: Numbered, outcome: Outcome, allowed: bool) -> None:
        """A command's own failure needs no words: its output and its status say it."""
        if outcome.error is None and outcome.status != "failed":
            self.log(f"step {step.id}: {outcome.reason or outcome.status}")
