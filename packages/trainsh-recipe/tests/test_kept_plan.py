"""The plan of an `exec` text that ran before is used again, as long as train-dsl is unchanged."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from trainsh_recipe import kept_plan

if TYPE_CHECKING:
    from conftest import Place

PLAN = b'{"version":1}'


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of sockets of its own, and a package trainsh_dsl."""
    package = tmp_path / "trainsh_dsl" / "text"
    package.mkdir(parents=True)
    (package / "word.py").write_text("1")
    monkeypatch.setattr("sys.path", [str(tmp_path)])
    monkeypatch.setattr(kept_plan, "runtime_folder", lambda: str(tmp_path))
    kept_plan.keep(b"@a > true", PLAN)
    return tmp_path


def test_a_plan_is_kept_for_its_text() -> None:
    assert kept_plan.find("@a > true") == PLAN
    assert kept_plan.find("@a > tru") is None and kept_plan.find("") is None


def test_another_text_of_the_same_slot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_plan, "SLOTS", 1)
    kept_plan.keep(b"@a > true", PLAN)
    assert kept_plan.find("@b > true") is None
    kept_plan.keep(b"@b > true", b"{}")
    assert kept_plan.find("@b > true") == b"{}" and kept_plan.find("@a > true") is None


def test_not_once_train_dsl_has_changed(folder: Path) -> None:
    word = folder / "trainsh_dsl" / "text" / "word.py"
    os.utime(word, (1e9, 2e9 + 1))
    assert kept_plan.find("@a > true") is None
    (folder / "trainsh_dsl" / "new.py").touch()
    kept_plan.keep(b"@a > true", PLAN)
    (folder / "trainsh_dsl" / "new.py").unlink()
    assert kept_plan.find("@a > true") is None


def test_not_of_another_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/nowhere/bin/python")
    assert kept_plan.find("@a > true") is None


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["@a > b", "@a > c"], "@a > b\n@a > c"),
        (["--json", "@a > b"], "@a > b"),
        (["@a > b", "--var", "X=1"], ""),
        (["-"], ""),
    ],
)
def test_the_text_of_a_command_line(words: list[str], text: str) -> None:
    assert kept_plan.text_of(["exec", *words]) == text


def test_train_dsl_does_not_start_again(place: "Place") -> None:
    def starts_dsl(*words: str) -> bool:
        done = place.run(*words)
        assert done.returncode == 0, done.stderr
        return "train-dsl serve" in done.stderr

    place.extra["TRAINSH_DEBUG"] = "1"
    lines = ("exec", "@local > echo one\\\n  two")
    assert starts_dsl(*lines) and not starts_dsl(*lines)
    assert place.run(*lines).stdout == "one two\n"
    # A variable from the command line changes the plan, and the plan of a transfer depends on the configured names.
    assert starts_dsl("exec", "var A = b\n@local > true") and starts_dsl(
        "exec", "--var", "A=c", "var A = b\n@local > true"
    )
    (place.work / "a").write_text("x")
    transfer = ("exec", f"./a -> @local:{place.work}/b")
    assert starts_dsl(*transfer) and starts_dsl(*transfer)
