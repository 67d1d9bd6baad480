"""Tools that are installed: asked once, believed; tools that are not: said so."""

import os
from pathlib import Path

import msgspec
import pytest

from dsl_samples import LAB
from trainsh_dsl.analysis import analyse
from trainsh_dsl.vocabulary.installed_tools import InstalledTools


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on PATH with `train-lab` (which has a schema, and counts), `train-plain` (which has none)."""
    lab = tmp_path / "train-lab"
    (tmp_path / "lab.json").write_bytes(msgspec.json.encode(LAB))
    lab.write_text(
        f'#!/bin/sh\n[ "$1" = schema ] || exit 2\necho x >> "{tmp_path}/asked"\ncat "{tmp_path}/lab.json"\n'
    )
    plain = tmp_path / "train-plain"
    plain.write_text("#!/bin/sh\necho usage >&2\nexit 2\n")
    odd = tmp_path / "train-odd"
    odd.write_text("#!/bin/sh\necho 'not json'\n")
    for path in (lab, plain, odd):
        path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    return tmp_path


def codes(text: str) -> list[str]:
    return [found.code for found in analyse(text, tools=InstalledTools()).diagnostics()]


CASES = {
    "known verb": ("lab.rent gpus=4 kind=cheap timeout=5m tags=a tags=b spot=true\n", []),
    "general option": ("lab.rent retry=3\n", []),
    "unknown verb": ("lab.ren\n", ["E702"]),
    "unknown option": ("lab.rent gpu=4\n", ["E703"]),
    "variable value": ("var N = 4\nlab.rent gpus=$N\n", []),
    "bad variable value": ("var N = x\nlab.rent gpus=$N\n", ["E705"]),
    "missing, beside another mistake": ("what\nlab.book hours=1\n", ["E101", "E704"]),
    "missing, because it is misspelt": ("lab.book dya=monday\n", ["E703"]),
    "positional": ("lab.book monday hours=1.5\n", []),
    "positional by name": ("lab.book day=monday\n", []),
    "a tool without a schema": ("plain.anything x=1 y\n", []),
    "a tool with a bad schema": ("odd.anything x=1 y\n", []),
    "a tool of the suite that is not installed": ("sandbox.anything\n", []),
    "no such tool": ("lib.rent\n", ["E701"]),
}


@pytest.mark.parametrize(("text", "expected"), CASES.values(), ids=CASES)
def test_tools(tools: Path, text: str, expected: list[str]) -> None:
    assert codes(text) == expected


def test_a_tool_is_asked_once(tools: Path) -> None:
    assert codes("lab.rent\n" * 20) == []
    assert (tools / "asked").read_text() == "x\n"


def test_a_timeout_that_the_verb_declares_is_the_verbs(tools: Path) -> None:
    plan = analyse("lab.rent timeout=5m\nplain.go timeout=5m\n", tools=InstalledTools()).plan()
    rent, go = msgspec.to_builtins(plan.steps)
    assert (rent["params"], rent["options"]) == ({"timeout": "5m"}, {})
    assert (go.get("params", {}), go["options"]) == ({}, {"timeout": 300.0})


def test_repeated_options_are_lists(tools: Path) -> None:
    plan = analyse("lab.rent tags=a tags=b\n", tools=InstalledTools()).plan()
    assert msgspec.to_builtins(plan.steps[0])["lists"] == {"tags": ["a", "b"]}
