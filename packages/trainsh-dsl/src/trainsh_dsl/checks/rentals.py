"""Checks that each rented machine is released on every path through the recipe. This works for any provider."""

from trainsh_dsl.diagnostics.findings import Findings
from trainsh_dsl.document.plan import Ref
from trainsh_dsl.grammar.scope import Scope
from trainsh_dsl.grammar.syntax import Control
from trainsh_dsl.vocabulary import specs


class Account:
    """The steps of a recipe that rent and release machines of one provider."""

    def __init__(self) -> None:
        self.rented: list[tuple[Control, bool]] = []
        self.last_release: Control | None = None
        self.released_at_the_end = False
        self.guarded = False  # whether a step starts a watchdog, a program that stops the instance by itself
        self.latest = -1  # the offset of the latest step that rents or starts a machine
        self.all_released = -1  # the offset of the latest releasing step that names no host
        self.released: dict[str, int] = {}  # host -> the offset of the latest step that releases the host's machine


class Rentals:
    """Collects the steps that rent, start and release machines, in order."""

    def __init__(self, findings: Findings, scope: Scope) -> None:
        self.findings = findings
        self.scope = scope
        self._accounts: dict[str, Account] = {}
        self._owner: dict[str, str] = {}  # host -> the tool that rents the host's machine
        for name, host in scope.hosts.items():
            if host.type == "provider" and host.words:
                self._owner[name] = specs.provider(host.words[0])
        self._decided_later = any(host.type == "other" for host in scope.hosts.values())

    def control(self, node: Control, closing: bool) -> None:
        """Record one step. `closing` is true if the step comes after `finally`."""
        effects = node.effects
        if not (effects.provider or effects.releases):
            return
        account = self._accounts.setdefault(node.tool, Account())
        if any(option.key == "idle_stop" and option.value != "off" for option in node.params):
            account.guarded = True
        named = [value.host for _, value in node.args if isinstance(value, Ref) and value.host]
        if effects.acts and not node.args:
            self._check_there_is_one(node, account)
        if effects.fills:
            self._owner.update(dict.fromkeys(named, node.tool))
        if effects.rents:
            account.rented.append((node, closing))
            account.latest = node.start
        if effects.releases:
            account.last_release = node
            account.released_at_the_end |= closing
            account.released.update(dict.fromkeys(named, node.start))
            if not node.args:
                account.all_released = node.start

    def _check_there_is_one(self, node: Control, account: Account) -> None:
        tool, scope = node.tool, self.scope
        owned = tool in self._owner.values() or self._decided_later
        if account.rented or scope.given or owned or tool in scope.mentioned:
            return
        filler = node.effects.filler
        above = f"{tool}.{filler} @HOST above it, or " if filler else ""
        self.findings.add(
            "W206", node.head.start, node.head.end,
            f"{tool}.{node.verb} has no instance to act on: no step before it rents one",
            f"write {above}the instance's id after it",
        )  # fmt: skip

    def released(self, host: str, since: int) -> int:
        """The offset of a step after `since` that surely releases the machine of `host`, or -1 if there is no such
        step.
        """
        account = self._accounts.get(self._owner.get(host, ""))
        if account is None:
            return -1
        at = max(account.released.get(host, -1), account.all_released)
        return at if at > max(since, account.latest) else -1

    def report(self) -> None:
        """Report W203 for each machine that is still billed at the end of at least one path through the recipe."""
        for tool, account in self._accounts.items():
            if not account.guarded and tool not in self.scope.mentioned:
                for node, closing in account.rented:
                    self._check_returned(account, node, closing)

    def _check_returned(self, account: Account, node: Control, closing: bool) -> None:
        release = account.last_release
        release = release if release and release.start > node.start else None
        if release and (closing or account.released_at_the_end):
            return
        if release:
            verb = f"{release.tool}.{release.verb}"
            line = self.findings.source.place(release.start)[0]
            message = f"the instance keeps billing when a step fails before {verb} in line {line}"
            hint = f"move that {verb} below a line that says finally"
        else:
            message = f"the machine that {node.tool}.{node.verb} rents is never released: it keeps billing"
            releaser = node.effects.releaser
            hint = f"write {node.tool}.{releaser} below finally at the end" if releaser else ""
            hint = hint or f"to find the command that gives it back: train {node.tool} --help"
        self.findings.add("W203", node.start, node.end, message, hint)
