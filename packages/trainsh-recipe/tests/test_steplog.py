"""The output of steps: masked, converted to plain text where needed, and with its last lines kept."""

from pathlib import Path

import pytest

from trainsh_recipe.store.shown import Shown
from trainsh_recipe.store.step_log import StepLog, plain_text

COLOURED = "\x1b[1;31mred\x1b[0m\r\n\x1b]0;title\x07plain \x1b(Bok\x07\r\n"


def test_escapes_go_and_newlines_become_plain() -> None:
    assert plain_text().feed(COLOURED) == "red\nplain ok\n"


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7])
def test_chunks_of_any_size_give_the_same(size: int) -> None:
    plain = plain_text()
    parts = [plain.feed(COLOURED[at : at + size]) for at in range(0, len(COLOURED), size)]
    assert "".join(parts) + plain.flush() == "red\nplain ok\n"


@pytest.mark.parametrize("size", [1, 2, 3, 4, 100])
def test_a_secret_is_masked_also_where_it_comes_in_pieces(tmp_path: Path, size: int) -> None:
    log = StepLog(tmp_path / "l", lambda: ["hunter2", "two\nlines"])
    text = "a hunter2 b\r\ntwo\r\nlines hunter"
    shown = "".join(log.feed(text[at : at + size]) for at in range(0, len(text), size)) + log.finish()
    assert "hunter2" not in shown and "***" in shown
    assert (tmp_path / "l").read_bytes().decode() == shown
    assert shown.endswith("hunter")


def test_the_file_is_private_and_only_made_for_output(tmp_path: Path) -> None:
    log = StepLog(tmp_path / "l", list)
    assert log.finish() == "" and not (tmp_path / "l").exists()
    log.feed("x\n")
    log.finish()
    assert (tmp_path / "l").stat().st_mode & 0o777 == 0o600
    assert log.bytes == 2


def test_the_tail_is_the_last_lines_with_an_unfinished_one(tmp_path: Path) -> None:
    log = StepLog(tmp_path / "l", list)
    log.feed("".join(f"line {number}\r\n" for number in range(100)))
    log.feed("10%\r20%\r\x1b[32m30%\x1b[0m")
    tail = log.tail()
    assert len(tail) == 20 and tail[-1] == "30%" and "line 99" in tail


def test_how_far_a_session_is_shown_is_read_after_a_longer_token(tmp_path: Path) -> None:
    for token in ("a-longer-token", "short"):
        shown = Shown(tmp_path / "shown", "w", token)
        assert shown.read() is None
        shown.write(1234567)
        shown.write(89)
        shown.close()
        assert shown.read() == 89
