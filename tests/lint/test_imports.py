"""The rules of tests/lint_imports.py, each shown a planted case."""

import shutil
import subprocess
import sys
from pathlib import Path

LINT = Path(__file__).resolve().parents[1] / "lint_imports.py"
LAYERS = """
[[tool.importlinter.contracts]]
name = "Rooms of trainsh-near"
type = "layers"
exhaustive = true
containers = ["trainsh_near"]
layers = ["cli", "deep"]
"""
FILES = {
    "trainsh-base": {"__init__.py": "", "errors.py": ""},
    "trainsh-far": {"__init__.py": "", "cli.py": ""},
    "trainsh-near": {
        "__init__.py": "", "cli.py": "from trainsh_base import errors\n",
        "deep/__init__.py": "", "deep/one.py": "", "deep/two.py": "from trainsh_near.deep import one\n",
    },
}  # fmt: skip


def broken(root: Path) -> set[str]:
    """The names of the contracts that the lint finds broken in `root`."""
    argv = [sys.executable, str(root / "tests" / "lint_imports.py")]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    found = {line.removesuffix(" BROKEN") for line in done.stdout.splitlines() if line.endswith(" BROKEN")}
    assert (done.returncode == 0) == (not found), done.stdout + done.stderr
    return found


def test_each_rule_finds_what_breaks_it(tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    shutil.copy(LINT, tmp_path / "tests")
    for package, files in FILES.items():
        source = tmp_path / "packages" / package / "src" / package.replace("-", "_")
        for name, text in files.items():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_text(text)
        (source.parents[1] / "pyproject.toml").write_text(LAYERS if package == "trainsh-near" else "")
    assert broken(tmp_path) == set()
    near = tmp_path / "packages/trainsh-near/src/trainsh_near"
    (near / "deep/one.py").write_text("def late():\n    from trainsh_near.deep import two\n")
    (near / "cli.py").write_text("from trainsh_far import cli\n")
    (near.parents[2] / "trainsh-base/src/trainsh_base/errors.py").write_text("import trainsh_far.cli\n")
    assert broken(tmp_path) == {
        "No circle of files in trainsh_near", "Tools never import each other", "The framework knows no tool",
    }  # fmt: skip
    (near / "deep/one.py").write_text("from trainsh_near import cli\n")
    (near / "more.py").touch()
    assert "Rooms of trainsh-near" in broken(tmp_path)
