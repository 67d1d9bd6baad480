"""One step in the live view: a line with its state and time and, while it runs, its last output."""

import time
from typing import Any

from trainsh_base.system.units import format_duration
from trainsh_recipe.plan.document import Parallel
from trainsh_recipe.plan.numbering import Numbered
from trainsh_recipe.store.step_log import End

TAIL = 6
SHOWN = 12_000  # how many characters of output are kept for the last TAIL lines
# the fewest columns for a step's text; if fewer remain, the time and the reason after the text are cut
SHORTEST = 24
MARKS = {
    "running": (">", "cyan"), "ok": ("+", "green"), "failed": ("x", "bold red"), "timeout": ("x", "bold red"),
    "lost": ("?", "bold red"), "cancelled": ("-", "yellow"), "skipped": ("-", "dim"),
    "background": ("&", "cyan"), "": (" ", "dim"),
}  # fmt: skip


class Row:
    """One step as it is shown."""

    def __init__(self, step: Numbered) -> None:
        self.step = step
        self.status = ""
        self.attempt = 1  # the number that is shown; 1 if no attempt has failed
        self.began = 0.0
        self.seconds: float | None = None
        self.reason = ""
        self.allowed = False
        self.progress = ""
        self._end = End(SHOWN)

    def feed(self, text: str) -> None:
        """Add output of the step."""
        self._end.feed(text)

    def forget(self) -> None:
        """Drop the output, because a new attempt begins."""
        self._end = End(SHOWN)

    def tail(self) -> list[str]:
        """Return the last lines, including an unfinished one. A carriage return overwrites its line."""
        lines = [line.rpartition("\r")[2] for line in self._end.plain().split("\n")]
        return [line for line in lines if line.strip()][-TAIL:]

    def lines(self, status: str, width: int, text: Any) -> list[Any]:
        """Return the step's line and, while the step runs, its last output. `text` is rich's class `Text`.

        If the step's own text is long, it is cut, so that the time after it is visible.
        """
        mark, style = MARKS.get(status, MARKS[""])
        inner = "  " if "." in self.step.id else ""
        line = text(f"{mark} {inner}{self.step.id:>3}  ", style=style, no_wrap=True, overflow="ellipsis")
        said = text(self._said(), style="dim", no_wrap=True)
        again = f" (attempt {self.attempt})" if self.attempt > 1 else ""
        what = text(self.step.step.text.split("\n")[0] + again, no_wrap=True)
        what.truncate(max(SHORTEST, width - line.cell_len - said.cell_len), overflow="ellipsis")
        line.append_text(what).append_text(said)
        shown = [line]
        if self.status == "running":
            shown += [
                text(f"       | {each}", style="dim", no_wrap=True, overflow="ellipsis") for each in self.tail()
            ]
        return shown

    def _said(self) -> str:
        """Return the time of the step, and its progress or the reason why it failed."""
        seconds = max(0.0, time.time() - self.began) if self.status == "running" else self.seconds
        timed = seconds is not None and not isinstance(self.step.step, Parallel)
        took = f"  {format_duration(seconds or 0.0)}" if timed else ""
        if self.status == "running":
            return f"{took}  {self.progress}".rstrip()
        reason = "" if self.status in ("ok", "") else self.reason.split("\n")[0]
        return f"{took}  {reason}".rstrip()
