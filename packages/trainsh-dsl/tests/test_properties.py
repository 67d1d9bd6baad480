"""Any text gives a result, and a recipe that can be parsed means the same after `fmt`."""

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings

from dsl_recipes import commands, recipes, texts
from dsl_samples import analysed
from trainsh_dsl.analysis import Analysis, analyse
from trainsh_dsl.diagnostics import show
from trainsh_dsl.diagnostics.findings import Findings
from trainsh_dsl.document.plan import Plan
from trainsh_dsl.grammar import definitions
from trainsh_dsl.grammar.commands import CommandReader
from trainsh_dsl.grammar.interpolation import Reader
from trainsh_dsl.grammar.scope import Scope
from trainsh_dsl.grammar.words import Context
from trainsh_dsl.text.source import Source
from trainsh_dsl.vocabulary.tool_schemas import NoTools

SETTINGS = settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))


def bare(analysis: Analysis) -> object:
    """The plan without its spans."""

    def strip(value: object) -> object:
        if isinstance(value, dict):
            return {key: strip(item) for key, item in value.items() if key != "span"}
        return [strip(item) for item in value] if isinstance(value, list) else value

    return strip(msgspec.to_builtins(analysis.plan()))


@pytest.mark.parametrize("exec_", [False, True], ids=["recipe", "exec"])
@SETTINGS
@given(text=texts)
def test_any_text_has_an_answer(exec_: bool, text: str) -> None:
    analysis = analysed(text, exec_=exec_)
    lines = text.replace("\u2400", "\0").removeprefix("\ufeff").split("\n")
    for found in analysis.diagnostics():
        assert 1 <= found.line <= len(lines)
        assert 1 <= found.column <= len(lines[found.line - 1]) + 1
        assert found.length >= 1
        assert found.range.start.line >= 0 and found.range.start.character >= 0
        assert (found.range.start.line, found.range.start.character) <= (
            found.range.end.line,
            found.range.end.character,
        )
        assert found.message and "\x1b" not in show.one(found, "x")
    msgspec.json.encode(analysis.diagnostics())
    assert analysis.ok == (not any(found.severity == "error" for found in analysis.diagnostics()))
    if analysis.ok:
        msgspec.json.decode(msgspec.json.encode(analysis.plan()), type=Plan)


@SETTINGS
@given(text=texts)
def test_fmt_keeps_what_any_text_says(text: str) -> None:
    analysis = analyse(text)
    if analysis.syntax_errors:
        return
    once = analysis.formatted()
    again = analyse(once)
    assert not again.syntax_errors, (text, once)
    assert again.formatted() == once
    if analysis.ok:
        assert bare(again) == bare(analysis)


@SETTINGS
@given(command=commands)
def test_the_fast_way_says_what_the_scanner_says(command: str) -> None:
    def read(slowly: bool) -> object:
        source = Source(command)
        scope = Scope(Findings(source), (), ())
        for line in ("var A = 1", "var NAME = 2"):
            context = Context(Source(line), scope.findings, scope, NoTools())
            definitions.read(context, 0, len(line), len(line), "")
        reader = CommandReader(source, scope, Reader(scope))
        found = reader._full(0) if slowly else reader.read(source.lines[0], 0, 0)
        return found, scope.findings.found, sorted(scope.shell), sorted(scope.used)

    assert read(False) == read(True)


@SETTINGS
@given(text=recipes())
def test_fmt_round_trips_recipes(text: str) -> None:
    analysis = analyse(text)
    assert not analysis.syntax_errors, [(found.line, found.message) for found in analysis.diagnostics()]
    once = analysis.formatted()
    again = analyse(once)
    assert not again.syntax_errors, once
    assert again.formatted() == once
    assert once.count("#") == text.count("#")
    if analysis.ok:
        assert bare(again) == bare(analysis)
