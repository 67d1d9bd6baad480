"""Follows `parallel` ... `end` and `finally`, so that the parser knows the block to which the next step belongs."""

from trainsh_dsl.diagnostics.findings import Findings
from trainsh_dsl.grammar.syntax import Node, Open, Parallel, Recipe

DEEPEST = 8  # how deeply blocks may be nested in the recipe, and therefore in the plan


class Blocks:
    """The open blocks. `into` is the list to which the next step is added."""

    def __init__(self, recipe: Recipe, findings: Findings) -> None:
        self.recipe = recipe
        self.findings = findings
        self.into: list[Node] = recipe.steps
        self.sessions: set[str] = set()  # the sessions that the text opens before the line being parsed
        self._open: list[Parallel] = []

    def add(self, node: Node, tail: str) -> None:
        """Add a step to the current block."""
        node.tail = tail
        self.into.append(node)
        if isinstance(node, Open):
            self.sessions.add(node.session)

    def latest(self) -> Node | None:
        """The previous step in the current block, or None."""
        return self.into[-1] if self.into else None

    def open(self, at: int, end: int, tail: str) -> None:
        """Begin a block at `parallel`."""
        block = Parallel(start=at, end=end, steps=[], tail=tail)
        if len(self._open) < DEEPEST:
            self.into.append(block)
        else:
            message = f"parallel is nested more than {DEEPEST} deep"
            self.findings.add("E119", at, end, message, "remove some levels")
            block.steps = self.into
        self._open.append(block)
        self.into = block.steps

    def close(self, at: int, end: int, tail: str) -> None:
        """Close the current block at `end`."""
        if not self._open:
            self.findings.add("E113", at, end, "this end has no parallel before it", "remove it")
            return
        block = self._open.pop()
        block.close_at, block.end, block.close_tail = at, end, tail
        self.into = self._open[-1].steps if self._open else self._outer()
        if not block.steps:
            self.findings.add(
                "E120", block.start, block.start + 8, "this parallel block is empty",
                "put steps into it, or remove it",
            )  # fmt: skip

    def finally_(self, at: int, end: int, tail: str) -> None:
        """Begin the last part of the recipe at `finally`."""
        if self._open:
            self.findings.add("E114", at, end, "finally is inside a parallel block", "end the block first")
            self._dissolve()
        elif self.recipe.finally_at >= 0:
            line = self.findings.source.place(self.recipe.finally_at)[0]
            message = f"line {line} already has a finally"
            self.findings.add("E115", at, end, message, "put all finally steps below that line")
            return
        if self.recipe.finally_at < 0:
            self.recipe.finally_at, self.recipe.finally_tail = at, tail
        self.into = self.recipe.closing

    def check(self) -> None:
        """Report E112 for each block that is still open at the end of the recipe."""
        for block in self._open:
            self.findings.add(
                "E112", block.start, block.start + 8, "this parallel block has no end",
                "write end on a line after its last step",
            )  # fmt: skip
        self._dissolve()

    def _outer(self) -> list[Node]:
        return self.recipe.closing if self.recipe.finally_at >= 0 else self.recipe.steps

    def _dissolve(self) -> None:
        """Move the steps of each unclosed block to the level around the block.

        The caller has reported the error.
        """
        while self._open:
            block = self._open.pop()
            outside = self._open[-1].steps if self._open else self._outer()
            if outside and outside[-1] is block:
                outside.pop()
                outside += block.steps
