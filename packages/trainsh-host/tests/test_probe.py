"""Reads what a machine answers about itself into stages."""

import shutil
import subprocess
from pathlib import Path

import pytest

from trainsh_host.checks.probe import install_command, read_probe, script, stages_of

WHOLE = """
Welcome to this machine = nice
user=root 0
tmux=tmux 3.3a
rsync=rsync  version 3.2.7  protocol version 31
rclone=rclone v1.75.0
processes=/proc
gpu=NVIDIA GeForce RTX 4090, 24564 MiB
gpu=NVIDIA GeForce RTX 4090, 24564 MiB
disk=/dev/sda1 100000000 1 52428800 1% /
end=1
"""


def states(text: str) -> dict[str, tuple[str, str]]:
    return {stage.name: (stage.state, stage.detail) for stage in stages_of(read_probe(text))}


def test_a_machine_that_has_everything() -> None:
    assert states(WHOLE) == {
        "tmux": ("ok", "tmux 3.3a"),
        "processes": ("ok", "seen through /proc"),
        "rsync": ("ok", "rsync 3.2.7"),
        "rclone": ("ok", "rclone v1.75.0"),
        "GPU": ("ok", "2 x NVIDIA GeForce RTX 4090, 24564 MiB"),
        "disk": ("ok", "50.0 GiB free in the home folder"),
    }


def test_a_machine_that_has_nothing() -> None:
    found = states("user=me 1000\ntmux=\nrsync=\nrclone=\ndisk=\nend=1\n")
    assert [state for state, _ in found.values()] == ["failed", "failed", "failed", "absent", "absent", "absent"]


def test_programs_that_sessions_need_are_named_where_they_are_missing(tmp_path: Path) -> None:
    for name in ("sh", "sed", "uname", "id", "df", "touch", "rm"):
        (tmp_path / name).symlink_to(shutil.which(name) or "")
    text = script().replace("PATH=$PATH:/usr/local/bin:/usr/bin:/bin:/opt/homebrew/bin\n", "")
    done = subprocess.run(
        [str(tmp_path / "sh")], input=text, env={"HOME": str(tmp_path), "PATH": str(tmp_path)}, capture_output=True,
        text=True, timeout=30, check=True,
    )  # fmt: skip
    found = {stage.name: stage for stage in stages_of(read_probe(done.stdout))}["processes"]
    assert found.state == "failed" and "tail" in found.detail and "sed" not in found.detail


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("home=missing", "home folder is missing"),
        ("home=cannot be written", "home folder is cannot be written"),
        ("disk=/dev/sda1 1000000 1 1000 99% /", "only 1000.0 KiB free"),
    ],
)
def test_a_disk_that_will_not_do(line: str, said: str) -> None:
    stage = stages_of(read_probe(f"{line}\ndisk=/dev/sda1 1 1 9999999 1% /\n"))[-1]
    assert stage.state == "failed" and said in stage.detail and stage.fix and stage.exit == 7


def test_a_gpu_whose_driver_does_not_run() -> None:
    text = "gpu=NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver."
    stage = stages_of(read_probe(text))[4]
    assert stage.state == "failed" and stage.exit == 7 and stage.fix


@pytest.mark.parametrize("shell", ["sh", "dash", "busybox sh"])
def test_a_program_that_only_a_login_shell_finds(shell: str, tmp_path: Path) -> None:
    if shutil.which(shell.split(maxsplit=1)[0]) is None:
        pytest.skip(f"NOT TESTED HERE: {shell} is not installed")
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "rclone"
    program.write_text("#!/bin/sh\necho rclone v1.75.0\n")
    program.chmod(0o755)
    (tmp_path / ".bash_profile").write_text("echo hello\nPATH=$HOME/bin:$PATH\n")
    env = {"HOME": str(tmp_path), "SHELL": "/bin/bash", "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        shell.split(), input=script(), env=env, capture_output=True, text=True, timeout=30, check=True
    )
    found = {stage.name: stage for stage in stages_of(read_probe(done.stdout))}
    assert found["rclone"].detail == f"rclone v1.75.0 ({program})"
    assert found["processes"].state == "ok"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("user=root 0\nmanager=apt-get\nsudo=yes", "apt-get update && apt-get install -y tmux"),
        ("user=me 1000\nmanager=apt-get\nsudo=yes", "sudo apt-get update && sudo apt-get install -y tmux"),
        ("user=me 1000\nmanager=dnf\nsudo=yes", "sudo dnf install -y tmux"),
        ("user=root 0\nmanager=apk", "apk add tmux"),
        ("user=me 501\nmanager=brew\nsudo=yes", "brew install tmux"),
        ("user=me 1000", "install tmux on it with its package manager"),
    ],
)
def test_the_words_that_install(text: str, words: str) -> None:
    assert install_command("tmux", read_probe(text)) == words
