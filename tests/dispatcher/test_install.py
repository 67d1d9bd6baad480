"""install.sh for users: which files it installs, a second run, a run without a network, and that --uninstall
removes only these.
"""

import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
SHELLS = ("bash", "zsh", "fish")


@pytest.fixture
def person(tmp_path: Path) -> dict[str, str]:
    """A person with an empty home whose path has a blank. The caches are outside of this home."""
    home = tmp_path / "my home"
    home.mkdir()
    (home / ".bashrc").write_text("# mine\n")
    kept = {
        key: value for key, value in os.environ.items() if not key.startswith(("XDG_", "PIPX_", "TRAINSH_", "UV_"))
    }
    caches = {}
    for name, words in {"UV_CACHE_DIR": ["uv", "cache", "dir"], "PIP_CACHE_DIR": ["pip", "cache", "dir"]}.items():
        program = [BIN / "uv", *words[1:]] if words[0] == "uv" else [sys.executable, "-m", *words]
        done = subprocess.run(program, capture_output=True, text=True, check=False)
        caches[name] = done.stdout.strip() or str(tmp_path / name)
    own = {"HOME": str(home), "SHELL": "/bin/bash", "PYTHON": sys.executable, "UV_PYTHON_DOWNLOADS": "never"}
    own |= {"XDG_STATE_HOME": str(tmp_path / "state"), "TMPDIR": str(tmp_path)}
    return kept | caches | own | {"PATH": f"{BIN}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"}


def run(words: list[object], env: dict[str, str], status: int = 0, cwd: Path = ROOT) -> str:
    """The output of a program, from both streams."""
    done = subprocess.run(
        [str(word) for word in words], env=env, cwd=cwd, capture_output=True, text=True, stdin=subprocess.DEVNULL,
        check=False,
    )  # fmt: skip
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + done.stderr


def tree(folder: Path) -> dict[str, str]:
    """Every path below a folder, with the contents of the files; without what Python compiles when a program runs."""
    return {
        str(path.relative_to(folder)): path.read_text(errors="replace") if path.is_file() else ""
        for path in folder.rglob("*")
        if "__pycache__" not in path.parts
    }


def without_network() -> list[str]:
    """The argv that runs a program without a network."""
    if os.getuid() == 0 and shutil.which("unshare"):
        return ["unshare", "-n"]
    return []


def check(folder: Path, env: dict[str, str]) -> None:
    """Check that commands run, and that completions and manual pages are below `folder`."""
    train = folder / "bin/train"
    assert run([train, "--version"], env | {"PATH": "/usr/bin:/bin"}).startswith("train ")
    assert "recipe" in run([train, "help"], env | {"PATH": "/usr/bin:/bin"})
    for name in ("train", "train-vast"):
        assert "--complete" in (folder / f"share/bash-completion/completions/{name}").read_text()
    assert (folder / "share/man/man1/train-vast.1").read_text().startswith(".TH")
    assert (folder / "share/man/man7/train-recipes.7").exists()
    for link in folder.rglob("*"):
        assert not link.is_symlink() or link.exists(), f"{link} leads nowhere"


@pytest.mark.slow
def test_a_checkout_installs_in_a_prefix_and_goes_without_a_trace(person: dict[str, str], tmp_path: Path) -> None:
    prefix, home = tmp_path / "a prefix", Path(person["HOME"])
    before = tree(home)
    words: list[object] = [ROOT / "install.sh", "--prefix", prefix, "--with", "uv", "--yes"]
    run(words, person)
    check(prefix, person)
    line = (home / ".bashrc").read_text().splitlines()[-1]
    assert line.endswith("# tmux-trainsh")
    typed = "source ~/.bashrc; type -P train; complete -p train"
    found = run(["bash", "-ic", typed], person | {"PATH": "/usr/bin:/bin"})
    assert f"{prefix}/bin/train" in found
    placed = tree(prefix)
    assert "already installed" in run([*without_network(), *words], person)
    assert tree(prefix) == placed and (home / ".bashrc").read_text().count("# tmux-trainsh") == 1
    (home / ".bashrc").write_text((home / ".bashrc").read_text() + "# mine too\n")
    (prefix / "share/man/man1/mine.1").write_text("mine")
    (home / ".config/tmux-trainsh").mkdir(parents=True)
    run([ROOT / "install.sh", "--prefix", prefix, "--uninstall"], person)
    assert (home / ".bashrc").read_text() == "# mine\n# mine too\n"
    # files of uv itself
    uv = {".local", ".local/share", *(path for path in tree(home) if path.startswith(".local/share/uv"))}
    assert set(tree(home)) - uv == {*before, ".config", ".config/tmux-trainsh"}
    left = {path: text for path, text in tree(prefix).items() if text}
    assert left == {"share/man/man1/mine.1": "mine"}
    assert "error: nothing that this script installed" in run(
        [ROOT / "install.sh", "--prefix", prefix, "--uninstall"], person, status=3
    )


@pytest.mark.faults
@pytest.mark.parametrize("way", ["venv", "pipx"])
def test_an_archive_installs_and_a_second_time_needs_no_network(
    way: str, person: dict[str, str], tmp_path: Path
) -> None:
    archive = tmp_path / "an archive.tar.gz"
    with tarfile.open(archive, "w:gz") as packed:
        for part in ("bin", "completions", "packages"):
            packed.add(ROOT / part, f"tmux-trainsh-main/{part}")
    home = Path(person["HOME"])
    env = person | {"TRAINSH_SOURCE": str(archive)}
    words: list[object] = ["sh", "-s", "--", "--github", "--with", way]
    text = (ROOT / "install.sh").read_text()
    done = subprocess.run(
        [str(word) for word in words], env=env, input=text, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    check(home / ".local", person)
    again = [*without_network(), "sh", ROOT / "install.sh", *words[3:]]
    assert "already installed" in run(again, env)
    run(["sh", ROOT / "install.sh", "--uninstall"], person)
    assert not list((home / ".local/bin").glob("train*")) and not (home / ".local/share/tmux-trainsh").exists()
    assert (home / ".bashrc").read_text() == "# mine\n"


@pytest.mark.faults
def test_a_changed_checkout_is_installed_again_without_a_network(person: dict[str, str], tmp_path: Path) -> None:
    copy = tmp_path / "a checkout"
    for part in ("bin", "completions", "packages"):
        shutil.copytree(
            ROOT / part, copy / part, symlinks=True, ignore=shutil.ignore_patterns("__pycache__", "tests")
        )
    words: list[object] = ["sh", ROOT / "install.sh", "--from", copy, "--with", "venv"]
    run(words, person)
    manifest = copy / "packages/trainsh-vast/share/trainsh/tools/vast"
    manifest.write_text(manifest.read_text().replace("Vast.ai:", "Changed:"))
    run([*without_network(), *words], person)
    assert "Changed:" in run([Path(person["HOME"]) / ".local/bin/train", "help"], person)


@pytest.mark.parametrize("source", ["none.tar.gz", "not.tar.gz"])
def test_an_archive_that_is_none_is_named(source: str, person: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "not.tar.gz").write_text("x")
    env = person | {"TRAINSH_SOURCE": str(tmp_path / source)}
    said = run(["sh", ROOT / "install.sh", "--github"], env, status=3 if source.startswith("none") else 2)
    assert str(tmp_path / source) in said and "error: " in said
    assert not (Path(person["HOME"]) / ".local").exists()
