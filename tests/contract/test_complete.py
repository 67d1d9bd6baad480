"""Checks that nothing is missing: what every tool must have, and what the documentation must name.

The tools are the executables beside train, so that a new tool is checked as soon as it is installed.
"""

import json
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from trainsh_base.tool.faces import people
from trainsh_help.generate import errors, tables

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
SHARE = BIN.parent / "share"
TOOLS = sorted(path.name.removeprefix("train-") for path in BIN.glob("train-*"))
README = (ROOT / "README.md").read_text()
DOCS = sorted((ROOT / "docs").glob("*.md"))


@cache
def schema(tool: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        subprocess.run([BIN / f"train-{tool}", "schema"], capture_output=True, check=True).stdout
    )
    return found


@pytest.mark.parametrize("tool", TOOLS)
def test_a_tool_brings_all_that_belongs_to_it(tool: str) -> None:
    package = next(iter(ROOT.glob(f"packages/*/share/trainsh/tools/{tool}")), None)
    assert package, "a manifest"
    folder = package.parents[3]
    assert (SHARE / f"trainsh/completions/{tool}").is_file()
    assert (SHARE / f"man/man1/train-{tool}.1").is_file()
    assert re.search(rf"^\| `train-{tool}` \|", README, re.MULTILINE), "a row in the README"
    assert list(folder.glob("tests/*.bats")) or tool in ("ask", "help"), "a bats file"


@pytest.mark.parametrize("tool", TOOLS)
def test_what_is_generated_is_fresh(tool: str) -> None:
    found = (SHARE / f"trainsh/completions/{tool}").read_text()
    assert found == tables.table(schema(tool)), "make completions man"


def test_the_options_that_all_have_are_in_the_tables() -> None:
    flags = {option.opts[-1].replace("--debug", "--verbose") for option in people._format_options()}
    assert flags | {"--help"} == {flag for flag, _, _ in tables.COMMON}


def test_every_page_is_what_man_reads() -> None:
    pages = sorted(SHARE.glob("man/man*/train*"))
    assert len(pages) > len(TOOLS) + 4
    for page in pages:
        done = subprocess.run(
            ["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", page], capture_output=True, text=True, check=False,
            env={"PATH": "/usr/bin:/bin", "MANWIDTH": "80", "LANG": "C.UTF-8"},
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, ""), page.name
        assert "\x1b" not in page.read_text()


def test_every_error_code_is_documented() -> None:
    wanted = set(re.findall(r"^\| `(\w+)` \| (\d+) \|", errors.page(ROOT), re.MULTILINE))
    there = set(re.findall(r"^\| `(\w+)` \| (\d+) \|", (ROOT / "docs/errors.md").read_text(), re.MULTILINE))
    assert wanted - there == set(), "make errors"
    written = {
        code
        for path in ROOT.glob("packages/*/src/**/*.py")
        for code in re.findall(r'\bcode="(\w+)"', path.read_text())
    }
    assert written - {code for code, _ in there} == set()


def test_every_exit_status_is_documented_alike() -> None:
    protocol = set(re.findall(r"^\| (\d+) \|", (ROOT / "docs/protocol.md").read_text(), re.MULTILINE))
    topic = set(re.findall(r"^  (\d+)  ", (SHARE / "trainsh/topics/exit-codes").read_text(), re.MULTILINE))
    assert {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "70", "127", "130", "141", "143"} <= topic
    assert protocol <= topic
    used = {
        exit_
        for _, exit_ in re.findall(r"^\| `(\w+)` \| (\d+) \|", (ROOT / "docs/errors.md").read_text(), re.MULTILINE)
    }
    assert used <= topic


def test_every_setting_is_documented() -> None:
    page = (ROOT / "docs/configuration.md").read_text()
    for file in SHARE.glob("trainsh/settings/*"):
        for line in file.read_text().splitlines():
            assert f"| `{line.split(chr(9))[0]}` |" in page


def test_every_variable_of_ours_is_documented() -> None:
    written = "".join(path.read_text() for path in [*DOCS, *SHARE.glob("trainsh/topics/*")])
    ours = set()
    for path in [*ROOT.glob("packages/*/src/**/*.py"), ROOT / "install.sh"]:
        ours |= set(re.findall(r'environ(?:\.get\(|\[)"(TRAINSH_[A-Z_]+)"', path.read_text()))
    assert ours, "nothing was found"
    assert sorted(name for name in ours if name not in written) == []


@pytest.mark.parametrize(
    "page", [ROOT / "README.md", *DOCS, ROOT / "examples/README.md"], ids=lambda page: page.name
)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#: ]+)(?:#[\w-]+)?\)", page.read_text()):
        assert (page.parent / target).exists(), target


def test_every_page_is_in_the_index() -> None:
    index = (ROOT / "docs/README.md").read_text()
    assert [page.name for page in DOCS if page.name != "README.md" and f"({page.name})" not in index] == []
