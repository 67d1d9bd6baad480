"""Text of other programs on its way to a terminal: what is removed, what is shown as an escape, what is kept."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainsh_base.system.printable import printable, visible
from trainsh_base.tool.display import number

OPENERS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200e\u200f]")


@pytest.mark.parametrize(
    ("text", "left"),
    [
        pytest.param("plain, with\ttabs\nand lines", "plain, with\ttabs\nand lines", id="plain"),
        pytest.param("\x1b[1;31mred\x1b[0m", "red", id="colour"),
        pytest.param("\x1b]0;title\x07text", "text", id="title"),
        pytest.param("\x1b]52;c;cm0gLXJm\x1b\\text", "text", id="clipboard"),
        pytest.param("\x1b\x1b[0m]52;c;cm0=\x1b\x1b[0m\\x", "]52;c;cm0=\\x", id="one sequence within another"),
        pytest.param("\x1b\x1b\x1b[0m[31mx", "[31mx", id="nested colours"),
        pytest.param("a\x1bcb", "ab", id="reset of the terminal"),
        pytest.param("a\x1b7b\x1b8", "ab", id="saved cursor"),
        pytest.param("\x9b31mred\x9d0;title\x9cx", "redx", id="C1"),
        pytest.param("\x1bP+q544e\x1b\\x", "x", id="device control string"),
        pytest.param("\x1b]0;never ends\nsecond line", "\nsecond line", id="an open string hides no line"),
        pytest.param("safe\rfake", "safefake", id="carriage return"),
        pytest.param("a\bb\x00c\x7f", "abc", id="controls"),
        pytest.param("user\u202egpj.exe", "usergpj.exe", id="bidirectional override"),
        pytest.param("a\u2066b\u2069\u2028c\ufeff", "abc", id="isolates and separators"),
        pytest.param("caf\u00e9 \u6570\u636e \U0001f468\u200d\U0001f4bb", "caf\u00e9 \u6570\u636e \U0001f468\u200d\U0001f4bb", id="letters stay"),
        pytest.param(b"name\xff".decode(errors="surrogateescape"), "name\\xff", id="a byte that is not UTF-8"),
        pytest.param("x\ud800", "x", id="half a pair"),
    ],
)  # fmt: skip
def test_what_a_terminal_would_obey_is_removed(text: str, left: str) -> None:
    assert printable(text) == left


def test_nothing_is_kept_that_was_not_asked_for() -> None:
    assert printable("a\nb\tc", keep="") == "abc"
    assert printable("a\rb", keep="\r") == "a\rb"


def test_what_is_reviewed_is_shown() -> None:
    assert visible("a\x1b[2Kb\rc\x9b\u202e\t\n") == "a\\x1b[2Kb\\rc\\x9b\\u202e\t\n"
    assert visible(b"\xff".decode(errors="surrogateescape")) == "\\xff"


PIECES = [
    "\x1b",
    "[",
    "]",
    "P",
    "\\",
    "\x07",
    "\x9b",
    "\x9d",
    "\x9c",
    "0",
    ";",
    "m",
    "c",
    "7",
    "\r",
    "\n",
    "\u202e",
    "x",
]


@given(st.lists(st.sampled_from(PIECES), max_size=40).map("".join) | st.text(max_size=60))
def test_no_composition_of_sequences_survives(text: str) -> None:
    once = printable(text)
    assert not OPENERS.search(once)
    assert printable(once) == once
    assert not OPENERS.search(visible(text))
    once.encode()
    visible(text).encode()


@pytest.mark.parametrize("hidden", "\u00ad\u034f\u115f\u180e\u3164\uffa0\U000e0101\U000e0041")
def test_what_draws_nothing_is_removed_and_shown_in_review(hidden: str) -> None:
    assert printable(f"gi{hidden}thub") == "github"
    assert visible(f"gi{hidden}thub") == f"gi{hidden.encode('unicode_escape').decode()}thub"


@pytest.mark.parametrize("value", ["x", None, [1], {}, 10**400, True, 2, 2.5])
def test_progress_that_is_no_number_is_none(value: object) -> None:
    assert number(value) == {True: 1.0, 2: 2.0, 2.5: 2.5}.get(value if isinstance(value, (int, float)) else 0, 0.0)
