"""Each tool in turn is deleted from a copy of the workspace.

Lint, types and the contract must hold for the rest.
"""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
LEFT_OUT = shutil.ignore_patterns("__pycache__", ".*cache", ".venv", ".git", ".hypothesis", "dist", "build")
# The framework is not a tool. The distribution lists what people install, so it is not deleted either.
TOOLS = sorted(
    folder.name for folder in (ROOT / "packages").iterdir() if folder.name not in ("trainsh-base", "tmux-trainsh")
)


def programs(root: Path) -> dict[str, str]:
    """Entry points of the packages in `root`: program -> module:function. The distribution's own are left out."""
    found: dict[str, str] = {}
    for file in sorted(root.glob("packages/*/pyproject.toml")):
        own = tomllib.loads(file.read_text())["project"].get("scripts", {})
        found |= {
            name: to for name, to in own.items() if file.parent.name != "tmux-trainsh" or name == "train-help"
        }
    return found


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The working tree without what was built from it."""
    return Path(shutil.copytree(ROOT, tmp_path / "copy", ignore=LEFT_OUT, symlinks=True))


def delete(copy: Path, tool: str) -> None:
    """Delete what docs/writing-a-tool.md names: the tool's directory, and its line in the README."""
    gone = tomllib.loads((copy / "packages" / tool / "pyproject.toml").read_text())["project"]["scripts"]
    shutil.rmtree(copy / "packages" / tool)
    readme = copy / "README.md"
    rows = readme.read_text().splitlines(keepends=True)
    readme.write_text("".join(row for row in rows if not any(row.startswith(f"| `{name}`") for name in gone)))


def sources(copy: Path) -> dict[str, str]:
    """An environment in which Python finds the copy's packages before the installed ones."""
    folders = os.pathsep.join(str(folder) for folder in sorted(copy.glob("packages/*/src")))
    return {**os.environ, "PYTHONPATH": folders, "MYPYPATH": folders, "PATH": f"{BIN}:{os.environ['PATH']}"}


def succeed(words: list[str], copy: Path, env: dict[str, str]) -> str:
    done = subprocess.run(words, cwd=copy, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{words}:\n{done.stdout[-4000:]}{done.stderr[-4000:]}"
    return done.stdout


@pytest.mark.parametrize("tool", TOOLS)
def test_nothing_static_names_a_tool_that_is_gone(tool: str, copy: Path) -> None:
    name = "trainsh_" + tool.removeprefix("trainsh-")
    delete(copy, tool)
    said = succeed([sys.executable, "tests/lint_imports.py"], copy, sources(copy))
    assert "0 broken" in said and name not in said
    named = re.compile(rf"\b{name}\b")
    naming = [
        str(file.relative_to(copy))
        for place in ("packages/*/src/**/*", "packages/*/pyproject.toml", "tests/**/*", "pyproject.toml")
        for file in copy.glob(place)
        if file.is_file() and file.suffix in (".py", ".toml", ".sh") and named.search(file.read_text())
    ]
    # The distribution depends on the tools. The rules for sources list the files that may name a provider.
    assert set(naming) <= {"packages/tmux-trainsh/pyproject.toml", "tests/lint/test_sources.py"}


@pytest.mark.faults
@pytest.mark.parametrize("tool", TOOLS)
def test_lint_types_and_contract_hold_without_it(tool: str, copy: Path, tmp_path: Path) -> None:
    delete(copy, tool)
    env = sources(copy)
    succeed(["ruff", "check", "."], copy, env)
    succeed(["ruff", "format", "--check", "."], copy, env)
    for package in sorted(copy.glob("packages/*/src")):
        succeed(["mypy", "--cache-dir", str(ROOT / ".mypy_cache"), str(package)], copy, env)
    env["PATH"] = f"{install(copy, tmp_path / 'prefix')}:{env['PATH']}"
    succeed(["bats", "tests/contract"], copy, env)


def install(copy: Path, prefix: Path) -> Path:
    """Make a `bin` with the copy's programs and a `share` beside it, as in an installation.

    Return the folder `bin`.
    """
    folder = prefix / "bin"
    folder.mkdir(parents=True)
    shutil.copy2(copy / "bin/train", folder / "train")
    for name, entry in programs(copy).items():
        module, _, function = entry.partition(":")
        program = folder / name
        program.write_text(f"#!{sys.executable}\nfrom {module} import {function}\n\n{function}()\n")
        program.chmod(0o755)
    for shared in copy.glob("packages/*/share/trainsh"):
        shutil.copytree(shared, prefix / "share/trainsh", dirs_exist_ok=True)
    return folder
