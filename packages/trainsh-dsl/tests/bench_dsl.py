"""Measures what reading recipes costs, as ratios within one run. `make bench` calls `figures()`."""

import gc
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from trainsh_dsl.analysis import analyse

sys.path.insert(0, str(Path(__file__).parent))
from dsl_hostile import FAMILIES

LINES = 10_000
ROUNDS = 9
_HEAD = """\
var MODEL = llama-7b
var WORKDIR = /workspace/train
host gpu = user@192.0.2.7 -p 2222
storage output = r2:my-bucket
tmux.open @gpu as work
"""
_BODY = """\
# Step {n}: what a recipe usually says

@work > cd $WORKDIR && git pull --ff-only
@work > pip install -r requirements.txt
@work timeout=2h > python prepare.py --model $MODEL --step {n} --name "run {n}" > log.{n} 2>&1
@work > python train.py --model $MODEL --step {n} &
wait @work "step {n} loss \\d+\\.\\d+" timeout=30m
wait @work idle timeout=2h
@gpu:$WORKDIR/out/{n}/ -> @output:/models/$MODEL/{n}/ exclude=*.tmp
notify "step {n} of $MODEL is done"
"""
_TAIL = "tmux.close @work\n"


def recipe(lines: int) -> str:
    """A recipe of about this many lines, with every common kind of statement."""
    blocks = lines // _BODY.count("\n")
    return _HEAD + "".join(_BODY.format(n=number) for number in range(blocks)) + _TAIL


def _split(path: Path) -> None:
    with path.open(encoding="utf-8") as file:
        for line in file:
            line.split()


def _check(path: Path) -> None:
    found = analyse(path.read_bytes().decode()).diagnostics()
    assert not found, found[0]


def _hostile(size: int) -> Callable[[], None]:
    """A function that analyses every kind of text that is meant to be slow. Each text has `size` characters."""
    texts = [family(size) for family in FAMILIES.values()]

    def answer() -> None:
        for text in texts:
            analyse(text).diagnostics()

    return answer


def _best(*actions: Callable[[], None]) -> list[float]:
    """The least seconds of processor time that each action takes.

    The actions run in turns, so that a noisy machine disturbs all of them alike.
    """
    times: list[list[float]] = [[] for _ in actions]
    for _ in range(ROUNDS):
        for place, action in enumerate(actions):
            gc.collect()
            start = time.process_time()
            action()
            times[place].append(time.process_time() - start)
    return [min(each) for each in times]


def figures() -> list[tuple[str, float, float]]:
    """Tuples (what, measured, bar). Each measured value is a ratio that must be at most `bar`."""
    with tempfile.TemporaryDirectory() as folder:
        small, large = Path(folder) / "small.recipe", Path(folder) / "large.recipe"
        small.write_text(recipe(LINES), encoding="utf-8")
        large.write_text(recipe(4 * LINES), encoding="utf-8")
        split, once, four = _best(lambda: _split(small), lambda: _check(small), lambda: _check(large))
    short, long = _best(_hostile(20_000), _hostile(80_000))
    return [
        ("checking 10,000 lines over splitting them", once / split, 60.0),
        ("checking 40,000 lines over 4 times 10,000", four / (4 * once), 1.5),
        ("answering hostile texts of 80,000 characters over 4 times 20,000", long / (4 * short), 1.6),
    ]


if __name__ == "__main__":
    for name, measured, bar in figures():
        print(f"{name}: {measured:.2f} (bar {bar:g})")
        if measured > bar:
            sys.exit(1)
