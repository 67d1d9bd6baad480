"""The entry point of the library. It reads and checks a recipe, and returns data for a command or an editor."""

import gc
from collections.abc import Callable, Iterable

from trainsh_dsl.checks import name_checks
from trainsh_dsl.checks.flow import Flow
from trainsh_dsl.checks.implied import Implied
from trainsh_dsl.checks.names_at import Names, names_at
from trainsh_dsl.checks.unknown_hosts import unknown_hosts
from trainsh_dsl.diagnostics.findings import Findings
from trainsh_dsl.document.diagnostic import Diagnostic
from trainsh_dsl.document.plan import Plan
from trainsh_dsl.grammar.parser import Parser
from trainsh_dsl.grammar.scope import Scope
from trainsh_dsl.grammar.syntax import Control, Recipe, every
from trainsh_dsl.text.source import Source
from trainsh_dsl.vocabulary.tool_schemas import Effects, NoTools, Tools


class Analysis:
    """A recipe after reading and checking.

    `syntax_errors` is the number of errors that were found before the check of the steps' sessions and hosts.
    """

    def __init__(
        self,
        source: Source,
        recipe: Recipe,
        scope: Scope,
        findings: Findings,
        flow: Flow,
        name: str,
        syntax_errors: int,
    ) -> None:
        self.source = source
        self.recipe = recipe
        self.scope = scope
        self.findings = findings
        self.flow = flow
        self.name = name
        self.syntax_errors = syntax_errors

    @property
    def ok(self) -> bool:
        """Whether the recipe has no errors and therefore has a plan. It may still have warnings."""
        return not self.findings.errors

    def diagnostics(self) -> list[Diagnostic]:
        """All errors and warnings, in the order of the text."""
        return self.findings.diagnostics()

    def names_at(self, offset: int) -> Names:
        """The names that may be written at an offset of the text. Editors offer them as completions."""
        return names_at(self.recipe, self.scope, offset)

    def effects(self) -> dict[str, Effects]:
        """The effects on machines of each verb that the recipe uses, keyed by `tool.verb`."""
        nodes = every(self.recipe.steps + self.recipe.closing)
        return {f"{node.tool}.{node.verb}": node.effects for node in nodes if isinstance(node, Control)}

    def plan(self) -> Plan:
        """The plan. Call this only if `ok` is true."""
        from trainsh_dsl.plan.planner import plan  # noqa: PLC0415 - only `parse` and `graph` need a plan

        return plan(self.name, self.source, self.recipe, self.scope)

    def formatted(self) -> str:
        """The recipe in canonical form. Call this only if `syntax_errors` is 0."""
        from trainsh_dsl.format.formatter import formatted  # noqa: PLC0415 - only `fmt` needs it

        return formatted(self.source, self.recipe)


def analyse(
    text: str,
    *,
    name: str = "recipe",
    given: Iterable[str] = (),
    tools: Tools | None = None,
    exec_: bool = False,
    hosts: Iterable[str] = (),
    storages: Iterable[str] = (),
    hint_of: Callable[[str], str | None] | None = None,
) -> Analysis:
    """Read and check a recipe. Any text gives a result, in time linear in its length.

    Parameters: `given` holds the names of hosts, storages and variables that the command line sets. `tools`
    supplies the schemas of tools; if it is None, no tool is asked for its schema. If `exec_` is true, a @name that
    the recipe does not define means a configured host. `hosts` and `storages` are the names of the configured hosts
    and storages, as far as the caller knows them. If `hint_of` is given, each host whose spec is a single word is
    checked: `hint_of` returns a hint for an unknown name, and None for a known name.
    """
    collecting = gc.isenabled()
    gc.disable()  # reading a recipe leaves almost no garbage, so collecting it would only cost time
    try:
        analysis = _analyse(Source(text), name, given, tools or NoTools(), exec_, hosts, storages)
        if hint_of is not None:
            unknown_hosts(analysis.recipe, set(given), hint_of, analysis.findings)
        return analysis
    finally:
        if collecting:
            gc.enable()


def _analyse(
    source: Source,
    name: str,
    given: Iterable[str],
    tools: Tools,
    exec_: bool,
    hosts: Iterable[str],
    storages: Iterable[str],
) -> Analysis:
    findings = Findings(source)
    parser = Parser(source, findings, tools, given)
    recipe = parser.parse()
    name_checks.unknown(parser.scope, findings)
    syntax_errors = findings.errors
    if exec_:
        Implied(recipe, parser.scope, findings, hosts, storages).add()
    flow = Flow(recipe, parser.scope, findings, quick=exec_)
    flow.run(parser.refs)
    name_checks.near_misses(recipe, parser.scope, findings)
    name_checks.unused(recipe, parser.scope, flow, findings)
    return Analysis(source, recipe, parser.scope, findings, flow, name, syntax_errors)
