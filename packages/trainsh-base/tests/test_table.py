"""Tables: one line for each row at any width.

Names are never cut, long texts are cut, empty columns are left out.
"""

import pytest

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
