"""Rules mean the same on both engines: a real rsync and a real rclone list the same files."""

import os
import subprocess
from pathlib import Path

import pytest

from trainsh_base.errors import NotFound, UsageError
from trainsh_xfer.endpoints import pattern_files
from trainsh_xfer.engines import rclone_filters
from trainsh_xfer.engines.rsync import Rsync, copy
from trainsh_xfer.model import Options, Order
from trainsh_xfer.transfer import carry_out

FILES = (
    "a.txt", "b.py", "sub/a.txt", "sub/b.py", "sub/deep/b.py", "sub/deep/c.log", "keep/x.py", "keep/a.txt",
    "sub dir/c.txt", "logs/a.log", "deep/sub/z.py", "build/o.x", "src/build/o.x", "{b}.txt",
)  # fmt: skip


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The tree of FILES."""
    for name in FILES:
        (tmp_path / "data" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "data" / name).write_text("x")
    return tmp_path / "data"


def by_rsync(data: Path, options: Options, *, contents: bool) -> set[str]:
    words = copy(Rsync("rsync", (3, 2, 7)), options, [f"{data}/" if contents else str(data)], f"{data}-none/")
    out = subprocess.run([*words[:1], "-n", *words[1:]], capture_output=True, text=True, check=True).stdout
    names = {line.split(" ", 3)[-1] for line in out.splitlines() if line.startswith(">f")}
    return {name if contents else name.removeprefix("data/") for name in names}


def by_rclone(data: Path, options: Options, *, contents: bool) -> set[str]:
    words = rclone_filters.rules(options.filters, "" if contents else "data")
    out = subprocess.run(
        ["rclone", "lsf", "-R", "--files-only", *words, str(data)], capture_output=True, text=True, check=True,
        env={**os.environ, "RCLONE_CONFIG": os.devnull},
    ).stdout  # fmt: skip
    return set(out.splitlines())


@pytest.mark.parametrize("contents", [True, False])
@pytest.mark.parametrize(
    "rules",
    [
        "- *.py", "- sub", "- /sub/", "- sub/deep", "- s*", "- {b}.txt", "- **/deep/", "- keep/***",
        "+ *.py|- sub", "+ *.py|- *", "+ b.py|- deep/|- *.py", "+ *.txt|- *|- /sub/", "+ keep/|- k*/",
        "+ sub/deep|- sub/*.py|- d*", "+ /sub/***|- *", "+ sub/|- sub/*.py|- s*", "+ s*|- /sub/|- sub/deep",
    ],
)  # fmt: skip
def test_both_engines_pick_the_same_files(data: Path, rules: str, contents: bool) -> None:
    chosen = [rule if contents else rule.replace(" /", " /data/") for rule in rules.split("|")]
    options = Options(rules=chosen)
    expected = by_rsync(data, options, contents=contents)
    assert by_rclone(data, options, contents=contents) == expected


def test_gitignore_means_what_it_means_to_git(data: Path) -> None:
    (data / ".gitignore").write_text("# a comment\n*.log\n\n/build\nsub/*.py\n!sub/b.py\n**/keep/\n\\{b}.txt  \n")
    (data / "src" / ".gitignore").write_text("build/\n")
    (data / "sub" / ".gitignore").write_text("deep\n!a.txt\n")
    subprocess.run(["git", "init", "-q", data], check=True)
    words = ["git", "-C", str(data), "ls-files", "--others", "--exclude-standard"]
    expected = set(subprocess.run(words, capture_output=True, text=True, check=True).stdout.splitlines())
    for contents in (True, False):
        rules = pattern_files.translated(pattern_files.gitignores(str(data)), "/" if contents else "/data/")
        options = Options(rules=rules, exclude=[".git/"])
        assert by_rsync(data, options, contents=contents) == expected
        assert by_rclone(data, options, contents=contents) == expected


def test_a_file_of_patterns(data: Path, tmp_path: Path, request_: object) -> None:
    (tmp_path / "patterns").write_text("# logs\n\n+ keep/a.txt\n- keep/*\n*.py\n; end\n*.log\nsub*\n")

    def run(**more: object) -> None:
        order = Order(source=f"{data}/", destination=str(tmp_path / "to"), options=Options(), **more)  # type: ignore[arg-type]
        carry_out(order, request_)  # type: ignore[arg-type]

    run(exclude_from=["patterns"], cwd=str(tmp_path))
    names = {str(path.relative_to(tmp_path / "to")) for path in (tmp_path / "to").rglob("*") if path.is_file()}
    assert names == {"a.txt", "keep/a.txt", "build/o.x", "src/build/o.x", "{b}.txt"}
    with pytest.raises(NotFound, match="no such file"):
        run(exclude_from=["none"], cwd=str(tmp_path))
    with pytest.raises(UsageError, match="cannot read"):
        run(exclude_from=["data"], cwd=str(tmp_path))
