"""Records what is known about sessions, hosts and captured variables at a step, and reports findings about them."""

import msgspec

from trainsh_dsl.checks.command_habits import CommandHabits
from trainsh_dsl.checks.name_findings import NameFindings
from trainsh_dsl.checks.rentals import Rentals
from trainsh_dsl.diagnostics.findings import Findings
from trainsh_dsl.grammar.scope import Near, Scope
from trainsh_dsl.grammar.syntax import Close, Control, Execute, Node, Open, Recipe, every


class Session(msgspec.Struct):
    """The state of a session: "open", "closed", or "ended" (by the command `exit`).

    `at` is the offset of the statement that put the session into this state.
    """

    host: str
    opened: Open
    state: str = "open"
    at: int = 0
    pending: list[Execute] = []


class FlowFindings:
    """The state of the flow before a step, with the methods that report findings about it.

    `used` holds the names of the hosts and storages that steps have used so far.
    """

    def __init__(self, recipe: Recipe, scope: Scope, findings: Findings, *, quick: bool = False) -> None:
        self.recipe = recipe
        self.scope = scope
        self.findings = findings
        self.mentioned = scope.mentioned
        # true for the text of `exec`, which need not close its sessions or wait for background steps
        self.quick = quick
        self.sessions: dict[str, Session] = {}
        self.filled: set[str] = set()
        self.used: set[str] = set()
        self.captured: set[str] = set()
        self.refs: dict[int, list[tuple[str, int]]] = {}
        self.rentals = Rentals(findings, scope)
        self.habits = CommandHabits(findings)
        self.closing = False
        self.names = NameFindings(findings)
        # hosts that a tmux.open without `as NAME` uses; the parser has reported this error
        self._unnamed: set[str] = set()
        self._openers: dict[str, int] = {}
        self._near: Near | None = None
        self._near_place: Near | None = None
        self._latest_on: dict[str, str] = {}  # host -> the session that was opened last on this host

    def _check_refs(self, refs: list[tuple[str, int]]) -> None:
        for name, at in refs:
            if name in self.scope.vars:
                continue
            end = at + len(name) + 1
            if name not in self.captured:
                self.names.tell(
                    "E506",
                    name,
                    at,
                    end,
                    f"${name} has no value yet: a later step captures it",
                    "move this step below the step that captures it, or define a first value: var "
                    + name
                    + " = ...",
                )
            elif self.closing:
                self.names.tell(
                    "W207",
                    name,
                    at,
                    end,
                    f"${name} may have no value here: finally also runs when the step that captures it did not",
                    f"define a first value: var {name} = unknown",
                )

    def _no_session(self, name: str, node: Node) -> None:
        session = self.sessions.get(name)
        at = self.names.at(name, node)
        end = at + len(name) + 1
        if session is not None and session.state == "closed":
            self.names.tell(
                "E404",
                name,
                at,
                end,
                f"session {name} was closed in line {self.names.line(session.at)}",
                f"move tmux.close @{name} below this step, or open it again",
            )
        elif session is not None:
            if not isinstance(node, Close):
                self.names.tell(
                    "E410",
                    name,
                    at,
                    end,
                    f"session {name} ended with the exit in line {self.names.line(session.at)}",
                    f"remove that exit, or open {name} again",
                )
        elif name in self._openers:
            self.names.tell(
                "E403",
                name,
                at,
                end,
                f"session {name} is used before it is opened in line {self.names.line(self._openers[name])}",
                f"move tmux.open ... as {name} above this step",
            )
        elif name in self.scope.hosts:
            self._host_as_session(name, at, end)
        elif name in self.scope.storages:
            self.used.add(name)
            self.names.tell(
                "E407",
                name,
                at,
                end,
                f"{name} is a storage: it runs no commands",
                f"a storage is for transfers: ./file -> @{name}:/path",
            )
        elif name not in self.mentioned:
            near = self._near_session(name)
            hint = f"did you mean @{near}?" if near else f"open it first: tmux.open @HOST as {name}"
            self.names.tell("E402", name, at, end, f"there is no session {name}", hint)

    def _near_session(self, name: str) -> str | None:
        if self._near is None:
            self._near = Near().add([*self._openers, *self.scope.hosts])
        return self._near.find(name)

    def _host_as_session(self, name: str, at: int, end: int) -> None:
        self.used.add(name)
        if name in self._unnamed:
            return
        there = self._latest_on.get(name)
        if there and self.sessions[there].state != "open":
            there = None
        hint = (
            f"its session is {there}: write @{there}"
            if there
            else f"write tmux.open @{name} as work before it, then @work"
        )
        self.names.tell("E406", name, at, end, f"{name} is a host: commands go to a session on it", hint)

    def _host(self, name: str, at: int, end: int, *, storage_allowed: bool) -> None:
        self.used.add(name)
        definition = self.scope.hosts.get(name)
        if definition is not None:
            if definition.type == "placeholder" and name not in self.filled and name not in self.scope.given:
                self.names.tell(
                    "E409",
                    name,
                    at,
                    end,
                    f"@{name} is a placeholder that nothing has filled yet",
                    self._filling(name),
                )
        elif name in self.scope.storages:
            if not storage_allowed:
                self.names.tell(
                    "E407",
                    name,
                    at,
                    end,
                    f"{name} is a storage: no session can be opened on it",
                    f"a storage is for transfers: ./file -> @{name}:/path",
                )
        elif name in self._openers:
            session = self.sessions.get(name)
            hint = f"its host is {session.host}: write @{session.host}" if session else "write the name of its host"
            self.names.tell("E412", name, at, end, f"{name} is a session, not a host", hint)
        elif name not in self.mentioned:
            if self._near_place is None:
                self._near_place = Near().add([*self.scope.hosts, *self.scope.storages])
            near = self._near_place.find(name)
            if near:
                self.used.add(near)
            hint = f"did you mean @{near}?" if near else f"define it above the steps: host {name} = user@host"
            self.names.tell(
                "E408",
                name,
                at,
                end,
                f"there is no host or storage {name}" if storage_allowed else f"there is no host {name}",
                hint,
            )

    def _filling(self, name: str) -> str:
        """The hint for a placeholder host. It names a verb of a provider that the recipe uses.

        If the recipe uses no provider, the hint names the option --host.
        """
        fillers = (
            f"{node.tool}.{node.effects.filler}"
            for node in every(self.recipe.steps + self.recipe.closing)
            if isinstance(node, Control) and node.effects.filler
        )
        flag = f"run it with --host {name}=user@host"
        verb = next(fillers, "")
        return f"write {verb} @{name} above this step, or {flag}" if verb else flag

    def _stopped(self, stopped: int, name: str, node: Node) -> None:
        at = self.names.at(name, node)
        self.names.tell(
            "W208",
            name,
            at,
            at + len(name) + 1,
            f"session {name} is on an instance that was released in line {self.names.line(stopped)}",
            "move that step below this one",
        )

    def _report_open(self) -> None:
        for name, session in self.sessions.items():
            for step in session.pending:
                self._never_waited(step, "the recipe may end before it does")
            if session.state == "open" and not self.quick and name not in self.mentioned:
                node = session.opened
                self.findings.add(
                    "W201",
                    node.start,
                    node.end,
                    f"session {name} is never closed",
                    f"write tmux.close @{name} as the last step, or below finally",
                )

    def _never_waited(self, step: Execute, why: str) -> None:
        if self.quick or step.session in self.mentioned:
            return
        self.findings.add(
            "W202",
            step.start,
            step.end,
            f"nothing waits for this background step: {why}",
            f"write wait @{step.session} idle timeout=2h before the step that needs its result",
        )
