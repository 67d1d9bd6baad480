"""The request of a person or a pipe. Progress goes to stderr, output to stdout, questions to the terminal."""

import sys
from typing import Any

from trainsh_base.errors import Cancelled, UsageError
from trainsh_base.request import Request, nobody
from trainsh_base.system.printable import Printable, printable
from trainsh_base.system.units import format_size
from trainsh_base.tool.display import colour_wanted, fitted, folded, number, terminal_width
from trainsh_base.tool.gate import raw
from trainsh_base.tool.table import cells, cut
from trainsh_base.tool.wire import encode_text

ANSWER = 10  # columns that stay free after a question, for its default and the answer
ANSWERS = {"y": "yes", "yes": "yes", "n": "no", "no": "no"}
BAR = 10  # width of a progress bar, in characters


class TerminalRequest(Request):
    """A request of a person or a pipe.

    `machine` is `json` (events are dropped), `jsonl` (each event is printed as a line) or "" (for a person).
    """

    def __init__(self, machine: str, *, quiet: bool = False) -> None:
        super().__init__()
        self.quiet = quiet
        self._machine = machine
        self.for_people = not machine
        self._drawn = 0  # width of the progress line on the screen, in columns
        self._plain = Printable()

    def emit(self, kind: str, **data: Any) -> None:
        """Show an event, as the format and the terminal allow."""
        if self._machine == "jsonl":
            sys.stdout.write(encode_text({"event": kind, **data}) + "\n")
            sys.stdout.flush()
        elif kind == "output" and not self._machine:
            self._output(data)
        elif self.quiet and kind in ("progress", "log"):
            return
        elif kind == "progress" and sys.stderr.isatty():
            self._progress(data)
        elif kind == "log":
            self._close_line()
            print(fitted(str(data.get("message", ""))), file=sys.stderr, flush=True)

    def _output(self, data: dict[str, Any]) -> None:
        self._close_line()
        sys.stdout.write(self._plain.feed(str(data.get("data", ""))))
        sys.stdout.flush()

    def _progress(self, data: dict[str, Any]) -> None:
        done, total = number(data.get("done")), number(data.get("total"))
        share = f"{bar(done / total)} {100 * done / total:3.0f}% " if total else ""
        amount = format_size(done) if data.get("unit") == "bytes" else f"{done:g} {data.get('unit', '')}"
        line = printable(f"{share}{amount}  {data.get('message') or ''}".rstrip(), keep="")
        self._draw(cut(line, terminal_width() - 1))

    def _draw(self, line: str) -> None:
        """Show `line` in place of the progress line on the screen.

        If `line` is empty, the progress line is erased.
        """
        erase = "\x1b[K" if colour_wanted(sys.stderr) else " " * (self._drawn - cells(line))
        terminal = raw(sys.stderr)
        terminal.write(f"\r{line}{erase}" + ("" if line else "\r"))
        terminal.flush()
        self._drawn = cells(line)

    def _close_line(self) -> None:
        if self._drawn:
            self._draw("")

    def finish(self) -> None:
        """Print the output that was held back. Erase the progress line, because the answer has its figures."""
        if self.for_people:
            sys.stdout.write(self._plain.flush())
        self._close_line()

    def ask(
        self,
        kind: str,
        message: str,
        *,
        choices: list[str] | None = None,
        default: str | None = None,
        flag: str = "",
    ) -> str:
        """Ask on the terminal. The question goes to stderr.

        Without a terminal, raise UsageError, which names `flag`.
        """
        if self._machine or not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise nobody(message, flag)
        self._close_line()
        message, choices = (
            folded(printable(message, keep="\n"), room=ANSWER),
            [printable(choice, keep="") for choice in choices or []],
        )
        import click

        try:
            return self._asked(kind, message, choices, default)
        except click.Abort as abort:  # click raises it for Ctrl-C and for the end of input
            sys.stderr.write("\n")
            if isinstance(abort.__context__, EOFError):
                raise nobody(message, flag) from None
            raise Cancelled("cancelled") from None

    def _asked(self, kind: str, message: str, choices: list[str] | None, default: str | None) -> str:
        import click

        if kind == "confirm":
            return self._confirmed(f"{message} [{'Y/n' if default == 'yes' else 'y/N'}]", default or "no")
        if kind == "choose" and choices:
            return str(click.prompt(message, type=click.Choice(choices), default=default, err=True))
        if kind in ("secret", "text"):
            hide, show = kind == "secret", bool(default)  # an empty default is not shown (as [])
            return str(click.prompt(message, default=default, hide_input=hide, show_default=show, err=True))
        raise UsageError(f"no such kind of question: {kind!r}")

    def _confirmed(self, question: str, default: str) -> str:
        import click

        while True:
            answer = click.prompt(question, default=default, show_default=False, err=True).strip().lower()
            if answer in ANSWERS:
                return ANSWERS[answer]
            click.echo("answer y or n", err=True)


def bar(share: float) -> str:
    """Return a progress bar such as `[###-------]`. `share`, from 0 to 1, is how much of the work is done."""
    full = min(BAR, max(0, int(share * BAR)))
    return f"[{'#' * full}{'-' * (BAR - full)}]"
