"""The findings, which are the errors and warnings of a recipe.

While a recipe is read, findings have offsets. At the end they become diagnostics with lines and columns.
"""

from trainsh_dsl.document.diagnostic import Diagnostic
from trainsh_dsl.text.patterns import lazy
from trainsh_dsl.text.source import Source

# how many diagnostics of one line are kept; more would take too long, because each one costs a scan of the whole
# line
MOST_ON_A_LINE = 50
LONGEST_SOURCE = 2_000
_SURROGATE = lazy("[\ud800-\udfff]")
CODE = lazy(r"[EW]\d{3}")


class Findings:
    """Collects the findings of the checks as tuples (code, start, end, message, hint).

    Also collects which warnings to ignore. Comments `# train: ignore` tell which warnings to ignore.
    """

    def __init__(self, source: Source) -> None:
        self.source = source
        self.found: list[tuple[str, int, int, str, str]] = []
        self.ignored: list[tuple[int, int, set[str]]] = []
        self.errors = 0

    def add(self, code: str, start: int, end: int, message: str, hint: str = "") -> None:
        """Add a finding about the text from `start` up to `end`.

        A code E... is an error, a code W... is a warning.
        """
        self.found.append((code, start, end, message, hint))
        if code[0] == "E":
            self.errors += 1

    def ignore(self, start: int, end: int, codes: set[str]) -> None:
        """Ignore the warnings that have one of `codes` and begin on a line between the offsets `start` and
        `end`.
        """
        self.ignored.append((start, end, codes))

    def _kept(self) -> list[tuple[str, int, int, str, str]]:
        if not self.ignored:
            return self.found
        gone: dict[str, list[tuple[int, int]]] = {}
        for start, end, codes in self.ignored:
            for code in codes:
                gone.setdefault(code, []).append((start, end))
        return [found for found in self.found if not _within(found[1], gone.get(found[0], []))]

    def diagnostics(self) -> list[Diagnostic]:
        """All findings as diagnostics, in the order of the text."""
        unique = dict.fromkeys(sorted(self._kept(), key=lambda found: (found[1], found[0], found[2])))
        shown: list[Diagnostic] = []
        line, on_line = -1, 0
        for found in unique:
            here = self.source.line_of(found[1])
            on_line = on_line + 1 if here == line else 1
            line = here
            if on_line <= MOST_ON_A_LINE:
                shown.append(self._diagnostic(*found))
        return shown

    def _diagnostic(self, code: str, start: int, end: int, message: str, hint: str) -> Diagnostic:
        source = self.source
        size = len(source.text)
        start, end = min(start, size), min(max(end, start), size)
        line, column = source.place(start)
        text = source.lines[line - 1]
        return Diagnostic(
            code=code,
            severity="error" if code[0] == "E" else "warning",
            line=line,
            column=column,
            length=max(1, min(end, source.starts[line] - 1) - start),
            message=_encodable(message),
            hint=_encodable(hint),
            source=_encodable(text[:LONGEST_SOURCE]),
            range=source.range(start, end),
        )


def _encodable(text: str) -> str:
    """The text with a substitute for each lone surrogate, so that it can be encoded.

    A lone surrogate is a byte that was not UTF-8.
    """
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)


def _within(offset: int, areas: list[tuple[int, int]]) -> bool:
    """Whether `offset` lies in one of the areas. The areas must be sorted and must not overlap."""
    low, high = 0, len(areas)
    while low < high:
        middle = (low + high) // 2
        if areas[middle][1] < offset:
            low = middle + 1
        else:
            high = middle
    return low < len(areas) and areas[low][0] <= offset
