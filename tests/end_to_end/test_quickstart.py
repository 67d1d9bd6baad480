"""The quickstart recipe as users run it: on this machine, and unchanged on another machine."""

import re
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from world_sshd import free_port

if TYPE_CHECKING:
    from trainsh_world import World

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.slow


def run(world: "World", *words: str) -> str:
    """Run the recipe by its name from a folder that has examples/, and return what it printed."""
    home = Path(world.home)
    shutil.copytree(ROOT / "examples", home / "examples", ignore=shutil.ignore_patterns("tests", "__pycache__"))
    recipes = Path(world.env["TRAINSH_HOME"]) / "recipes" if "TRAINSH_HOME" in world.env else None
    recipes = recipes or home / ".config" / "tmux-trainsh" / "recipes"
    recipes.mkdir(parents=True)
    shutil.copy(ROOT / "examples" / "quickstart.recipe", recipes)
    given = ["STEPS=300", f"PORT={free_port()}", f"PYTHON={sys.executable}"]
    done = world.run("train", "recipe", "run", "quickstart", *given, *words, check=False, timeout=300)
    assert done.status == 0, done.out + done.err
    return str(done.out)


def check(world: "World", printed: str) -> None:
    """Check that the whole model has arrived on this machine, and that its loss fell while the test watched."""
    home = Path(world.home)
    assert (home / "build/models/quickstart/model.npz").stat().st_size > 100_000
    assert len((home / "build/quickstart/sample.txt").read_text()) > 100
    losses = [float(found) for found in re.findall(r"held-out loss ([0-9.]+)", printed)]
    assert len(losses) > 2
    assert losses[-1] < losses[0]


def test_here(world: "World") -> None:
    check(world, run(world))


def test_on_another_machine(world: "World") -> None:
    printed = run(world, "--host", f"box={world.spec(world.sshd('box'))}")
    check(world, printed)
