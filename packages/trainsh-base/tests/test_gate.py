"""All text for people passes one gate, which lets no control character of another program through."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainsh_base.testing import Terminal
from trainsh_base.tool.gate import clean, styled

EXAMPLE = [sys.executable, str(Path(__file__).with_name("example_tool.py"))]
Run = Callable[..., subprocess.CompletedProcess[bytes]]
HOSTILE = "\x1b]0;owned\x07\x1b[2J\x1b\x1b[0m]52;c;cm0=\x1b\x1b[0m\\\x1bc\x1b7\x9b31m\x9d0;x\x9c\r\x08\u202egpj\u2066name\udcff"
UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]"
)
VIEWS = ("text", "cell", "field", "list", "log", "progress", "output", "message", "hint", "print", "bug")


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("words", [[], ["--json"], ["--jsonl"]], ids=["people", "json", "jsonl"])
def test_no_view_lets_a_control_character_through(example: Run, view: str, words: list[str]) -> None:
    done = example("hostile", view, *words, input=json.dumps(HOSTILE).encode())
    for text in (done.stdout.decode(), done.stderr.decode()):
        assert not UNSAFE.search(text), text
    assert "name" in done.stdout.decode() + done.stderr.decode() or view == "progress" or words
    if words == ["--json"] and view == "text":
        assert json.loads(done.stdout) == HOSTILE.replace("\udcff", "\\xff")


@pytest.mark.parametrize("view", [*VIEWS, "ask", "choose"])
def test_on_a_terminal_only_the_framework_s_own_sequences_arrive(view: str, tmp_path: Path) -> None:
    (tmp_path / "text").write_text(json.dumps(HOSTILE))
    terminal = Terminal([*EXAMPLE, "hostile", view, "--file", str(tmp_path / "text")])
    if view in ("ask", "choose"):
        terminal.expect("name")
        terminal.type("a\n")
    terminal.wait()
    shown = re.sub(r"\x1b\[(?:[0-9;]*m|K)", "", terminal.text).replace("\r\n", "\n").replace("\r", "")
    assert not UNSAFE.search(shown), shown
    assert "name" in shown


PIECES = st.sampled_from(["\x1b", "[", "]", "0", ";", "m", "\x07", "\x9b", "\r", "\u202e", "x"])


@settings(deadline=None)
@given(st.lists(PIECES, max_size=30).map("".join))
def test_a_style_is_the_framework_s_and_nobody_else_s(text: str) -> None:
    shown = clean(styled(text, "1;31") + text)
    assert shown.startswith("\x1b[1;31m") and shown.count("\x1b") == 2
    assert not UNSAFE.search(shown.replace("\x1b[1;31m", "").replace("\x1b[0m", ""))


def test_a_style_that_somebody_copies_has_the_wrong_key() -> None:
    assert clean("\x1b]0123456789abcdef;1;31\x07red\x1b]0123456789abcdef;0\x07") == "red"
