"""Every recipe in examples/ is checked and resolved. If it needs no GPU, it is also run in the sandbox."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
RECIPES = sorted(path.name for path in (ROOT / "examples").glob("*.recipe"))
# this text, which users are promised, has a warning: it never stops after a failure
AS_PROMISED = {"readme.recipe"}


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """A person who has configured only a machine that recipes name, and keys that are never used."""
    settings = tmp_path / ".config/tmux-trainsh"
    settings.mkdir(parents=True)
    (settings / "hosts.toml").write_text('[[hosts]]\nname = "myserver"\nhostname = "192.0.2.1"\n')
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("TRAINSH_", "XDG_", "VAST_"))}
    keys = dict.fromkeys(("VAST_API_KEY", "R2_ACCESS_KEY", "R2_SECRET_KEY", "AWS_ACCESS_KEY_ID", "HF_TOKEN"), "x")
    keys |= {"AWS_SECRET_ACCESS_KEY": "x", "TRAINSH_R2_ACCOUNT_ID": "a" * 32}
    return kept | keys | {"HOME": str(tmp_path), "PATH": f"{BIN}:{os.environ['PATH']}", "NO_COLOR": "1"}


def run(words: list[str], env: dict[str, str], status: int = 0, seconds: float = 120) -> str:
    done = subprocess.run(
        words,
        env=env,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_there_are_enough_to_start_from() -> None:
    assert len(RECIPES) >= 10


@pytest.mark.parametrize("recipe", RECIPES)
def test_each_is_checked_and_resolved(recipe: str, env: dict[str, str]) -> None:
    strict = [] if recipe in AS_PROMISED else ["--strict"]
    run(["train", "check", *strict, f"examples/{recipe}"], env)
    said = run(["train", "recipe", "run", f"examples/{recipe}", "--dry-run"], env)
    assert "tmux.open" in said
    assert not (Path(env["HOME"]) / ".config/tmux-trainsh/jobs").exists()


@pytest.fixture
def sandbox(env: dict[str, str], tmp_path: Path) -> Iterator[dict[str, str]]:
    """A sandbox that runs."""
    env |= {"TRAINSH_SANDBOX": str(tmp_path / "box")}
    run(["train", "sandbox", "up"], env)
    said: dict[str, dict[str, str]] = json.loads(run(["train", "sandbox", "env", "--json"], env))
    try:
        yield env | said["env"]
    finally:
        run(["train", "sandbox", "down"], env)


@pytest.mark.faults
@pytest.mark.parametrize("recipe", ["dataset", "two-hosts", "sweep", "hello"])
def test_those_for_a_cpu_run_in_the_sandbox(recipe: str, sandbox: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text("x,y\n" + "".join(f"{n / 50},{3 * n / 50 + 1}\n" for n in range(100)))
    run(["train", "transfer", str(tmp_path / "train.csv"), "s3:my-bucket/dataset/"], sandbox)
    said = run(["train", "run", f"examples/{recipe}.recipe", "--no-visual"], sandbox)
    assert re.search(r"^\S+ job \S+ ok in ", said, re.MULTILINE)
    if recipe != "hello":
        assert "epoch 20 loss" in said
    assert [row["state"] for row in json.loads(run(["train", "vast", "list", "--json"], sandbox))] in (
        [],
        ["stopped"],
    )


@pytest.mark.faults
def test_checkpoints_survive_the_machine(sandbox: dict[str, str]) -> None:
    words = ["train", "run", "examples/checkpoints.recipe", "--no-visual", "PAUSE=1"]
    runner = subprocess.Popen(
        words, env=sandbox, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    stored = ["train", "storage", "ls", "r2:my-bucket", "run-1", "--json"]
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:  # until a checkpoint is uploaded
        done = subprocess.run(stored, env=sandbox, capture_output=True, text=True, check=False)
        if "ckpt-" in done.stdout:
            break
        time.sleep(0.5)
    rows = json.loads(run(["train", "vast", "list", "--json"], sandbox))
    (machine,) = [row["id"] for row in rows if row["state"] == "running"]
    run(["train", "vast", "destroy", str(machine), "--yes"], sandbox)
    runner.terminate()
    runner.communicate(timeout=60)
    said = run(["train", "resume", "--no-visual"], sandbox)
    assert "gpu is another machine" in said
    assert re.search(r"going on after epoch \d", said), "not from the beginning"
    assert "model.json" in [row["name"] for row in json.loads(run(stored, sandbox))]
