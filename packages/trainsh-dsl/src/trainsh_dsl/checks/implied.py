"""Adds the host definitions and sessions that the text of `train exec` leaves out."""

from collections.abc import Iterable

from trainsh_dsl.diagnostics.findings import Findings
from trainsh_dsl.document.plan import Ref
from trainsh_dsl.grammar.scope import Scope
from trainsh_dsl.grammar.syntax import Control, Definition, Execute, Node, Open, Recipe, Transfer, Wait, every


class Implied:
    """Adds the definitions and sessions that the text of `exec` leaves out.

    `hosts` and `storages` are the names of the configured hosts and storages, if the caller knows them.
    """

    def __init__(
        self, recipe: Recipe, scope: Scope, findings: Findings, hosts: Iterable[str], storages: Iterable[str]
    ) -> None:
        self.recipe = recipe
        self.scope = scope
        self.findings = findings
        self.hosts = frozenset(hosts)
        self.storages = frozenset(storages)
        self.opened: set[str] = set()

    def add(self) -> None:
        """Add the missing definitions and sessions to the recipe itself."""
        self.recipe.steps[:] = self._with_opens(self.recipe.steps)
        self.recipe.closing[:] = self._with_opens(self.recipe.closing)

    def _with_opens(self, nodes: list[Node]) -> list[Node]:
        steps: list[Node] = []
        for node in nodes:
            for step in every([node]):
                steps += self._before(step)
            steps.append(node)
        return steps

    def _before(self, step: Node) -> list[Node]:
        if isinstance(step, Open):
            self._host(step.host, step.host_at)
            self.opened.add(step.session)
        elif isinstance(step, Transfer):
            for endpoint in (step.source, step.destination):
                if endpoint.name:
                    self._host_or_storage(endpoint.name, endpoint.word.start)
        elif isinstance(step, Control):
            for word, value in step.args:
                if isinstance(value, Ref) and value.host and value.host not in self.opened:
                    filled = step.effects.fills or (not step.effects.known and value.host not in self.hosts)
                    self._host_or_storage(value.host, word.start, "placeholder" if filled else "")
        elif isinstance(step, (Execute, Wait)) and step.session not in self.opened:
            at = self.findings.source.text.find("@", step.start)
            if step.session in self.storages - self.hosts:
                self._host_or_storage(step.session, at)
            if step.session in self.scope.storages:
                return []
            self._host(step.session, at)
            self.opened.add(step.session)
            return [
                Open(
                    start=step.start,
                    end=step.start,
                    host=step.session,
                    host_at=at,
                    session=step.session,
                    implied=True,
                )
            ]
        return []

    def _host_or_storage(self, name: str, at: int, sort: str = "") -> None:
        if name in self.storages and name not in self.hosts and self.scope.find(name) is None:
            self._define("storage", name, at, "name")
        else:
            self._host(name, at, sort)

    def _host(self, name: str, at: int, sort: str = "") -> None:
        if self.scope.find(name) is not None:
            return
        if name in self.storages and name in self.hosts:
            self.findings.add(
                "E413", at, at + len(name) + 1, f"{name} is a configured host and a configured storage",
                f"say which: put host h = {name} or storage s = {name} on the first line, and use that name",
            )  # fmt: skip
        self._define("host", name, at, sort or ("local" if name == "local" else "name"))

    def _define(self, sort: str, name: str, at: int, kind: str) -> None:
        definition = Definition(
            start=at, end=at + len(name) + 1, sort=sort, name=name, name_at=at, raw=name, text=name, value_at=at,
            type=kind, implied=True,
        )  # fmt: skip
        self.scope.define(definition)
        self.recipe.definitions.append(definition)
