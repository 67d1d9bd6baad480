"""The command that installs a program fits the machine and the account."""

import os
from pathlib import Path

import pytest

from trainsh_base.system.installing import install_hint


@pytest.mark.parametrize(
    ("programs", "user", "program", "command"),
    [
        (["apt-get", "sudo"], 0, "ssh", "apt-get install openssh-client"),
        (["apt-get", "sudo"], 1000, "tmux", "sudo apt-get install tmux"),
        (["apt-get"], 1000, "tmux", "as root: apt-get install tmux"),
        (["dnf", "sudo"], 1000, "ssh", "sudo dnf install openssh-clients"),
        (["apk"], 0, "ssh", "apk add openssh-client"),
        (["pacman", "sudo"], 1000, "sshd", "sudo pacman -S openssh"),
        (["zypper"], 0, "rclone", "zypper install rclone"),
        (["brew", "sudo"], 501, "ssh", "brew install openssh"),
        (["sudo"], 1000, "rsync", "install rsync with the package manager of this machine"),
    ],
)
def test_it_fits(
    programs: list[str], user: int, program: str, command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in programs:
        (tmp_path / name).write_text("")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: user)
    assert install_hint(program) == command
