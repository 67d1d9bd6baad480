"""Reads the comment `# train: ignore W203`, which stands at the end of a statement or on a line above it."""

from trainsh_dsl.diagnostics.catalogue import is_code
from trainsh_dsl.diagnostics.findings import CODE, Findings
from trainsh_dsl.diagnostics.shorten import shorten
from trainsh_dsl.text.patterns import lazy

TRAILING = lazy(r"[ \t](#[ \t]*train:[ \t]*ignore(?:[ \t,]+[A-Z]\d+)*)[ \t\r]*\Z")
_LINE = lazy(r"(#[ \t]*train:[ \t]*ignore\b[^\n]*)\Z")
_EXAMPLE = "write # train: ignore W203"


class Ignores:
    """Reads `train: ignore` comments. Tells `Findings` which warnings to ignore on which lines."""

    def __init__(self, findings: Findings) -> None:
        self.findings = findings
        self.waiting: tuple[int, set[str]] | None = None

    def comment(self, line: str, at: int) -> None:
        """Read the comment line at offset `at`.

        A directive in it applies to the statement that follows the line.
        """
        found = _LINE.match(line.rstrip())
        if found:
            codes = self._codes(found[1], at)
            start, before = self.waiting or (at, set())
            self.waiting = (start, before | codes)

    def statement(self, end: int) -> None:
        """Apply an ignore comment to the statement below the comment. The statement ends at offset `end`."""
        if self.waiting:
            start, codes = self.waiting
            self.findings.ignore(start, end, codes)
            self.waiting = None

    def trailing(self, directive: str, at: int, start: int, end: int) -> None:
        """Apply `directive` to a statement. The directive comes from a comment at the end of this statement.

        The directive stands at offset `at`. The statement goes from offset `start` to offset `end`.
        """
        self.findings.ignore(start, end, self._codes(directive, at))

    def _codes(self, directive: str, at: int) -> set[str]:
        """The codes of warnings in a directive such as `# train: ignore W203, W301`.

        Any other word in the directive is reported with W104.
        """
        listed = directive.partition("ignore")[2].replace(",", " ").split()
        end = at + len(directive)
        for word in listed:
            if not CODE.fullmatch(word) or not is_code(word):
                self.findings.add("W104", at, end, f"{shorten(word)} is not a warning's code", _EXAMPLE)
            elif word[0] == "E":
                message = f"{word} is an error, which cannot be ignored"
                self.findings.add("W104", at, end, message, f"see train dsl explain {word}")
        if not listed:
            self.findings.add("W104", at, end, "ignore has no code", _EXAMPLE)
        return {word for word in listed if word[0] == "W"}
