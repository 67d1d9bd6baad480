"""Follows the flow of a recipe: which sessions, hosts and captured variables exist at each step."""

from trainsh_dsl.checks.flow_findings import FlowFindings, Session
from trainsh_dsl.checks.parallel import ParallelBlock
from trainsh_dsl.diagnostics.findings import Findings
from trainsh_dsl.document.plan import Ref
from trainsh_dsl.grammar.scope import Scope
from trainsh_dsl.grammar.syntax import (
    Close,
    Control,
    Endpoint,
    Execute,
    Node,
    Open,
    Parallel,
    Recipe,
    Transfer,
    Wait,
    every,
)
from trainsh_dsl.text.word import Word


class Flow(FlowFindings):
    """Follows the steps in order and reports findings.

    The attribute `used` collects the names of the hosts and storages that steps use.
    """

    def __init__(self, recipe: Recipe, scope: Scope, findings: Findings, *, quick: bool = False) -> None:
        super().__init__(recipe, scope, findings, quick=quick)
        self._visit = {
            Execute: self._execute, Wait: self._wait, Transfer: self._transfer, Control: self._control,
            Open: self._open, Close: self._close, Parallel: self._parallel,
        }  # fmt: skip

    def run(self, refs: dict[int, list[tuple[str, int]]]) -> None:
        """Check all steps.

        `refs` maps the offset of a statement to the captured variables that the statement uses.
        """
        self.refs = refs
        for node in every(self.recipe.steps + self.recipe.closing):
            if isinstance(node, Open):
                if node.session:
                    self._openers.setdefault(node.session, node.start)
                else:
                    self._unnamed.add(node.host)
        self._steps(self.recipe.steps)
        self.closing = True
        self._steps(self.recipe.closing)
        self.rentals.report()
        self._report_open()

    def _steps(self, nodes: list[Node]) -> None:
        visit, refs = self._visit, self.refs
        for node in nodes:
            if refs and node.start in refs:
                self._check_refs(refs[node.start])
            action = visit.get(type(node))
            if action is not None:
                action(node)  # type: ignore[operator]

    # Steps.

    def _execute(self, node: Execute) -> None:
        self.habits.check(node)
        session = self.sessions.get(node.session)
        if session is None or session.state != "open":
            self._no_session(node.session, node)
        else:
            stopped = self.rentals.released(session.host, session.opened.start)
            if stopped >= 0:
                self._stopped(stopped, node.session, node)
            if node.background and node.command:
                session.pending.append(node)
            elif node.ends:
                session.state, session.at = "ended", node.start
        if node.captures:
            self.captured.add(node.captures)

    def _wait(self, node: Wait) -> None:
        session = self.sessions.get(node.session)
        if session is None or session.state != "open":
            self._no_session(node.session, node)
            return
        stopped = self.rentals.released(session.host, session.opened.start)
        if stopped >= 0:
            self._stopped(stopped, node.session, node)
        session.pending = []

    def _open(self, node: Open) -> None:
        self._host(node.host, node.host_at, node.host_at + len(node.host) + 1, storage_allowed=False)
        if not node.session:
            return
        before = self.sessions.get(node.session)
        if before is not None and before.state == "open":
            at = self.names.at(node.session, node, last=True)
            self.names.tell(
                "E405", node.session, at, at + len(node.session),
                f"session {node.session} is open already, since line {self.names.line(before.opened.start)}",
                f"give this one another name, or write tmux.close @{node.session} first",
            )  # fmt: skip
            return
        self.sessions[node.session] = Session(node.host, node)
        self.habits.opened(node.session)
        self._latest_on[node.host] = node.session

    def _close(self, node: Close) -> None:
        session = self.sessions.get(node.session)
        if session is None:
            self._no_session(node.session, node)
        elif session.state == "closed" and not self.closing:
            at = self.names.at(node.session, node)
            self.names.tell(
                "E404", node.session, at, at + len(node.session) + 1,
                f"session {node.session} is closed already, since line {self.names.line(session.at)}",
                "remove one of the two",
            )  # fmt: skip
        else:
            for step in session.pending:
                self._never_waited(step, f"tmux.close in line {self.names.line(node.start)} ends it")
            session.pending = []
            session.state, session.at = "closed", node.start

    def _transfer(self, node: Transfer) -> None:
        for endpoint in (node.source, node.destination):
            if endpoint.name:
                self._endpoint(endpoint)
                self._check_machine(endpoint)

    def _check_machine(self, endpoint: Endpoint) -> None:
        stopped, start = self.rentals.released(endpoint.name, -1), endpoint.word.start
        if stopped >= 0:
            self.findings.add(
                "W209", start, start + len(endpoint.name) + 1,
                f"{endpoint.name} is an instance that was released in line {self.names.line(stopped)}",
                "move that step below this one",
            )  # fmt: skip

    def _endpoint(self, endpoint: Endpoint) -> None:
        name, start = endpoint.name, endpoint.word.start
        self._host(name, start, start + len(name) + 1, storage_allowed=True)
        if name not in self.scope.hosts:
            return
        path = self.scope.static_text(endpoint.path)
        if path is not None and not path.startswith(("/", "~", "$")):
            self.findings.add(
                "W501", start + len(name) + 2, endpoint.word.end,
                f"{path} is relative: on {name} it is relative to the home folder",
                f"write @{name}:~/{path.removeprefix('./')}, or the whole path",
            )  # fmt: skip

    def _control(self, node: Control) -> None:
        self.rentals.control(node, self.closing)
        for word, value in node.args:
            if not isinstance(value, Ref) or not value.host:
                self._end_of_verb(word)
                continue
            name = value.host
            if name in self.scope.hosts and (node.effects.fills or not node.effects.provider):
                self.used.add(name)
                self.filled.add(name)
            elif name in self.scope.storages:
                self.used.add(name)
            elif name in self._openers:
                self._session_word(name, node)
            else:
                self._host(name, word.start, word.end, storage_allowed=True)

    def _end_of_verb(self, word: Word) -> None:
        """If a word has the form `@NAME:path`, as an argument of `xfer.follow` has, count it as a use of the host
        or storage NAME.
        """
        name, colon, _ = word.raw.removeprefix("@").partition(":")
        if colon and word.raw.startswith("@") and name in self.scope.hosts | self.scope.storages:
            self._host(name, word.start, word.start + len(name) + 1, storage_allowed=True)

    def _session_word(self, name: str, node: Control) -> None:
        session = self.sessions.get(name)
        if session is None or session.state != "open":
            self._no_session(name, node)

    def _parallel(self, node: Parallel) -> None:
        captured = self.captured | set(self.scope.vars)
        ParallelBlock(self.names, self.scope, self.refs, self.filled, captured).check(node)
        self._steps(node.steps)
