"""Run the commands of the README as printed, for a person who has a machine called gpu-box."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from trainsh_world import World

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
pytestmark = pytest.mark.slow


def blocks(language: str = "bash") -> list[str]:
    """The README's code blocks in a language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.DOTALL | re.MULTILINE)


def commands() -> list[str]:
    """Every command in these blocks. The commands with `make` have tests of their own."""
    lines = [line.partition("  #")[0].strip() for block in blocks() for line in block.splitlines()]
    return [line for line in lines if line and not line.startswith("make ")]


@pytest.fixture
def person(world: "World", monkeypatch: pytest.MonkeyPatch) -> "World":
    """The user `me` on gpu-box, and the README's recipe in a folder with the files that it names."""
    box = world.sshd("gpu-box")
    if not box.namespaced:
        pytest.skip("THE README'S COMMANDS ARE NOT TESTED HERE: no mount namespaces")
    with (box.folder / "passwd").open("a") as accounts:
        accounts.write(f"me:x:0:0::{box.home}:/bin/bash\n")
    (box.home / "bin").mkdir()
    for name, text in (("nvidia-smi", "echo one GPU"), ("python3", f'exec {sys.executable} "$@"')):
        (box.home / "bin" / name).write_text(f"#!/bin/sh\n{text}\n")
        (box.home / "bin" / name).chmod(0o755)
    for file in (".bashrc", ".bash_profile"):
        (box.home / file).write_text('PATH="$HOME/bin:$PATH"\n')
    (world.home / "code").mkdir()
    (world.home / "code" / "requirements.txt").touch()
    (world.home / "code" / "train.py").write_text("import os\nprint('epoch 10')\nos.mkdir('model')\n")
    (world.home / "examples").symlink_to(ROOT / "examples")
    recipe = re.findall(r"^`train\.recipe`.*:\n\n```\n(.*?)^```", README, re.DOTALL | re.MULTILINE)[0]
    assert "-p 22" in recipe
    (world.home / "train.recipe").write_text(recipe.replace("-p 22", f"-p {box.port}"))
    monkeypatch.setenv("TRAINSH_PASSPHRASE", "open sesame")
    return world


@pytest.fixture
def market(person: "World", tmp_path: Path) -> Iterator[dict[str, str]]:
    """An environment that makes `train vast` use a sandbox."""
    env = person.env | {"TRAINSH_SANDBOX": str(tmp_path / "market")}
    words = {"up": ["--no-machines", "--no-storage"], "env": ["--json"], "down": []}

    def sandbox(verb: str) -> str:
        done = subprocess.run(
            ["train", "sandbox", verb, *words[verb]], env=env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    sandbox("up")
    try:
        found = json.loads(sandbox("env"))["env"]
        yield {"VAST_URL": found["VAST_URL"], "VAST_API_KEY": found["VAST_API_KEY"]}
    finally:
        sandbox("down")


def test_every_command_of_the_readme_runs(person: "World", market: dict[str, str], tmp_path: Path) -> None:
    assert len(commands()) > 15
    wanted = {"train recipe resume": 3}  # there is nothing to resume, because the run succeeded
    more = market | {
        "TRAINSH_PASSPHRASE": "open sesame",
        "KEY": "k",
        "TRAINSH_SANDBOX": str(tmp_path / "rehearsal"),
    }
    for line in commands():
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", line], capture_output=True, text=True, cwd=person.home, timeout=300,
            env=person.env | more, check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        if line.startswith("train doctor"):
            assert done.returncode in (0, 1), done.stderr  # 1: this machine lacks something
        else:
            assert done.returncode == wanted.get(line, 0), f"{line}\n{done.stdout}{done.stderr}"
        assert "Traceback" not in done.stderr
        if "|" in line and "secrets" not in line and "check" not in line and "jobs" not in line:
            assert done.stdout.strip(), f"{line} printed nothing"
    assert (person.home / "model").is_dir()
    assert (person.home / "models").is_dir()  # of `storage add models file:~/models`


def test_the_hint_of_the_demo_can_be_pasted(person: "World") -> None:
    script = (ROOT / "examples" / "demo.sh").read_text()
    hint = re.search(r'"The run: +(.*)"', script)
    assert hint
    assert shutil.which("sh")
    line = hint[1].replace("$kept/.config/tmux-trainsh", str(person.config)).replace("$PWD", str(ROOT))
    person.run("train", "recipe", "run", "./train.recipe", timeout=120)
    elsewhere = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent"}
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, env=elsewhere, check=False, cwd="/")
    assert done.returncode == 0 and "epoch 10" in done.stdout, done.stdout + done.stderr
