"""Formats rows of text as aligned lines of limited width: one line per row, long texts cut with an ellipsis."""

from trainsh_base.system.printable import printable

GAP = "  "
LEAST = 10  # columns; a shorter text would be useless, so a narrower column is left out


def draw(heads: list[str], rows: list[list[str]], *, whole: list[int], width: int | None) -> list[str]:
    """Return the heading and the rows as lines. Columns whose index is in `whole` are never cut.

    If `width` is None, nothing is cut or left out.
    """
    columns = [[_flat(head), *(_flat(row[index]) for row in rows)] for index, head in enumerate(heads)]
    kept = list(range(len(heads)))
    if width is not None:
        kept = [index for index in kept if any(columns[index][1:])] or kept[:1]
    sizes = {index: max(map(cells, columns[index])) for index in kept}
    if width is not None:
        _fit(sizes, [index for index in kept if index not in whole], width)
    return [
        GAP.join(_pad(cut(columns[index][row], size), size) for index, size in sizes.items()).rstrip()
        for row in range(len(rows) + 1)
    ]


def _fit(sizes: dict[int, int], flexible: list[int], width: int) -> None:
    """Make the widest of the `flexible` columns narrower, until all columns fit into `width`.

    If all flexible columns are only LEAST wide, remove the last one of them.
    """
    for index in flexible:
        sizes[index] = min(sizes[index], width)
    while flexible and sum(sizes.values()) + len(GAP) * (len(sizes) - 1) > width:
        widest = max(flexible, key=lambda index: sizes[index])
        if sizes[widest] > LEAST:
            sizes[widest] -= 1
        else:
            del sizes[flexible.pop()]


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
