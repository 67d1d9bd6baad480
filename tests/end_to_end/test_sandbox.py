"""The README's quick example in the sandbox, its text unchanged."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

BIN = Path(sys.executable).parent
EXAMPLE = Path(__file__).parents[2] / "examples" / "readme.recipe"


@pytest.fixture
def env(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of a running sandbox, with a home of its own."""
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
    done = subprocess.run(words, env=env, capture_output=True, text=True, check=False, timeout=300)
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


SMALL = """host gpu = placeholder
vast.pick @gpu
vast.wait timeout=5m poll=1s
tmux.open @gpu as work
@work > echo "on $(hostname)"
tmux.close @work
finally
vast.stop
"""


@pytest.mark.slow
def test_a_machine_named_on_the_command_line_is_the_one_that_is_used(env: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "small.recipe").write_text(SMALL)
    offers = answer(env, "train-vast", "search", "--gpu", "H200", "--limit", "1")
    assert isinstance(offers, list)
    made = answer(env, "train-vast", "create", str(offers[0]["id"]), "--image", "x")
    assert isinstance(made, dict)
    dear = made["id"]  # more expensive than the account's other instance, so a pick does not take it by itself

    def run(*words: str) -> str:
        done = subprocess.run(
            [BIN / "train-recipe", "run", "./small.recipe", "--no-visual", *words], env=env, cwd=tmp_path,
            capture_output=True, text=True, check=False, timeout=300,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    assert f"on C.{dear}" in run("--host", f"gpu=vast:{dear}")
    rows = answer(env, "train-vast", "list")
    assert isinstance(rows, list)
    other = next(row["id"] for row in rows if row["id"] != dear)
    assert {row["id"]: row["state"] for row in rows} == {dear: "stopped", other: "stopped"}
    assert f"on C.{other}" in run("--pick-host", "gpu=vast")


COUNTER = """
import os, socket, sys, threading

def move(read, write, counts):
    while data := read(1 << 16):
        with open(counts, "a") as file:
            file.write(f"{len(data)}\\n")
        write(data)

host, port, counts = sys.argv[1:]
peer = socket.create_connection((host, int(port)))
threading.Thread(target=move, args=(lambda n: os.read(0, n), peer.sendall, counts), daemon=True).start()
move(peer.recv, lambda data: os.write(1, data), counts)
"""
UPLOAD = """host gpu = placeholder
storage out = r2:my-bucket
vast.pick @gpu
vast.wait timeout=5m poll=1s
tmux.open @gpu as work
@work > cd /workspace/train && python train.py && head -c 30000000 /dev/urandom >model/big
@gpu:/workspace/train/model -> @out:/models/m/
tmux.close @work
finally
vast.stop
"""


@pytest.mark.slow
def test_the_laptop_carries_the_statements_and_not_the_data(env: dict[str, str], tmp_path: Path) -> None:
    ssh = tmp_path / "bin" / "ssh"
    ssh.parent.mkdir()
    (tmp_path / "counter.py").write_text(COUNTER)
    counts = tmp_path / "counts"
    proxy = f"{sys.executable} {tmp_path / 'counter.py'} %h %p {counts}"
    ssh.write_text(f'#!/bin/sh\nexec {shutil.which("ssh")} -o "ProxyCommand={proxy}" "$@"\n')
    ssh.chmod(0o755)
    (tmp_path / "up.recipe").write_text(UPLOAD)
    done = subprocess.run(
        [BIN / "train-recipe", "run", "./up.recipe", "--no-visual"], cwd=tmp_path, capture_output=True, text=True,
        env={**env, "PATH": f"{ssh.parent}{os.pathsep}{env['PATH']}"}, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    stored = answer(env, "train-storage", "ls", "r2:my-bucket", "models/m/model")
    assert isinstance(stored, list)
    assert {row["name"]: row["size"] for row in stored}["big"] == 30_000_000
    carried = sum(map(int, counts.read_text().split()))
    # A machine of the sandbox does not see what is in these folders: rclone is lent to it, which is about 30 MB.
    lent = Path(shutil.which("rclone", path=env["PATH"]) or "/").is_relative_to("/root")
    lent = lent or Path(sys.prefix).is_relative_to("/home") or Path(sys.prefix).is_relative_to("/tmp")
    assert 10_000 < carried < (45_000_000 if lent else 1_000_000), f"{carried} bytes of ssh"
