"""The live view on a terminal: the steps with their state and time, and the last output of the running steps."""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from trainsh_base.system.units import format_duration, format_size
from trainsh_base.tool import gate
from trainsh_base.tool.display import colour_wanted, fitted, number
from trainsh_recipe.engine.outcome import Outcome
from trainsh_recipe.engine.outside.view import View
from trainsh_recipe.plan.document import Execute, Parallel
from trainsh_recipe.plan.numbering import Numbered
from trainsh_recipe.store import rented
from trainsh_recipe.store.jobs import short
from trainsh_recipe.store.journal import Event, seconds_of
from trainsh_recipe.store.state import State
from trainsh_recipe.ui.views.keyboard import Keyboard
from trainsh_recipe.ui.views.row import Row
from trainsh_recipe.ui.views.summary import billing, failure, summary, unnoticed

REFRESH = 8  # redraws per second


class Live(View):
    """Draws with the library rich. The drawing thread loads rich, so that no step waits until it is loaded."""

    redraws = True

    def __init__(self, *, watching: bool = False) -> None:
        self._keys = "Ctrl-C: stop watching" if watching else "Ctrl-C: detach, pause, cancel"
        self._lock = threading.RLock()
        self._rows: dict[str, Row] = {}
        self._state = State()
        self._file = ""
        self._live: Any = None
        self._make: Callable[[], Any] | None = None  # makes a drawing; set by the drawing thread
        self._asking = 0  # questions on the terminal
        self._later: list[str] = []  # messages that wait for the end of a question
        self._quit = threading.Event()
        self._shown = threading.RLock()
        self._closing = False
        self._here = 0
        self._keyboard = Keyboard()

    def begin(self, state: State, steps: list[Numbered], file: str) -> None:
        """Start drawing."""
        self._state, self._file = state, file
        self._rows = {step.id: Row(step) for step in steps}
        for id, done in state.steps.items():
            if id in self._rows and done.over and not (done.closing and done.round < state.round):
                self._rows[id].status, self._rows[id].seconds = done.status, done.seconds
        self._here = _needed_until(steps)
        print(f"job {short(state.id)}: {state.name} ({file})", flush=True)
        self._keyboard.hush()
        threading.Thread(target=self._draw, daemon=True, name="live view").start()

    def event(self, event: Event) -> None:
        """Update the row of a step that began or ended."""
        with self._lock:
            row = self._rows.get(event.get("step", ""))
            if event["event"] == "step.started" and row:
                row.status, row.began = "running", seconds_of(event["t"])
                row.attempt = 1 if event.get("repeated") else event["attempt"]
                row.seconds, row.reason = None, ""
                row.forget()
            elif event["event"] == "step.finished" and row:
                row.status, row.seconds = event["status"], event.get("seconds")
                row.reason, row.allowed = event.get("reason", ""), event.get("allowed", False)
                cause = self._rows.get(event.get("cause", ""))
                if cause:  # the background step whose failure ended this wait
                    cause.status = row.status
            elif event["event"] == "background" and row and event.get("exit"):
                row.status, row.reason, row.allowed = "failed", f"exit {event['exit']}, in the background", True
            elif event["event"] == "finally.started":
                self._closing = True
            elif event["event"] == "question":
                for each in self._rows.values():
                    each.began += event["seconds"] if each.status == "running" else 0.0
        if event["event"] == "notify":
            self.log(f"notify: {event['message']}")

    def output(self, step: Numbered, text: str) -> None:
        """Add output to the step's last lines."""
        with self._lock:
            if step.id in self._rows:
                self._rows[step.id].feed(text)

    def progress(self, step: Numbered, data: dict[str, Any]) -> None:
        """Show progress next to the step."""
        done, total = number(data.get("done")), number(data.get("total"))
        share = f"{100 * done / total:.0f}% " if total else ""
        amount = format_size(done) if data.get("unit") == "bytes" else f"{done:g}"
        with self._lock:
            if step.id in self._rows:
                self._rows[step.id].progress = f"{share}{amount} {data.get('message') or ''}".strip()

    def log(self, message: str) -> None:
        """Print a message above the view."""
        self._say(fitted(message))

    def _say(self, text: str) -> None:
        """Print a text, which may have colours, above the view.

        If a question is open, wait for its answer first.
        """
        with self._shown:
            if self._asking and not self._quit.is_set():
                self._later.append(text)
            elif self._live is not None:
                from rich.text import Text

                self._live.console.print(Text.from_ansi(gate.clean(text)))
            else:
                print(text, file=sys.stderr, flush=True)

    def failed(self, step: Numbered, outcome: Outcome, allowed: bool) -> None:
        """Print the report of a failure above the view, where it stays."""
        if not allowed:
            self._say(failure(step, outcome, self._file))

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Remove the view while a question is on the terminal, and draw it again below. Meanwhile messages wait."""
        with self._shown:
            self._asking += 1
            self._erase()
            self._keyboard.restore(forget=True)
        try:
            yield
        finally:
            with self._shown:
                self._asking = max(0, self._asking - 1)
                self._show_later()
                if not self._asking and self._make is not None and not self._quit.is_set():
                    self._live = self._make()
                    self._live.start(refresh=True)
                if not self._asking and not self._quit.is_set():
                    self._keyboard.hush()

    def _erase(self) -> None:
        if self._live is not None:
            self._live.transient = True  # so that `stop` erases the lines
            self._live.stop()
            self._live = None

    def _show_later(self) -> None:
        later, self._later = self._later, []
        for text in later:
            print(text, file=sys.stderr, flush=True)

    def end(self, state: State) -> None:
        """Leave the last picture on the screen. Below it, print the last step's output and how the job ended."""
        self.close()
        if state.status == "ok":
            for line in self._last_output():
                print(f"  | {line}", flush=True)
        print(fitted(summary(state)), flush=True)
        for line in [*unnoticed(state), *billing(state)]:
            self.log(line)

    def _last_output(self) -> list[str]:
        """Return the last lines of the last step that has output."""
        with self._lock:
            return next((row.tail() for row in reversed(self._rows.values()) if row.tail()), [])

    def close(self) -> None:
        """Release the terminal."""
        self._quit.set()
        with self._shown:
            if self._asking and self._make is not None:  # a limit ended the job before the question was answered
                print(file=sys.stderr, flush=True)
                self._show_later()
                self._live = self._make()
                self._live.start(refresh=True)
                self._asking = 0
            if self._live is not None:
                self._live.stop()
                self._live = None
            self._show_later()
            self._keyboard.restore()

    # Drawing

    def _draw(self) -> None:
        from rich.live import Live as Drawing

        console = gate.console(sys.stdout, no_color=not colour_wanted(sys.stdout))

        def make() -> Any:
            return Drawing(
                get_renderable=lambda: self._picture(console), console=console, auto_refresh=False,
                transient=False, redirect_stdout=False, redirect_stderr=False,
            )  # fmt: skip

        with self._shown:
            if self._quit.is_set():
                return
            self._make = make
            if not self._asking:
                self._live = make()
                self._live.start(refresh=True)
        while not self._quit.wait(1 / REFRESH):
            with self._shown:
                if self._live is not None:
                    self._live.refresh()

    def _picture(self, console: Any) -> Any:
        from rich.console import Group
        from rich.text import Text

        with self._lock:
            lines: list[Any] = []
            footer = self._footer(console.size.width)
            for row in self._window(console.size.height - len(footer)):
                status = self._block(row) if isinstance(row.step.step, Parallel) else self._status(row)
                lines += row.lines(status, console.size.width, Text)
            for line in footer:
                lines.append(Text(line, style="dim", no_wrap=True, overflow="ellipsis"))
        return Group(*lines)

    def _window(self, height: int) -> list[Row]:
        """Return the rows that fit on the screen: those around the running step or, if none runs, the step that ran
        last. `height` is what the footer leaves of the screen.
        """
        rows = list(self._rows.values())
        running = [index for index, row in enumerate(rows) if row.status == "running"]
        room = max(3, height - 2 - sum(len(rows[index].tail()) for index in running))
        if len(rows) <= room:
            return rows
        last = max((index for index, row in enumerate(rows) if row.status), default=0)
        focus = running[-1] if running else last
        first = min(max(0, focus - room // 2), len(rows) - room)
        return rows[first : first + room]

    def _status(self, row: Row) -> str:
        """Return the row's status. For a background step it is "background" until the step is known to be ok."""
        step = row.step.step
        if row.status != "ok" or not isinstance(step, Execute) or not step.background:
            return row.status
        state = self._state.steps.get(row.step.id)
        return "ok" if state is not None and state.settled else "background"

    def _block(self, row: Row) -> str:
        """Return a parallel block's state: "running" while a step runs, else that of a failed step, else "ok"."""
        states = [self._rows[child.id].status for child in row.step.children if child.id in self._rows]
        for status in ("running", "failed", "timeout", "lost", "cancelled"):
            if status in states:
                return status
        return "ok" if states and all(states) else ""

    def _elapsed(self) -> float:
        """Return the seconds for which the job has run, in all its processes together."""
        state = self._state
        if state.ended or not state.last:
            return state.seconds or state.active
        return state.active + max(0.0, time.time() - seconds_of(state.last))

    def _footer(self, width: int) -> list[str]:
        """Return two lines, or more where their parts do not fit into `width`.

        The first has the job's progress and cost, the second how long a machine is kept or needed, and the keys.
        """
        rows = [row for row in self._rows.values() if not isinstance(row.step.step, Parallel)]
        done = sum(row.status in ("ok", "skipped") or (row.allowed and row.status != "running") for row in rows)
        hosts = sorted({session.where for session in self._state.sessions.values() if session.open})
        hosts = [name for name in hosts if name not in self._state.stopped]
        first = [f"{done}/{len(rows)} steps", format_duration(self._elapsed())]
        if hosts:
            first.append(f"on {', '.join(hosts)}")
        machines = list(self._state.instances.values())
        first.append(rented.spending(rented.total(machines, self._now())))
        lines = _packed(first, width)
        if not self._quit.is_set():
            needed = f"this machine is needed until step {self._here}" if self._here and not self._closing else ""
            lines += _packed([self._kept() or needed, self._keys], width)
        return lines

    def _now(self) -> float:
        return seconds_of(self._state.ended) if self._state.ended else time.time()

    def _kept(self) -> str:
        """Return a text that tells until when machines are kept, or ""."""
        held = self._state.held
        at = time.strftime("%H:%M", time.localtime(seconds_of(held.until))) if held else ""
        return f"{', '.join(held.hosts)} is kept until {at}" if held else ""


def _packed(parts: list[str], width: int) -> list[str]:
    """Join the parts that are not empty, and begin a new line before a part that does not fit into `width`."""
    lines: list[str] = []
    for part in filter(None, parts):
        if lines and len(lines[-1]) + 2 + len(part) <= width:
            lines[-1] += f"  {part}"
        else:
            lines.append(part)
    return lines


def _needed_until(steps: list[Numbered]) -> int:
    """Return the number of the last step, or 0 if there are no steps.

    This machine is needed until that step, because it sends each step to the step's host.
    """
    main = [step for step in steps if not step.closing and "." not in step.id]
    return int(main[-1].id) if main else 0
