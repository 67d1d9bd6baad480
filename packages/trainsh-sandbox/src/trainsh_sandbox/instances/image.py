"""Builds the image of every instance: the files of the README's example, a Python, and a repository to clone."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from trainsh_sandbox.instances.machine import SCRIPTS
from trainsh_sandbox.storage import rclone_path

CONTENT = Path(__file__).parent.parent / "image"
REPOSITORY = {"README.md": "# repo\n\nA repository to clone.\n", "hello.py": 'print("hello")\n'}
_GIT = {
    "GIT_AUTHOR_NAME": "sandbox", "GIT_AUTHOR_EMAIL": "sandbox@localhost", "GIT_COMMITTER_NAME": "sandbox",
    "GIT_COMMITTER_EMAIL": "sandbox@localhost", "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null",
}  # fmt: skip


def build(folder: Path) -> Path:
    """Create the image in `folder`, and return its path.

    The image has scripts, the folder `bin` for PATH, the folder `disk` with the files of a new instance, and
    `repo.git`.
    """
    folder.mkdir(mode=0o755, parents=True)
    for name in ("enter.sh", "init.sh", "login.sh"):
        shutil.copy(SCRIPTS / name, folder / name)
    tools = folder / "bin"
    tools.mkdir()
    for name in ("python", "python3", "pip", "pip3", "nvidia-smi"):
        source = CONTENT / (
            "python.sh" if name.startswith("python") else "pip.sh" if name[:3] == "pip" else f"{name}.sh"
        )
        shutil.copy(source, tools / name)
        (tools / name).chmod(0o755)
    rclone = rclone_path()
    if rclone:
        (tools / "rclone").symlink_to(os.path.realpath(rclone))
    (folder / "interpreter").symlink_to(os.path.realpath(sys.executable))
    train = folder / "disk" / "workspace" / "train"
    train.mkdir(parents=True)
    for name in ("train.py", "requirements.txt"):
        shutil.copy(CONTENT / name, train / name)
    home = folder / "disk" / "root"
    home.mkdir()
    shutil.copy(CONTENT / "bashrc.sh", home / ".bashrc")
    (home / ".bash_profile").write_text(". ~/.bashrc\n")
    _repository(folder)
    return folder


def _repository(folder: Path) -> None:
    work = folder / "work"
    work.mkdir()
    for name, text in REPOSITORY.items():
        (work / name).write_text(text)
    for words in (
        ["init", "-q", "-b", "main", str(work)],
        ["-C", str(work), "add", "."],
        ["-C", str(work), "commit", "-q", "-m", "A repository to clone"],
        ["clone", "-q", "--bare", str(work), str(folder / "repo.git")],
    ):
        subprocess.run(["git", *words], check=True, capture_output=True, env={**os.environ, **_GIT})
    shutil.rmtree(work)
