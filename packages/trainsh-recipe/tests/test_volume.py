"""Steps that print a lot: the job's log has everything, little memory is used, and the views keep up."""

import os
import random
import re
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from trainsh_recipe.plan.numbering import Numbered
from trainsh_recipe.store.step_log import StepLog
from trainsh_recipe.ui.views.lines import Lines
from trainsh_recipe.ui.views.live import Row

if TYPE_CHECKING:
    from conftest import Place

MEMORY = 50  # MB
RECIPE = "host h = local\ntmux.open @h as w\n@w > cat {path}; touch seen; until [ -e go ]; do sleep 0.02; done\ntmux.close @w\n"


def memory(pid: int) -> float:
    """The most memory that a process has used, in MB."""
    status = Path(f"/proc/{pid}/status")
    if not status.exists():
        pytest.skip("MEMORY IS NOT MEASURED HERE: there is no /proc")
    found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text())
    assert found
    return int(found[1]) / 1024


def lines() -> bytes:
    return b"".join(b"line %07d the quick \x1b[1mbrown\x1b[0m fox jumps\n" % number for number in range(600_000))


def bar() -> bytes:
    return b"".join(b"\r%6d/100000 #####" % number for number in range(100_000)) + b"\n"


@pytest.mark.parametrize("make", [lines, bar, lambda: os.urandom(5_000_000), lambda: b"x" * 10_000_000 + b"\n"])
def test_the_log_has_all_of_it_and_the_runner_little_memory(place: "Place", make: Callable[[], bytes]) -> None:
    path = place.work / "printed"
    path.write_bytes(make())
    place.recipe(RECIPE.format(path=path))
    with (place.work / "shown").open("wb") as shown:
        runner = subprocess.Popen(
            ["train-recipe", "run", "./r.recipe"],
            stdin=subprocess.DEVNULL,
            stdout=shown,
            env=place.env,
            cwd=place.work,
        )
        want = path.read_bytes().replace(b"\n", b"\r\n").decode("utf-8", "replace").encode()
        # If a character is cut, its end comes with the step's end.
        place.until(lambda: (place.work / "seen").exists(), "the output")
        log = place.job() / "steps/002.log"
        place.until(log.exists, "the log")
        grown = 0
        # wait as long as the log grows: a busy machine needs time for 30 MB
        while log.stat().st_size < len(want) - 10:
            grown = place.until(
                lambda now=grown: log.stat().st_size > now and log.stat().st_size, "more of the log"
            )
        most = memory(runner.pid)
        (place.work / "go").touch()
        assert runner.wait(60) == 0
    assert log.read_bytes() == want
    assert most < MEMORY


def test_the_tail_is_found_at_the_end_of_much(tmp_path: Path) -> None:
    log, row = StepLog(tmp_path / "l", list), Row(None)  # type: ignore[arg-type]
    text = "".join(f"\x1b[3{number % 8}mline {number}\x1b[0m\r\n" for number in range(20_000))
    cuts = sorted(random.Random(1).sample(range(len(text)), 500))
    for begin, end in zip([0, *cuts], [*cuts, len(text)], strict=True):
        log.feed(text[begin:end])
        row.feed(text[begin:end])
    log.finish()
    assert log.tail() == [f"line {number}" for number in range(19_980, 20_000)]
    assert row.tail() == log.tail()[-6:]


def test_what_follows_one_line_without_an_end_is_short(tmp_path: Path) -> None:
    log, row = StepLog(tmp_path / "l", list), Row(None)  # type: ignore[arg-type]
    for _ in range(1000):
        log.feed("x" * 10_000)
        row.feed("x" * 10_000)
    log.finish()
    assert [len(line) for line in log.tail()] == [2000]
    assert max(len(line) for line in row.tail()) <= 12_000


def test_a_progress_bar_that_ends_its_lines_with_returns_is_seen() -> None:
    row = Row(None)  # type: ignore[arg-type]
    for number in range(101):
        row.feed(f"{number}%\r")
    assert row.tail() == ["100%"]


def test_plain_lines_keep_up_with_a_line_that_has_no_end(capsys: pytest.CaptureFixture[str]) -> None:
    view, numbered = Lines(show_output=True), Numbered(id="1", step=None, closing=False)  # type: ignore[arg-type]
    began = time.process_time()
    for number in range(5000):
        view.output(numbered, f"\r{number:6} " + "#" * 1000)
    view.output(numbered, "\n")
    for _ in range(5000):
        view.output(numbered, "x" * 1000)
    shown = capsys.readouterr().out
    assert time.process_time() - began < 20
    assert shown.count("#") == 1000 and shown.count("x") > 4_900_000
