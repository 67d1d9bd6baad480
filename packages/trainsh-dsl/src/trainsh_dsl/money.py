"""What is rented, and whether it is given back on every path."""

from typing import Protocol

from trainsh_dsl.findings import Findings
from trainsh_dsl.model import Ref
from trainsh_dsl.scope import Scope
from trainsh_dsl.syntax import Control

PAID = frozenset(("vast.pick", "vast.start", "vast.create"))
STOPS = frozenset(("vast.stop", "vast.destroy"))
_NEEDS_ONE = frozenset(("vast.stop", "vast.destroy", "vast.wait", "vast.start", "vast.cost"))


class Stoppable(Protocol):
    """A session, as far as money is concerned."""

    host: str
    stopped: int


class Money:
    """Collects what `vast` verbs do, in order."""

    def __init__(self, findings: Findings, scope: Scope) -> None:
        self.findings = findings
        self.scope = scope
        self.rented: list[tuple[Control, bool]] = []
        self.stops: list[tuple[Control, bool]] = []
        self.guarded = False  # a watchdog on the instance stops it

    def control(self, node: Control, closing: bool, sessions: list[Stoppable]) -> None:
        """Take note of one step; `closing`: it stands below finally."""
        if node.tool != "vast":
            return
        name = f"{node.tool}.{node.verb}"
        if any(option.key == "idle_stop" and option.value != "off" for option in node.params):
            self.guarded = True
        if name in _NEEDS_ONE and not node.args and not self._anything() and "vast" not in self.scope.mentioned:
            self.findings.add(
                "W206", node.head.start, node.head.end, f"{name} has no instance to act on: no step before it picks one",
                "write vast.pick @HOST above it, or the instance's number behind it",
            )  # fmt: skip
        if name in PAID:
            self.rented.append((node, closing))
        for session in sessions:
            if name in STOPS and self._lives_there(session, node):
                session.stopped = node.start
            elif name == "vast.start":
                session.stopped = -1
        if name in STOPS:
            self.stops.append((node, closing))

    def _anything(self) -> bool:
        hosts = self.scope.hosts.values()
        return bool(self.rented or self.scope.given) or any(host.type in ("vast", "other") for host in hosts)

    def _lives_there(self, session: Stoppable, node: Control) -> bool:
        named = [value.host for _, value in node.args if isinstance(value, Ref)]
        definition = self.scope.hosts.get(session.host)
        if definition is None or definition.type not in ("placeholder", "vast"):
            return False
        return session.host in named if named else not node.args

    def report(self) -> None:
        """W203 for what goes on billing on some path."""
        if self.guarded or "vast" in self.scope.mentioned:
            return
        for node, closing in self.rented:
            after = [stop for stop in self.stops if stop[0].start > node.start]
            if any(below or closing for _, below in after):
                continue
            if after:
                line = self.findings.source.place(after[-1][0].start)[0]
                message = f"the instance goes on billing when a step fails before {after[-1][0].tool}.{after[-1][0].verb} in line {line}"
                hint = f"move that {after[-1][0].tool}.{after[-1][0].verb} below a line that says finally"
            else:
                message = "the instance is never stopped: it goes on billing"
                hint = "write vast.stop below finally at the end"
            self.findings.add("W203", node.start, node.end, message, hint)
