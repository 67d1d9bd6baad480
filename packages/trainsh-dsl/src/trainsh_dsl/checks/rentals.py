"""What is rented, and whether it is given back on every path."""

from trainsh_dsl.diagnostics.findings import Findings
from trainsh_dsl.document.plan import Ref
from trainsh_dsl.grammar.scope import Scope
from trainsh_dsl.grammar.syntax import Control

PAID = frozenset(("vast.pick", "vast.start", "vast.create"))
STOPS = frozenset(("vast.stop", "vast.destroy"))
_NEEDS_ONE = frozenset(("vast.stop", "vast.destroy", "vast.wait", "vast.start", "vast.cost"))


class Money:
    """Collects what `vast` verbs do, in order."""

    def __init__(self, findings: Findings, scope: Scope) -> None:
        self.findings = findings
        self.scope = scope
        self.rented: list[tuple[Control, bool]] = []
        self.last_stop: Control | None = None
        self.stops_at_the_end = False
        self.guarded = False  # a watchdog on the instance stops it
        self._stopped_hosts: dict[str, int] = {}
        self._stopped_all = -1
        self._started = -1
        self._vast_hosts = any(host.type in ("vast", "other") for host in scope.hosts.values())

    def control(self, node: Control, closing: bool) -> None:
        """Take note of one step; `closing`: it stands below finally."""
        if node.tool != "vast":
            return
        name = f"{node.tool}.{node.verb}"
        if any(option.key == "idle_stop" and option.value != "off" for option in node.params):
            self.guarded = True
        if name in _NEEDS_ONE and not node.args:
            self._check_there_is_one(node, name)
        if name in PAID:
            self.rented.append((node, closing))
            self._started = node.start
        if name in STOPS:
            self._stop(node, closing)

    def _check_there_is_one(self, node: Control, name: str) -> None:
        known = self.rented or self.scope.given or self._vast_hosts or "vast" in self.scope.mentioned
        if not known:
            message = f"{name} has no instance to act on: no step before it picks one"
            hint = "write vast.pick @HOST above it, or the instance's number behind it"
            self.findings.add("W206", node.head.start, node.head.end, message, hint)

    def _stop(self, node: Control, closing: bool) -> None:
        self.last_stop = node
        self.stops_at_the_end |= closing
        named = [value.host for _, value in node.args if isinstance(value, Ref)]
        self._stopped_hosts.update((host, node.start) for host in named)
        if not node.args:
            self._stopped_all = node.start

    def stopped(self, host: str, since: int) -> int:
        """The offset of the step that stopped the instance `host` after offset `since`, or -1 while it runs."""
        if not self.last_stop:
            return -1
        definition = self.scope.hosts.get(host)
        if definition is None or definition.type not in ("placeholder", "vast"):
            return -1
        stop = max(self._stopped_hosts.get(host, -1), self._stopped_all)
        return stop if stop > max(since, self._started) else -1

    def report(self) -> None:
        """W203 for what goes on billing on some path."""
        if self.guarded or "vast" in self.scope.mentioned:
            return
        for node, closing in self.rented:
            stop = self.last_stop if self.last_stop and self.last_stop.start > node.start else None
            if stop and (closing or self.stops_at_the_end):
                continue
            if stop:
                verb = f"{stop.tool}.{stop.verb}"
                line = self.findings.source.place(stop.start)[0]
                message = f"the instance goes on billing when a step fails before {verb} in line {line}"
                hint = f"move that {verb} below a line that says finally"
            else:
                message = "the instance is never stopped: it goes on billing"
                hint = "write vast.stop below finally at the end"
            self.findings.add("W203", node.start, node.end, message, hint)
