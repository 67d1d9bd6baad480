"""Which modules each command loads: listings, `logs` and `status` do not load the engine, and `exec` loads only what
its line needs.
"""

import subprocess
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Place

RUN = "import sys; sys.argv = ['train-recipe', *{words!r}]; from trainsh_recipe.entry import main; main()"
# A part of train-recipe, and modules of other packages, that an `exec` of a command does without.
NOT_FOR_EXEC = (
    "trainsh_recipe.commands.listing", "trainsh_recipe.commands.started", "trainsh_recipe.engine.gate",
    "trainsh_recipe.engine.executors.verb", "trainsh_recipe.engine.executors.copying",
    "trainsh_recipe.engine.job.editing", "trainsh_recipe.engine.job.taking_up",
    "trainsh_recipe.engine.resuming.choice", "trainsh_recipe.engine.resuming.shell_state",
    "trainsh_recipe.ui.start", "trainsh_recipe.ui.logs", "trainsh_recipe.ui.views.lines",
    "trainsh_base.remote.host_spec", "trainsh_base.tool.faces.people", "trainsh_base.tool.schema",
    "click", "hashlib", "pathlib", "shlex", "shutil", "socket", "subprocess", "tempfile", "traceback",
)  # fmt: skip


def loaded(words: list[str], place: "Place | None" = None) -> list[str]:
    """The modules that a command imports, in this order."""
    argv = [sys.executable, "-X", "importtime", "-c", RUN.format(words=words)]
    env, folder = (place.env, place.work) if place else (None, None)
    done = subprocess.run(
        argv, capture_output=True, text=True, check=False, timeout=60, env=env, cwd=folder, stdin=subprocess.DEVNULL
    )
    lines = [line for line in done.stderr.splitlines() if line.startswith("import time:")]
    return [line.rpartition("|")[2].strip() for line in lines]


@pytest.mark.parametrize("words", [["jobs"], ["status"], ["logs"], ["list"], ["rm", "nosuch"], ["--help"]])
def test_what_lists_loads_no_engine(words: list[str]) -> None:
    names = [name for name in loaded(words) if name.startswith("trainsh_recipe.")]
    assert "trainsh_recipe.store.jobs" in names
    assert [name for name in names if ".engine" in name or ".plan" in name] == []


def test_what_runs_loads_the_engine() -> None:
    assert "trainsh_recipe.engine.runner" in loaded(["run", "./nosuch.recipe"])


def test_exec_loads_what_its_line_needs(place: "Place") -> None:
    words = ["exec", "@local > true"]
    assert place.run(*words).returncode == 0  # keeps the plan
    names = loaded(words, place)
    assert "trainsh_recipe.engine.executors.command" in names
    assert set(names) & set(NOT_FOR_EXEC) == set()
    assert all(map(find_spec, NOT_FOR_EXEC))  # a module that was renamed would be missing for nothing
    # what only the second request and the end need is loaded while train-tmux works on the first request
    later = ["trainsh_base.system.configuration.config", "trainsh_recipe.ui.reports"]
    assert min(map(names.index, later)) > names.index("trainsh_recipe.engine.runner")
