"""The menu on Ctrl-C while a job runs in the foreground."""

import os
import sys

from trainsh_base.request import current
from trainsh_base.tool.gate import raw
from trainsh_recipe.engine.outside import signals
from trainsh_recipe.engine.outside.cancellation import Cancel, Leave
from trainsh_recipe.engine.run import Run

CHOICES = (
    "[d]etach: finish in the background", "[p]ause: leave, resume later", "[c]ancel: end the step, run finally",
    "[Enter] keep watching",
)  # fmt: skip
PROMPT = "d, p, c or Enter: "


def menu(run: Run) -> None:
    """Raise Leave or Cancel as the person chooses, or return to continue. Without a terminal it raises Leave."""
    if not on_terminal() or run.questions.open or not current().for_people:
        signals.interrupted()
    with run.view.paused():
        asked = question(run.job.id, columns())
        sys.stderr.write(asked)
        lines = asked.count("\n")
        while True:
            lines += 1
            sys.stderr.write(PROMPT)
            sys.stderr.flush()
            line = os.read(0, 1000)
            word = line.decode(errors="replace").strip().lower()[:1]
            if not line or word == "p":
                signals.interrupted()
            if word == "d":
                raise Leave(0, "sent to the background", background=True)
            if word == "c":
                raise Cancel("cancelled by Ctrl-C", 130)
            if not word:
                if run.view.redraws:
                    terminal = raw(sys.stderr)
                    terminal.write(f"\x1b[{lines}A\x1b[J")  # erases the menu; the view is drawn in the same place
                    terminal.flush()
                return


def question(id: str, columns: int) -> str:
    """Return the question as one line if that fits into `columns`, else with one choice per line."""
    line = "   ".join([f"Job {id[-4:]} is still running.", *CHOICES])
    if len(line) < columns:
        return line + "\n"
    return "\n  ".join([f"Job {id[-4:]} is still running.", *CHOICES]) + "\n"


def columns() -> int:
    """Return the width of the terminal, in columns."""
    try:
        return os.get_terminal_size(2).columns
    except OSError:
        return 80


def on_terminal() -> bool:
    """Return whether there is a terminal to ask on."""
    return sys.stdin.isatty() and sys.stderr.isatty()
