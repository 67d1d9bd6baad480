"""The README's quick example in the sandbox, its text unchanged."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

BIN = Path(sys.executable).parent
EXAMPLE = Path(__file__).parents[2] / "examples" / "readme.recipe"


@pytest.fixture
def env(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of a sandbox that is up, with a home of its own."""
    environment = {**os.environ, "TRAINSH_SANDBOX": str(tmp_path / "box"), "HOME": str(tmp_path), "NO_COLOR": "1"}
    subprocess.run([BIN / "train-sandbox", "up", "--json"], env=environment, check=True, stdout=subprocess.DEVNULL)
    said = subprocess.run(
        [BIN / "train-sandbox", "env", "--json"], env=environment, check=True, capture_output=True
    )
    yield {**environment, **json.loads(said.stdout)["env"]}
    subprocess.run([BIN / "train-sandbox", "down"], env=environment, check=True, stdout=subprocess.DEVNULL)
    assert not (tmp_path / "box").exists()


def answer(env: dict[str, str], *words: str) -> object:
    """The JSON of a command."""
    done = subprocess.run([BIN / words[0], *words[1:], "--json"], env=env, check=True, capture_output=True)
    return json.loads(done.stdout)


@pytest.mark.slow
def test_the_quick_example_trains_copies_and_stops(env: dict[str, str], tmp_path: Path) -> None:
    subprocess.run([BIN / "train-dsl", "check", EXAMPLE], env=env, capture_output=True, check=True)
    words = [str(BIN / "train-recipe"), "run", str(EXAMPLE), "--no-visual"]
    done = subprocess.run(words, env=env, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "step 5 loss" in done.stdout
    backup = tmp_path / "box" / "disks" / "myserver" / "backup" / "model"
    assert sorted(path.name for path in backup.iterdir()) == ["config.json", "sample.txt", "weights.json"]
    assert json.loads((backup / "config.json").read_text())["model"] == "llama-7b"
    stored = answer(env, "train-storage", "ls", "r2:my-bucket", "models/llama-7b/model")
    assert isinstance(stored, list)
    assert [row["name"] for row in stored] == ["config.json", "sample.txt", "weights.json"]
    rows = answer(env, "train-vast", "list")
    assert isinstance(rows, list)
    assert [row["state"] for row in rows] == ["stopped"]
