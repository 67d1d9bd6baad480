"""Finds where here-documents end."""

from bisect import bisect_right
from collections.abc import Iterable

from trainsh_dsl.text.source import Source


class HereIndex:
    """An index that maps the content of a line to the numbers of the lines with this content.

    It makes finding the end of a here-document fast.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._plain: dict[str, list[int]] | None = None
        self._tabbed: dict[str, list[int]] | None = None

    def find(self, tag: str, tabs: bool, after: int) -> int:
        """The number of the first line after the line `after` that consists of `tag`, or -1 if there is none.

        If `tabs` is true, the line may have tabs before `tag`.
        """
        if tabs:
            if self._tabbed is None:
                self._tabbed = _index(line.lstrip("\t") for line in self._source.lines)
            where = self._tabbed.get(tag, [])
        else:
            if self._plain is None:
                self._plain = _index(self._source.lines)
            where = self._plain.get(tag, [])
        place = bisect_right(where, after)
        return where[place] if place < len(where) else -1


def _index(lines: Iterable[str]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for number, line in enumerate(lines):
        found.setdefault(line, []).append(number)
    return found
