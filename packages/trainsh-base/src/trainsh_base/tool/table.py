"""Formats rows of text as aligned lines of limited width: one line per row, long texts cut with an ellipsis."""

import re
from collections.abc import Iterable

from trainsh_base.system.printable import printable

GAP = "  "
LEAST = 10  # columns; no text is cut to fewer, because the rest would be useless
SHORT = 12  # columns; a shorter text is not cut
AMOUNT = 24  # columns; a shorter text with a digit in its first word is an amount, which is never cut
HEAD = 5  # columns; a heading that is wider than the values below it may be cut to this width


def draw(heads: list[str], rows: list[list[str]], *, whole: list[int], width: int | None) -> list[str]:
    """Return the heading and the rows as lines.

    If `width` is None, nothing is cut or left out. Otherwise empty columns are left out. If the table is still too
    wide, long texts are cut, but never those in columns whose index is in `whole`. If it is still too wide, columns
    are left out, the rightmost first. So the first columns of a table should be the most important.
    """
    columns = [[_flat(head), *(_flat(row[index]) for row in rows)] for index, head in enumerate(heads)]
    kept = list(range(len(heads)))
    if width is not None:
        kept = [index for index in kept if any(columns[index][1:])] or kept[:1]
    sizes = {index: max(map(cells, columns[index])) for index in kept}
    if width is not None:
        least = {index: _least(columns[index], whole=index in whole) for index in kept}
        sizes = _fit(sizes, least, width)
    return [
        GAP.join(_pad(cut(columns[index][row], size), size) for index, size in sizes.items()).rstrip()
        for row in range(len(rows) + 1)
    ]


def _least(column: list[str], *, whole: bool) -> int:
    """Return the width to which a column may be cut."""
    head, *values = column
    size = max(map(cells, values), default=0)
    amount = size <= AMOUNT and all(re.match(r"\S*\d", value) for value in values if value)
    least = size if whole or amount or size <= SHORT else LEAST
    return max(least, min(cells(head), HEAD))


def _fit(sizes: dict[int, int], least: dict[int, int], width: int) -> dict[int, int]:
    """Return the columns that fit into `width`, with their sizes.

    The widest columns are made narrower, down to `least`.
    """
    chosen: set[int] = set()
    for index in sizes:
        if not chosen or _total(least[each] for each in chosen | {index}) <= width:
            chosen.add(index)
    fitted = {index: min(size, max(width, least[index])) for index, size in sizes.items() if index in chosen}
    while _total(fitted.values()) > width:
        narrower = [index for index in fitted if fitted[index] > least[index]]
        if not narrower:
            break
        fitted[max(narrower, key=lambda index: fitted[index])] -= 1
    return fitted


def _total(sizes: Iterable[int]) -> int:
    each = list(sizes)
    return sum(each) + len(GAP) * (len(each) - 1)


def _flat(text: str) -> str:
    return " ".join(printable(text, keep="\n\t").split())


def cells(text: str) -> int:
    """Return the number of terminal columns that `text` takes."""
    if text.isascii():
        return len(text)
    import unicodedata  # noqa: PLC0415 - most text is ASCII

    return sum(
        0 if unicodedata.combining(each) or each == "\u200d" else 1 + (unicodedata.east_asian_width(each) in "WF")
        for each in text
    )


def cut(text: str, size: int) -> str:
    """Cut `text` to `size` columns, with an ellipsis at its end, if it is wider."""
    if cells(text) <= size:
        return text
    kept = ""
    for character in text:
        if cells(kept + character) > size - 1:
            break
        kept += character
    return kept.rstrip() + "\u2026"


def _pad(text: str, size: int) -> str:
    return text + " " * (size - cells(text))
