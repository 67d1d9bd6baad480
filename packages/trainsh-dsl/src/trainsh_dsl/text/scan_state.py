"""The state of a scan of a command: what it has found, and which constructs are open.

The module also has the errors for constructs that are never closed.
"""

import re

import msgspec

from trainsh_dsl.text.heredocs import HereIndex
from trainsh_dsl.text.patterns import lazy
from trainsh_dsl.text.source import Source

STEP_LIKE = lazy(
    r"""[ \t]*(?:@[A-Za-z_][\w-]*(?:[ \t]+\w+=\S*)*[ \t]*>(?!=)
        |@[A-Za-z_][\w-]*:\S*[ \t]+->[ \t]|wait[ \t]+@[A-Za-z_]
        |[a-z][a-z0-9-]*\.[a-z_]+[ \t]+(?:@[A-Za-z_]|[a-z_]+=\S|\d+[ \t]*$)|notify[ \t]+["'])""",
    re.VERBOSE | re.MULTILINE,
)
_CASE = lazy(r"case[ \t]+\S+[ \t]+in(?=\s)")

COMMANDS = ("$(", "(", "`")
_CLOSERS = {"$(": ")", "(": ")", "`": "`", "${": "}", "((": "))", "in((": ")"}


class Frame(msgspec.Struct):
    """An open construct: the text that opened it, its offset, and how many `case`s in it have no `esac` yet."""

    what: str
    at: int
    cases: int = 0


class Problem(Exception):
    """A command cannot be read.

    The parser then assumes that the command ends with the line that contains `start`.
    """

    def __init__(self, code: str, start: int, end: int, message: str, hint: str) -> None:
        super().__init__(message)
        self.finding = (code, start, end, message, hint)
        self.start = start


class ScanState:
    """The state of a scan. It records words, operators and open constructs as offsets into the source's text."""

    def __init__(self, source: Source, here: HereIndex, start: int) -> None:
        self.source = source
        self.text = source.text
        self.here = here
        self.start = start
        self.end = start
        self.amp = -1
        self.literal: list[tuple[int, int]] = []  # the parts (start, end) in which the shell expands nothing
        self.single: list[tuple[int, int]] = []  # those parts of `literal` that are in single quotes
        self.ticks: list[tuple[int, int]] = []
        self.comments: list[tuple[int, int]] = []
        # tuples (depth, "w" for a word or "o" for an operator, start, end)
        self.tokens: list[tuple[int, str, int, int]] = []
        self.problem: Problem | None = None
        self._stack: list[Frame] = []
        self._quotes = 0
        self._first_quote = -1
        self._open_ticks = 0
        self._depth = 0
        self._piece_end = -1
        self._pending: list[tuple[int, int, str, bool, bool]] = []

    def _push(self, what: str, pos: int) -> None:
        self._stack.append(Frame(what, pos))
        if what == "$(":
            self._depth += 1
            self._piece_end = -1

    def _pop(self) -> int:
        return self._stack.pop().at

    def _close_word(self, end: int) -> None:
        what = self._stack[-1].what
        opened = self._pop()
        if what in ("$(", "("):
            self._depth -= 1
        self._piece(opened, end)

    def _piece(self, start: int, end: int) -> int:
        if self._stack and self._stack[-1].what not in COMMANDS:
            return end
        if self._piece_end == start and self.tokens and self.tokens[-1][3] == start:
            depth, kind, begun, _ = self.tokens.pop()
            self.tokens.append((depth, kind, begun, end))
        else:
            self.tokens.append((self._depth, "w", start, end))
        self._piece_end = end
        self.amp = -1
        return end

    def _count_case(self, word: str, pos: int) -> None:
        frame = self._stack[-1]
        if word == "case" and _CASE.match(self.text, pos):
            frame.cases += 1
        elif word == "esac":
            frame.cases = max(0, frame.cases - 1)

    def _cross(self, opened: int, close: int) -> None:
        """Raise `Problem` if a line inside a quote looks like a step, because the quote was then probably never
        closed.
        """
        newline = self.text.find("\n", opened, close)
        while newline >= 0:
            self._look_for_step(newline + 1, opened)
            newline = self.text.find("\n", newline + 1, close)

    def _look_for_step(self, line_start: int, opened: int) -> None:
        if STEP_LIKE.match(self.text, line_start):
            line = self.source.line_of(line_start)
            raise Problem(
                "E105", opened, opened + 1,
                f"this quote is still open in line {line + 1}, which looks like a step",
                "close it, or write \\' or \\\" for the character itself",
            )  # fmt: skip

    def _never_closed(self, opened: int) -> Problem:
        return Problem(
            "E105", opened, opened + 1, "this quote is never closed",
            "close it, or write \\' or \\\" for the character itself",
        )  # fmt: skip

    def _check_closed(self) -> None:
        if self._quotes:
            raise self._never_closed(self._first_quote)
        if self._stack:
            frame = self._stack[0]
            opener = frame.what
            raise Problem(
                "E107", frame.at, frame.at + len(opener), f"this {opener} is not closed on its line",
                f"close it with {_CLOSERS[opener]}, or end the line with \\ to continue it on the next",
            )  # fmt: skip

    def _check_last(self) -> None:
        if self.tokens and self.tokens[-1][1] == "o":
            _, _, start, end = self.tokens[-1]
            operator = self.text[start:end]
            if operator in ("&&", "||", "|", "|&"):
                raise Problem(
                    "E107", start, end, f"nothing follows the {operator}",
                    "remove it, or end the line with \\ to continue the command",
                )  # fmt: skip
