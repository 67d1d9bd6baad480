"""Prints a whole recipe in canonical form.

Definitions are aligned and options are sorted. Comments and commands stay as they are.
"""

from trainsh_dsl.format import canonical
from trainsh_dsl.grammar.syntax import Definition, Execute, Node, Parallel, Recipe
from trainsh_dsl.text.source import Source

WIDTH = 100
_INDENT = "    "
_MOST_BLANK = 2


def formatted(source: Source, recipe: Recipe) -> str:
    """The recipe in canonical form. Call this only for a recipe without syntax errors."""
    return _Printer(source, recipe).text()


class _Printer:
    """Prints statements, and the comments and blank lines between them, in order."""

    def __init__(self, source: Source, recipe: Recipe) -> None:
        self.source = source
        self.recipe = recipe
        self.out: list[str] = []
        self.line = 0  # the number of the first line that is not printed yet
        self.level = 0

    def text(self) -> str:
        recipe = self.recipe
        definitions = sorted(recipe.definitions, key=lambda node: node.start)
        widths = self._widths(definitions)
        for node in definitions:
            self._between(node.start)
            self._put(node, self._definition(node, widths[node.start]))
        self._steps(recipe.steps)
        if recipe.finally_at >= 0:
            self._between(recipe.finally_at)
            self.out.append("finally" + _tail(recipe.finally_tail))
            self.line += 1
            self._steps(recipe.closing)
        self._between(len(self.source.text) + 1)
        while self.out and not self.out[-1]:
            self.out.pop()
        return "\n".join(self.out) + "\n" if self.out else ""

    def _steps(self, nodes: list[Node]) -> None:
        for node in nodes:
            if node.implied:
                continue
            self._between(node.start)
            self._put(node, self._step(node))
            if isinstance(node, Parallel):
                self.level += 1
                self.line = self.source.line_of(node.start) + 1
                self._steps(node.steps)
                self._between(node.close_at)
                self.level -= 1
                self.out.append(_INDENT * self.level + "end" + _tail(node.close_tail))
                self.line += 1

    def _put(self, node: Node, text: str) -> None:
        tail = "" if isinstance(node, Execute) else _tail(node.tail)
        self.out.append(_INDENT * self.level + text + tail)
        self.line = self.source.line_of(node.end) + 1

    def _between(self, offset: int) -> None:
        """Print the comments and blank lines before the statement at `offset`."""
        last = self.source.line_of(offset) if offset <= len(self.source.text) else len(self.source.lines)
        blank = 0
        for number in range(self.line, last):
            line = self.source.lines[number].strip(" \t\r")
            if line:
                self.out += [""] * min(blank, _MOST_BLANK) if self.out else []
                self.out.append(_INDENT * self.level + line)
                blank = 0
            else:
                blank += 1
        self.out += [""] * min(blank, _MOST_BLANK) if self.out else []
        self.line = last

    def _widths(self, definitions: list[Definition]) -> dict[int, int]:
        """The width of the first column (`var NAME`, `host NAME` or `storage NAME`) for each definition.

        A blank line begins a new group of definitions, whose column has a width of its own.
        """
        widths: dict[int, int] = {}
        group: list[Definition] = []
        for node in definitions:
            if group and self._apart(group[-1], node):
                self._close(group, widths)
                group = []
            group.append(node)
        self._close(group, widths)
        return widths

    def _apart(self, before: Definition, node: Definition) -> bool:
        first, last = self.source.line_of(before.end) + 1, self.source.line_of(node.start)
        return any(not self.source.lines[number].strip(" \t\r") for number in range(first, last))

    def _close(self, group: list[Definition], widths: dict[int, int]) -> None:
        width = max((len(node.sort) + 1 + len(node.name) for node in group), default=0)
        widths.update((node.start, width) for node in group)

    def _definition(self, node: Definition, width: int) -> str:
        sort, name, equals, *value = canonical.atoms(node)
        head = f"{sort} {name}".ljust(width) + f" {equals}"
        if node.sort == "var" and self._broken(node):
            value = value[0].split(" ") if value else []
            return self._filled([head, *value], keep=True)
        return self._filled([head, *value]) if self._broken(node) else " ".join([head, *value])

    def _step(self, node: Node) -> str:
        if isinstance(node, Execute):
            return canonical.statement(node)
        words = canonical.atoms(node)
        return self._filled(words) if self._broken(node) else " ".join(words)

    def _broken(self, node: Node) -> bool:
        """Whether the statement is written on several lines."""
        return "\\\n" in self.source.text[node.start : node.end]

    def _filled(self, words: list[str], *, keep: bool = False) -> str:
        """Wrap words into lines of at most WIDTH columns. Each line except the last ends with a backslash."""
        indent = _INDENT * (self.level + 1)
        line, lines = words[0], []
        for word in words[1:]:
            if len(line) + 1 + len(word) + 2 > WIDTH and word and not (keep and line.endswith(" ")):
                lines.append(line + " \\")
                line = indent + word
            else:
                line += " " + word
        return "\n".join([*lines, line])


def _tail(directive: str) -> str:
    return f"  {directive}" if directive else ""
