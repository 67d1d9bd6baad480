"""Findings about names: each name is reported once."""

from trainsh_dsl.diagnostics.findings import Findings
from trainsh_dsl.grammar.syntax import Node


class NameFindings:
    """Adds findings about names: one mistake, one message."""

    def __init__(self, findings: Findings) -> None:
        self.findings = findings
        self._told: set[tuple[str, str]] = set()

    @property
    def told(self) -> int:
        """How many names went wrong."""
        return len(self._told)

    def tell(self, code: str, name: str, start: int, end: int, message: str, hint: str) -> None:
        """Add a finding, the first time `name` goes wrong in this way (as an error, as a warning)."""
        key = (code[0], name)
        if key not in self._told:
            self._told.add(key)
            self.findings.add(code, start, end, message, hint)

    def line(self, offset: int) -> int:
        """The line of an offset, from 1."""
        return self.findings.source.place(offset)[0]

    def at(self, name: str, node: Node, *, last: bool = False) -> int:
        """Where the statement says `@name` (`last`: the bare name at its end)."""
        text = self.findings.source.text
        found = text.rfind(name, node.start, node.end) if last else text.find("@" + name, node.start, node.end)
        return found if found >= 0 else node.start
