"""Which modules each command loads: listings, `logs` and `status` do not load the engine."""

import subprocess
import sys

import pytest

RUN = "import sys; sys.argv = ['train-recipe', *{words!r}]; from trainsh_recipe.cli import main; main()"


def loaded(words: list[str]) -> set[str]:
    """The modules of this package that a command imports."""
    argv = [sys.executable, "-X", "importtime", "-c", RUN.format(words=words)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)
    names = {
        line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")
    }
    return {name for name in names if name.startswith("trainsh_recipe.")}


@pytest.mark.parametrize("words", [["jobs"], ["status"], ["logs"], ["list"], ["rm", "nosuch"], ["--help"]])
def test_what_lists_loads_no_engine(words: list[str]) -> None:
    names = loaded(words)
    assert "trainsh_recipe.store.jobs" in names
    assert [name for name in names if ".engine" in name or ".plan" in name] == []


def test_what_runs_loads_the_engine() -> None:
    assert "trainsh_recipe.engine.runner" in loaded(["run", "./nosuch.recipe"])
