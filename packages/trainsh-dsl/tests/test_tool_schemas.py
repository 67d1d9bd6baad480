"""An installed tool is asked once, and its schema is used. A tool that is not installed is reported."""

import os
from pathlib import Path

import msgspec
import pytest

from dsl_samples import ACME, LAB
from trainsh_dsl.analysis import analyse
from trainsh_dsl.vocabulary.installed_tools import InstalledTools


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on PATH with two programs.

    `train-lab` has a schema and counts how often it is asked. `train-plain` has no schema.
    """
    lab = tmp_path / "train-lab"
    (tmp_path / "lab.json").write_bytes(msgspec.json.encode(LAB))
    lab.write_text(
        f'#!/bin/sh\n[ "$1" = schema ] || exit 2\necho x >> "{tmp_path}/asked"\ncat "{tmp_path}/lab.json"\n'
    )
    (tmp_path / "acme.json").write_bytes(msgspec.json.encode(ACME))
    acme = tmp_path / "train-acme"
    acme.write_text(f'#!/bin/sh\n[ "$1" = schema ] && cat "{tmp_path}/acme.json"\n')
    plain = tmp_path / "train-plain"
    plain.write_text("#!/bin/sh\necho usage >&2\nexit 2\n")
    odd = tmp_path / "train-odd"
    odd.write_text("#!/bin/sh\necho 'not json'\n")
    for path in (lab, acme, plain, odd):
        path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    return tmp_path


def codes(text: str) -> list[str]:
    return [found.code for found in analyse(text, tools=InstalledTools()).diagnostics()]


CASES = {
    "known verb": ("lab.rent gpus=4 kind=cheap timeout=5m tags=a tags=b spot=true\n", []),
    "a limit": ("lab.rent idle_stop=30m\n", []),
    "a limit that is off": ("lab.rent idle_stop=off\n", []),
    "a bad limit": ("lab.rent idle_stop=soon\n", ["E705"]),
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
    "no such tool": ("lib.rent\n", ["E701"]),
}


@pytest.mark.parametrize(("text", "expected"), CASES.values(), ids=CASES)
def test_tools(tools: Path, text: str, expected: list[str]) -> None:
    assert codes(text) == expected


PICK = "host g = placeholder\nacme.pick @g num_gpus=1\ntmux.open @g as w\n@w > ls\n"
PROVIDER = {
    "never given back": (PICK + "tmux.close @w\n", ["W203"]),
    "not on every path": (PICK + "tmux.close @w\nacme.stop\n", ["W203"]),
    "given back in finally": (PICK + "finally\ntmux.close @w\nacme.stop\n", []),
    "closed after the stop": (PICK + "finally\nacme.stop\ntmux.close @w\n", []),
    "used after the stop": (PICK + "acme.stop\n@w > ls\ntmux.close @w\nfinally\nacme.destroy\n", ["W208"]),
    "no instance": ("acme.stop\n", ["W206"]),
    "an instance by its id": ("acme.stop 12\n", []),
    "a machine by its spec": ("host g = acme:12\ntmux.open @g as w\ntmux.close @w\nacme.stop\n", []),
    "no such provider": ("host g = acne:x\ntmux.open @g as w\ntmux.close @w\n", ["E206"]),
    "host without @": (
        "host g = placeholder\nacme.pick host=g\ntmux.open @g as w\ntmux.close @w\nfinally\nacme.stop\n",
        ["E707"],
    ),
    "a bad amount": (PICK.replace("num_gpus=1", "max_dph=cheap") + "finally\ntmux.close @w\nacme.stop\n", ["E705"]),
    "unknown name below a verb that sets none": (
        PICK + "notify '$ID'\nfinally\ntmux.close @w\nacme.stop\n",
        ["E501"],
    ),
    "a tool without a schema": ("host g = placeholder\nplain.pick @g\n@g:/a -> ./a\nnotify '$ID'\n", []),
}


@pytest.mark.parametrize(("text", "expected"), PROVIDER.values(), ids=PROVIDER)
def test_provider(tools: Path, text: str, expected: list[str]) -> None:
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
