"""What `train run` draws, on real terminals of 40 by 20, 80 by 24 and 200 by 50."""

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from world_screen import Screen

if TYPE_CHECKING:
    from conftest import Place

GOLDEN = Path(__file__).with_name("golden")
SIZES = [pytest.param((80, 24), id="80x24"), pytest.param((200, 50), id="200x50")]
NARROW = pytest.param((40, 20), id="40x20")
ASKER = """#!{python}
from typing import Any
from trainsh_base.request import current
from trainsh_base.tool.declare import Tool
from trainsh_base.tool.program import run
tool = Tool("asker", "Asks")

@tool.command()
def size() -> dict[str, Any]:
    "Ask for a size."
    word = current().ask("choose", "Which machine?", choices=["small", "large"], default="small", flag="--size")
    return {{"message": f"{{word}} it is", "instance": {{"id": 7, "price_per_hour": 0.31, "state": "running"}}}}

@tool.command(releases="disk")
def give_back() -> dict[str, Any]:
    "Give it back."
    return {{"instance": {{"id": 7, "state": "gone"}}}}

run(tool)
"""
RECIPE = """# a training
host box = local
tmux.open @box as work
@work > for i in 1 2 3; do echo "epoch $i of a training with a long line of output that does not fit into eighty"; done
asker.size
@work > echo training; while [ ! -e go ]; do sleep 0.05; done; echo "saved model.pt"
wait @work idle timeout=5m
{more}finally
asker.give-back
tmux.close @work
"""
FAILS = "@work > echo looking for data; ls /nowhere; false\n"


@pytest.mark.parametrize("size", [NARROW, *SIZES])
def test_a_run_that_asks_and_ends_well(place: "Place", size: tuple[int, int]) -> None:
    name = f"{size[0]}x{size[1]}"
    place.tool("asker", ASKER.format(python=sys.executable))
    place.recipe(RECIPE.format(more=""), "train")
    command = f"cd {place.work} && train-recipe run train"
    with Screen(place.env, command, width=size[0], height=size[1]) as screen:
        screen.is_golden(GOLDEN / f"question-{name}.txt", (r"\S*/w/", ""), words=["Which machine?", "small]"])
        screen.keys("large", "Enter")
        screen.is_golden(GOLDEN / f"running-{name}.txt", SPENT, words=["training", "an hour", "| training"])
        screen.keys("typed", "Enter", "c", "Enter")  # it is neither shown nor an answer to the question below
        screen.is_golden(GOLDEN / f"running-{name}.txt", SPENT, words=["training", "an hour", "| training"])
        screen.keys("C-c")
        screen.is_golden(GOLDEN / f"menu-{name}.txt", words=["d, p, c or Enter:"])
        screen.keys("Enter")
        words = ["| training", "Ctrl-C: detach"]
        screen.is_golden(GOLDEN / f"running-{name}.txt", SPENT, words=words, without="Enter")
        (place.work / "go").touch()
        screen.is_golden(GOLDEN / f"end-{name}.txt", SPENT, words=["ended 0"])


SPENT = (r"\$0\.\d+(?= so far)", "$0.00")


@pytest.mark.parametrize("size", SIZES)
def test_a_run_that_fails(place: "Place", size: tuple[int, int]) -> None:
    text = RECIPE.format(more=FAILS).replace("asker.size\n", "").replace("asker.give-back\n", "")
    place.recipe(text, "train")
    (place.work / "go").touch()
    command = f"cd {place.work} && train-recipe run train"
    with Screen(place.env, command, width=size[0], height=size[1]) as screen:
        screen.is_golden(GOLDEN / f"failing-{size[0]}x{size[1]}.txt", words=["ended 1"])


def test_a_question_that_a_limit_ends_leaves_a_whole_picture(place: "Place") -> None:
    place.tool("asker", ASKER.format(python=sys.executable))
    place.recipe(RECIPE.format(more=""), "train")
    with Screen(place.env, f"cd {place.work} && train-recipe run train --max-time 6s") as screen:
        screen.shows("Which machine?")
        lines = screen.shows("ended 1").split("\n")
        assert lines[1].endswith("[small]:") and lines[2].startswith("+   1  tmux.open")
        assert any(line.startswith("-   3  asker.size") and "--max-time 6.0s is over" in line for line in lines)
        assert lines[-3].startswith("job ") and "cancelled" in lines[-3] and "--max-time 12s" in lines[-2]


def test_a_cancelled_step_shows_its_time_and_a_question_is_not_counted(place: "Place") -> None:
    place.tool("asker", ASKER.format(python=sys.executable))
    place.recipe(RECIPE.format(more=""), "train")
    with Screen(place.env, f"cd {place.work} && train-recipe run train") as screen:
        screen.shows("Which machine?")
        time.sleep(6)  # as long as a person thinks
        screen.keys("Enter")
        screen.shows("| training")
        screen.keys("C-c")
        screen.shows("d, p, c or Enter:")
        screen.keys("c", "Enter")
        screen.shows("ended 130")
    steps = {each["step"]: each for each in place.events() if each["event"] == "step.finished"}
    assert steps["3"]["seconds"] < 5
    assert steps["4"]["status"] == "cancelled" and steps["4"]["seconds"] > 0
