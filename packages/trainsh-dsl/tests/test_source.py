"""Positions are lines and columns for people and UTF-16 units for editors. Odd texts get clear answers."""

import pytest

from dsl_hostile import FAMILIES
from trainsh_dsl.analysis import analyse
from trainsh_dsl.diagnostics import show
from trainsh_dsl.document.diagnostic import Position, Range
from trainsh_dsl.text.source import Source, decode


def at(line: int, start: int, end: int) -> Range:
    return Range(start=Position(line=line, character=start), end=Position(line=line, character=end))


RANGES = {
    "plain": ("sleep\n  sleep soon\n", 1, at(1, 8, 12)),
    "crlf": ("sleep 1s\r\nsleep soon\r\n", 0, at(1, 6, 10)),
    "byte order mark": ("\ufeffsleep soon\n", 0, at(0, 6, 10)),
    "utf-16": ('notify "\U0001f600 $X"\n', 0, at(0, 11, 13)),
    "lone carriage return": ("host h = local\ntmux.open @h as w\n@w > a\rb\nsleep soon\n", 1, at(4, 6, 10)),
    "line separator is no line end": ('notify "a\u2028b $X"\n', 1, at(0, 12, 14)),
}


@pytest.mark.parametrize(("text", "place", "expected"), RANGES.values(), ids=RANGES)
def test_range(text: str, place: int, expected: Range) -> None:
    errors = [found for found in analyse(text).diagnostics() if found.severity == "error"]
    assert errors[place].range == expected


def test_offsets_and_positions_are_inverse() -> None:
    source = Source("a\U0001f600b\nsecond\n")
    for offset in range(len(source.text) + 1):
        position = source.range(offset, offset).start
        assert source.offset(position) == offset


def codes(text: str) -> set[str]:
    return {found.code for found in analyse(text).diagnostics()}


HARD = {
    "nul": ("@w > echo \0\n", "E108"),
    "lone surrogate": ('notify "\ud800"\n', "E108"),
    "not utf-8": (decode(b'notify "caf\xe9"\n'), "E108"),
    "a megabyte on one line": ("x" * 1_000_000, "E101"),
    "a megabyte of command": ("@w > echo " + "a'b'" * 250_000, "E402"),
    "ten thousand definitions": ("".join(f"var A{n} = 1\n" for n in range(10_000)), "W301"),
    "deep continuation": ("wait @w " + "\\\n" * 20_000 + "idle\n", "E402"),
    "deep nesting": ("@w > echo " + "$(" * 50_000, "E107"),
    "deep blocks": ("parallel\n" * 5_000, "E119"),
    "deep pattern": ('wait @w "' + "(" * 9_000 + '"\n', "E305"),
    "long pattern": ('wait @w "' + "(a)" * 9_000 + '"\n', "E305"),
    "long number": ("wait @w port=" + "9" * 10_000 + "\n", "E304"),
    "long duration": ("sleep " + "9" * 10_000 + "\n", "E301"),
}


@pytest.mark.parametrize(("text", "code"), HARD.values(), ids=HARD)
def test_hard_texts_have_clear_answers(text: str, code: str) -> None:
    assert code in codes(text)


def test_a_long_line_is_shown_around_the_mistake() -> None:
    found = analyse('notify "' + "x" * 900 + " $NOPE " + "y" * 900 + '"').diagnostics()[0]
    source, caret = show.one(found, "r").splitlines()[1:3]
    assert len(source) < 120
    assert source[caret.index("^") : caret.rindex("^") + 1] == "$NOPE"


@pytest.mark.parametrize("family", FAMILIES)
def test_hostile_texts_are_answered(family: str) -> None:
    analysis = analyse(FAMILIES[family](20_000))
    assert analysis.ok or analysis.diagnostics()


def test_names_in_scope() -> None:
    text = "var A = 1\nhost h = local\ntmux.open @h as w\n@w capture=X > date\ntmux.close @w\nfinally\nnotify 'x'\n"
    analysis = analyse(text)
    command = analysis.names_at(text.index("@w"))
    assert command.sessions == {"w": "h"}
    assert command.variables == {"A": 4, "JOB_ID": -1, "SWEEP_INDEX": -1}
    assert command.hosts == {"h": 15}
    last = analysis.names_at(text.index("notify"))
    assert last.sessions == {}
    assert set(last.variables) == {"A", "X", "JOB_ID", "JOB_STATUS", "SWEEP_INDEX"}
    assert analysis.names_at(0).hosts == {}
