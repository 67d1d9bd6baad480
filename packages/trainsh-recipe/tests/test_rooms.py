"""What each command loads: listings, logs and status load no engine."""

import subprocess
import sys

import pytest

LOADED = """
import sys
sys.argv = ["train-recipe", *{words!r}]
from trainsh_recipe.cli import main
try:
    main()
except SystemExit:
    pass
print("\\n" + " ".join(name for name in sys.modules if name.startswith("trainsh_recipe.")))
"""


def loaded(words: list[str]) -> list[str]:
    code = LOADED.format(words=words)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.splitlines()[-1].split()


@pytest.mark.parametrize("words", [["jobs"], ["status"], ["logs"], ["list"], ["rm", "nosuch"], ["--help"]])
def test_what_lists_loads_no_engine(words: list[str]) -> None:
    names = loaded(words)
    assert "trainsh_recipe.store.jobs" in names
    assert [name for name in names if ".engine" in name or ".plan" in name] == []


def test_what_runs_loads_the_engine() -> None:
    assert "trainsh_recipe.engine.runner" in loaded(["run", "./nosuch.recipe"])
