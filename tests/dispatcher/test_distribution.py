"""The distribution as people install it, with uv, pipx and install.sh: every executable is there and runs."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
VERSION = tomllib.loads((ROOT / "packages/tmux-trainsh/pyproject.toml").read_text())["project"]["version"]


def project(name: str) -> dict[str, object]:
    """The [project] table of one of our packages."""
    table = tomllib.loads((ROOT / "packages" / name / "pyproject.toml").read_text())["project"]
    assert isinstance(table, dict)
    return table


def ours() -> list[str]:
    """The packages on which the distribution depends, and the distribution itself."""
    words = [re.split(r"[=<>~\[ ]", word)[0] for word in project("tmux-trainsh")["dependencies"]]
    return [*(word for word in words if word.startswith("trainsh-")), "tmux-trainsh"]


def scripts() -> set[str]:
    """All executables that an installation must have."""
    return {"train", *project("tmux-trainsh")["scripts"]}


def test_it_depends_on_every_package_at_its_own_version() -> None:
    here = {folder.parent.name for folder in (ROOT / "packages").glob("*/pyproject.toml")} - {"tmux-trainsh"}
    wanted = {f"{name}=={VERSION}" for name in here}
    assert set(project("tmux-trainsh")["dependencies"]) == wanted
    assert {name: project(name)["version"] for name in here} == dict.fromkeys(here, VERSION)


def test_it_declares_every_entry_point_of_its_packages_again() -> None:
    declared = dict(project("tmux-trainsh")["scripts"])
    assert declared.pop("train-help") == "trainsh_help.cli:main"
    wanted: dict[str, str] = {}
    for name in ours()[:-1]:
        wanted |= project(name).get("scripts", {})
    assert declared == wanted


def test_every_tool_has_a_manifest_of_one_line() -> None:
    for script in scripts() - {"train"}:
        name = script.removeprefix("train-")
        found = list(ROOT.glob(f"packages/*/share/trainsh/tools/{name}"))
        assert len(found) == 1, f"{script}: {found}"
        assert re.fullmatch(rf"{name}\t[^\t\n]+\t[^\t\n]+\n", found[0].read_text())
        provides = found[0].parents[1] / "provides" / name
        assert provides.read_text() in ("hosts\n", "-\n"), "a list of providers would run this tool"


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a wheel of each of our packages, built from this checkout."""
    folder = tmp_path_factory.mktemp("wheels")
    for name in ours():
        subprocess.run(
            [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
            cwd=ROOT / "packages" / name, check=True, capture_output=True,
        )  # fmt: skip
    return folder


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """An environment whose HOME is empty. Downloads may come from the caches of the real home."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("XDG_", "PIPX_", "TRAINSH_"))}
    home = tmp_path / "home"
    home.mkdir()
    cache = subprocess.run([BIN / "uv", "cache", "dir"], capture_output=True, text=True, check=True).stdout.strip()
    pip = subprocess.run(
        [sys.executable, "-m", "pip", "cache", "dir"], capture_output=True, text=True, check=False
    ).stdout.strip()
    return kept | {
        "HOME": str(home),
        "PATH": f"{BIN}:{kept['PATH']}",
        "UV_CACHE_DIR": cache,
        "PIP_CACHE_DIR": pip or str(home / "pip"),
        "UV_PYTHON_DOWNLOADS": "never",
        "PIPX_HOME": str(home / "pipx"),
        "PIPX_BIN_DIR": str(home / ".local/bin"),
    }


def install(words: list[object], env: dict[str, str]) -> None:
    done = subprocess.run([str(word) for word in words], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def assert_all_run(folder: Path, env: dict[str, str]) -> None:
    """Check that each executable is in `folder` and prints its version, and that train finds its tools there."""
    exposed = {path.name for path in folder.iterdir() if path.name.startswith("train")}
    assert exposed == scripts()
    plain = env | {"PATH": "/usr/bin:/bin"}

    def answer(*words: str) -> str:
        command = [str(folder / words[0]), *words[1:]]
        done = subprocess.run(command, env=plain, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        return done.stdout

    for script in sorted(exposed):
        assert answer(script, "--version") == f"{script} {VERSION}\n"
    listed = answer("train", "--list").splitlines()
    assert sorted(listed) == sorted(script.removeprefix("train-") for script in exposed - {"train"})
    page = answer("train")
    assert "move files\n" in page
    assert "other commands" not in page
    assert "Usage: train xfer" in answer("train", "help", "xfer")


@pytest.mark.slow
@pytest.mark.parametrize("way", ["uv", "pipx"])
def test_uv_and_pipx_expose_every_executable(way: str, wheels: Path, home: dict[str, str], tmp_path: Path) -> None:
    home |= {"UV_TOOL_DIR": str(tmp_path / "tools"), "UV_TOOL_BIN_DIR": str(tmp_path / "bin")}
    home |= {"PIP_FIND_LINKS": f"{wheels} {home.get('PIP_FIND_LINKS', '')}", "UV_FIND_LINKS": str(wheels)}
    words = ["tool", "install"] if way == "uv" else ["install"]
    install([BIN / way, *words, "--python", sys.executable, f"tmux-trainsh=={VERSION}"], home)
    assert_all_run(tmp_path / "bin" if way == "uv" else Path(home["PIPX_BIN_DIR"]), home)


@pytest.mark.slow
def test_install_sh_builds_a_repository_into_a_venv_of_its_own(home: dict[str, str], tmp_path: Path) -> None:
    repository = commit_of_this_tree(tmp_path / "repository", home)
    home |= {"TRAINSH_REPOSITORY": repository.as_uri(), "PYTHON": sys.executable, "TMPDIR": str(tmp_path)}
    install(["sh", ROOT / "install.sh", "--github", "--with", "venv"], home)
    assert_all_run(Path(home["HOME"]) / ".local/bin", home)
    assert not list(tmp_path.glob("trainsh.*"))


@pytest.mark.faults
def test_every_package_alone_from_what_make_dist_builds(home: dict[str, str], tmp_path: Path) -> None:
    """Wheels and source distributions can be built.

    Each package's wheel, and a wheel from its sdist, runs in an empty venv.
    """
    built = tmp_path / "dist"
    for name in ours():
        build(["-d", str(built)], ROOT / "packages" / name)
    assert len(list(built.glob("*.whl"))) == len(list(built.glob("*.tar.gz"))) == len(ours())
    again = tmp_path / "again"
    for archive in built.glob("*.tar.gz"):
        shutil.unpack_archive(archive, tmp_path / "unpacked", filter="data")
        build(["-t", "wheel", "-d", str(again)], tmp_path / "unpacked" / archive.name.removesuffix(".tar.gz"))
    assert contents(again) == contents(built)
    for name in ours():
        venv = tmp_path / name
        install([BIN / "uv", "venv", "--quiet", "--python", sys.executable, venv], home)
        uv = [BIN / "uv", "pip", "install", "--quiet", "--python", venv / "bin/python", "--find-links", built]
        install([*uv, f"{name}=={VERSION}"], home)
        for script in project(name).get("scripts", {}):
            for word in ("--version", "--help", "schema"):
                done = subprocess.run(
                    [venv / "bin" / script, word], env=home | {"PATH": "/usr/bin:/bin"}, capture_output=True, text=True,
                    check=False,
                )  # fmt: skip
                assert (done.returncode, done.stderr) == (0, ""), f"{script} {word}: {done.stderr}"


def build(words: list[str], folder: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", *words], cwd=folder, check=True, capture_output=True
    )


def contents(folder: Path) -> dict[str, set[str]]:
    """The names of the files in each wheel of a folder."""
    return {wheel.name: set(zipfile.ZipFile(wheel).namelist()) for wheel in folder.glob("*.whl")}


def commit_of_this_tree(folder: Path, env: dict[str, str]) -> Path:
    """A repository with one commit, which has our packages as they are in the working tree."""
    (folder / "packages").mkdir(parents=True)
    for part in ("bin", "completions"):
        shutil.copytree(ROOT / part, folder / part)
    for name in ours():
        shutil.copytree(
            ROOT / "packages" / name, folder / "packages" / name, symlinks=True,
            ignore=shutil.ignore_patterns("__pycache__", "tests", "dist", ".*cache"),
        )  # fmt: skip
    author = {f"GIT_{who}_{what}": "tester" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    for words in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "tree"]):
        subprocess.run(["git", "-C", str(folder), *words], env=env | author, check=True, capture_output=True)
    return folder
