"""`make bench`: all figures of the suite. Each is a ratio to a floor that is measured in the same run.

A module `bench_*.py` beside the tests has a function `figures() -> list[(name, measured, bar)]`. All figures are
printed. The exit status is 1 if a figure is over its bar. `bench.py WORD...` runs only the modules whose path
contains a WORD.
"""

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
Figures = Callable[[], list[tuple[str, float, float]]]


def modules(words: list[str]) -> list[Path]:
    """The bench modules. If `words` are given, only those with one of the words in their path."""
    found = sorted([*ROOT.glob("tests/**/bench_*.py"), *ROOT.glob("packages/*/tests/bench_*.py")])
    return [path for path in found if not words or any(word in str(path) for word in words)]


def load(path: Path) -> Figures:
    """The `figures` function of a module."""
    sys.path.insert(0, str(path.parent))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    figures: Figures = module.figures
    return figures


def main(words: list[str]) -> int:
    """Print the table, and return the exit status."""
    over = 0
    for path in modules(words):
        for name, measured, bar in load(path)():
            mark = "ok" if measured <= bar else "OVER"
            over += measured > bar
            print(f"{mark:<5}{measured:>9.2f}  of {bar:>7.2f}  {name}", flush=True)
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
