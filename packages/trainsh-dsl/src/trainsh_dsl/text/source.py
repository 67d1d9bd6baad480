"""Holds the text of a recipe, and converts offsets to lines and columns."""

from bisect import bisect_right
from itertools import accumulate

from trainsh_dsl.document.diagnostic import Position, Range
from trainsh_dsl.document.plan import Span
from trainsh_dsl.text.patterns import lazy

_EDITOR_BREAK = lazy(r"\r\n|\n|\r")


def decode(data: bytes) -> str:
    """Decode UTF-8. A byte that is not UTF-8 becomes a lone surrogate, and the parser reports it."""
    return data.decode("utf-8", "surrogateescape")


class Source:
    """The text of a recipe without a byte order mark. In a CRLF file, the carriage returns are left out too."""

    def __init__(self, text: str) -> None:
        text = text.removeprefix("\ufeff")
        first = text.find("\n")
        if first > 0 and text[first - 1] == "\r":
            text = text.replace("\r\n", "\n")
        self.text = text
        self.lines = text.split("\n")
        self.starts = [0, *accumulate(len(line) + 1 for line in self.lines)]
        self._editor_starts: list[int] | None = None

    def line_of(self, offset: int) -> int:
        """The index, from 0, of the line that contains `offset`."""
        return min(bisect_right(self.starts, offset), len(self.lines)) - 1

    def place(self, offset: int) -> tuple[int, int]:
        """The line and the column of `offset`. Both count from 1."""
        line = self.line_of(offset)
        return line + 1, offset - self.starts[line] + 1

    def span(self, start: int, end: int) -> Span:
        """The text from `start` up to `end` as lines and columns."""
        line, column = self.place(start)
        end_line, end_column = self.place(end)
        return Span(line=line, column=column, end_line=end_line, end_column=end_column)

    def range(self, start: int, end: int) -> Range:
        """The text from `start` up to `end` as an editor's range.

        In this function, unlike in `span`, a carriage return by itself also ends a line.
        """
        return Range(start=self._position(start), end=self._position(end))

    def _position(self, offset: int) -> Position:
        if self._editor_starts is None:
            self._editor_starts = self.starts
            if "\r" in self.text:
                self._editor_starts = [0, *(found.end() for found in _EDITOR_BREAK.finditer(self.text))]
        line = max(0, bisect_right(self._editor_starts, min(offset, len(self.text))) - 1)
        before = self.text[self._editor_starts[line] : offset]
        wide = 0 if before.isascii() else sum(ord(char) > 0xFFFF for char in before)
        return Position(line=line, character=len(before) + wide)

    def offset(self, position: Position) -> int:
        """The offset of an editor's position.

        A position behind the end of a line means the end of this line. A position behind the end of the text means
        the end of the text.
        """
        self._position(0)
        starts = self._editor_starts or [0]
        if position.line >= len(starts):
            return len(self.text)
        offset, units = starts[position.line], position.character
        while units > 0 and offset < len(self.text) and self.text[offset] not in "\r\n":
            units -= 2 if ord(self.text[offset]) > 0xFFFF else 1
            offset += 1
        return offset
