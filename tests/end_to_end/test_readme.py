"""The commands that the README prints, run as printed, by somebody who has a machine called gpu-box."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from trainsh_world import World

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
pytestmark = pytest.mark.slow


def blocks(language: str = "bash") -> list[str]:
    """The README's blocks of a language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.DOTALL | re.MULTILINE)


def commands() -> list[str]:
    """Every command of them; `make` and `install.sh` have tests of their own."""
    lines = [line.partition("  #")[0].strip() for block in blocks() for line in block.splitlines()]
    return [line for line in lines if line and not line.startswith(("make ", "./install.sh"))]


@pytest.fixture
def person(world: "World", monkeypatch: pytest.MonkeyPatch) -> "World":
    """`me` on gpu-box, and the recipe of the README in a folder with what it names."""
    box = world.sshd("gpu-box")
    if not box.namespaced:
        pytest.skip("THE README'S COMMANDS ARE NOT TESTED HERE: no mount namespaces")
    with (box.folder / "passwd").open("a") as accounts:
        accounts.write(f"me:x:0:0::{box.home}:/bin/bash\n")
    (box.home / "bin").mkdir()
    for name, text in (("nvidia-smi", "echo one GPU"), ("pip", "exit 0"), ("python", "echo epoch 10; mkdir model")):
        (box.home / "bin" / name).write_text(f"#!/bin/sh\n{text}\n")
        (box.home / "bin" / name).chmod(0o755)
    for file in (".bashrc", ".bash_profile"):
        (box.home / file).write_text('PATH="$HOME/bin:$PATH"\n')
    (world.home / "code").mkdir()
    (world.home / "code" / "requirements.txt").touch()
    recipe = README.partition("## A recipe\n\n```\n")[2].partition("```")[0]
    assert "-p 22" in recipe
    (world.home / "train.recipe").write_text(recipe.replace("-p 22", f"-p {box.port}"))
    monkeypatch.setenv("TRAINSH_PASSPHRASE", "open sesame")
    return world


def test_every_command_of_the_readme_runs(person: "World") -> None:
    # Adding the machine comes later in the README than the first command on it.
    ordered = sorted(commands(), key=lambda line: not line.startswith("train host add"))
    assert len(ordered) > 8
    wanted = {"train recipe resume": 3}  # nothing to resume: the run went well
    for line in ordered:
        done = subprocess.run(
            ["bash", "-c", line], input="hf_secret\n", capture_output=True, text=True, cwd=person.home, timeout=120,
            env=person.env | {"TRAINSH_PASSPHRASE": "open sesame"}, check=False,
        )  # fmt: skip
        assert done.returncode == wanted.get(line, 0), f"{line}\n{done.stdout}{done.stderr}"
        assert "Traceback" not in done.stderr
    assert (person.home / "model").is_dir()


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
