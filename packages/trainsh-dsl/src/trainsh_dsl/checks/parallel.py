"""Checks parallel blocks.

The steps of a block start together, so no step may depend on another step of the block.
"""

from trainsh_dsl.checks.name_findings import NameFindings
from trainsh_dsl.document.plan import Ref
from trainsh_dsl.grammar.scope import Scope
from trainsh_dsl.grammar.syntax import Close, Control, Execute, Node, Open, Parallel, Transfer, Wait, every

_BEHIND = "move this step below the block"


class ParallelBlock:
    """Checks one parallel block.

    `filled` holds the hosts that have their machine before the block. `captured` holds the variables that have
    their value before the block.
    """

    def __init__(
        self,
        names: NameFindings,
        scope: Scope,
        refs: dict[int, list[tuple[str, int]]],
        filled: set[str],
        captured: set[str],
    ) -> None:
        self.names = names
        self.scope = scope
        self.refs = refs
        self.filled = filled
        self.captured = captured
        # session -> (the number of the first step that uses it, whether this step opens it)
        self._first: dict[str, tuple[int, bool]] = {}
        self._made: dict[str, int] = {}  # host or variable -> the number of the step that gives it a value

    def check(self, block: Parallel) -> None:
        """Report steps of this block that depend on each other."""
        steps = [(number, step) for number, branch in enumerate(block.steps) for step in every([branch])]
        for number, step in steps:
            if isinstance(step, Control):
                self._made.update({ref.host: number for _, ref in step.args if isinstance(ref, Ref) and ref.host})
            elif isinstance(step, Execute) and step.captures:
                self._made[step.captures] = number
        for number, step in steps:
            if isinstance(step, (Execute, Wait, Open, Close)) and step.session:
                self._session(step, step.session, number)
            self._hosts(step, number)
            self._captures(step, number)

    def _session(self, step: Node, name: str, number: int) -> None:
        first, opened = self._first.setdefault(name, (number, isinstance(step, Open)))
        if first == number or step.implied:
            return
        at = self.names.at(name, step, last=isinstance(step, Open))
        end = at + len(name) + 1
        if opened:
            message = f"this step uses session {name}, which another step of this block opens: they start together"
            self.names.tell("E414", name, at, end, message, "open it above the block")
        else:
            message = f"this step uses session {name}, which another step of this block uses too"
            self.names.tell("E411", name, at, end, message, "open a session for each of the two")

    def _hosts(self, step: Node, number: int) -> None:
        hosts = [step.host] if isinstance(step, Open) else []
        if isinstance(step, Transfer):
            hosts = [step.source.name, step.destination.name]
        for host in hosts:
            definition = self.scope.hosts.get(host)
            waiting = definition is not None and definition.type == "placeholder" and host not in self.filled
            if waiting and self._made.get(host, number) != number:
                message = f"@{host} is filled by another step of this block: they start together"
                self.names.tell("E414", host, step.start, step.end, message, _BEHIND)

    def _captures(self, step: Node, number: int) -> None:
        for name, at in self.refs.get(step.start, ()):
            if name not in self.captured and self._made.get(name, number) != number:
                message = f"${name} is captured by another step of this block: they start together"
                self.names.tell("E414", name, at, at + len(name) + 1, message, _BEHIND)
