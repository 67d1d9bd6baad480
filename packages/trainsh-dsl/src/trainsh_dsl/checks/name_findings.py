"""Reports findings about names. Each wrong name is reported only once."""

from trainsh_dsl.diagnostics.findings import Findings
from trainsh_dsl.grammar.syntax import Node


class NameFindings:
    """Adds findings about names. Each name gets at most one error and one warning."""

    def __init__(self, findings: Findings) -> None:
        self.findings = findings
        self._told: set[tuple[str, str]] = set()

    @property
    def told(self) -> int:
        """How many findings this object has added."""
        return len(self._told)

    def tell(self, code: str, name: str, start: int, end: int, message: str, hint: str) -> None:
        """Add a finding, unless `name` already has one of the same severity (error or warning)."""
        key = (code[0], name)
        if key not in self._told:
            self._told.add(key)
            self.findings.add(code, start, end, message, hint)

    def line(self, offset: int) -> int:
        """The line number of an offset, from 1."""
        return self.findings.source.place(offset)[0]

    def at(self, name: str, node: Node, *, last: bool = False) -> int:
        """The offset of `@name` in the statement.

        If `last` is true: the offset of `name`, without `@`, at the statement's end.
        """
        text = self.findings.source.text
        found = text.rfind(name, node.start, node.end) if last else text.find("@" + name, node.start, node.end)
        return found if found >= 0 else node.start
