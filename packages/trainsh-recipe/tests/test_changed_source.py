"""A resume notices that files have changed since a finished step sent them."""

import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from trainsh_recipe.engine.resuming import changed_source
from trainsh_recipe.engine.resuming.changed_source import ChangedSources
from trainsh_recipe.engine.values import Secrets, Values
from trainsh_recipe.plan.document import Endpoint, Options, Place, Plan, Ref, Span, Step, Text, Transfer
from trainsh_recipe.plan.numbering import all_of
from trainsh_recipe.store.journal import now
from trainsh_recipe.store.state import State, StepState

if TYPE_CHECKING:
    from conftest import Place as World

HEAD = "host gpu = local\ntmux.open @gpu as work\n./c2/ -> @gpu:{}/run/\n"
SCRIPT = "@work > cd {}/run\n@work > python3 t.py >> ../ran\n"


def sources(folder: Path, source: str, options: Options, spec: Text = "local") -> ChangedSources:
    """A job in `folder` that has sent `source` just now, and later copies results to `c2/out`."""
    span, far = Span(line=1), Endpoint(path="~/run/", host="gpu")
    steps: list[Step] = [
        Transfer(text="t", span=span, source=Endpoint(path=source), destination=far, options=options),
        Transfer(text="t", span=span, source=far, destination=Endpoint(path="./c2/out")),
    ]
    plan = Plan(version=1, name="r", hosts={"gpu": Place(spec=spec, type="ssh")}, steps=steps)
    done = StepState(id="1", kind="transfer", status="ok", started=now())
    state = State(cwd=str(folder), file=str(folder / "c2" / "r.recipe"), steps={"1": done})
    time.sleep(0.02)  # the clock of file systems is coarse
    return ChangedSources(Values(plan, state, Secrets(lambda name: "hunter2")), "ab60")


def names(found: ChangedSources) -> list[str]:
    return found.changed(all_of(found._values.plan)[0])


@pytest.mark.parametrize(
    ("source", "options", "touched", "expected"),
    [
        ("./c2/", {}, [], []),
        ("./c2/", {}, ["t.py", "d/u.py"], ["t.py", "d/u.py"]),
        ("./c2", {}, ["d/u.py"], ["d/u.py"]),
        ("c2/*.py", {}, ["t.py", "d/u.py"], ["t.py"]),
        ("c2/t.py", {}, ["t.py"], ["t.py"]),
        ("./gone/", {}, [], []),
        ("./c2/", {}, ["out/model", "r.recipe", ".git/index", "__pycache__/t.pyc"], []),
        ("./c2/", {"exclude": ["*.log", "d/"]}, ["a.log", "d/u.py"], []),
        ("./c2/", {"exclude": ["/d/*.py"]}, ["d/u.py", "d/u.txt"], ["d/u.txt"]),
        ("./c2/", {"include": ["*.py"], "exclude": ["*"]}, ["a.log", "t.py"], ["t.py"]),
        ("./c2/", {"gitignore": True}, ["a.tmp", "t.py"], ["t.py"]),
        ("./c2/", {"move": True}, ["t.py"], []),
    ],
)
def test_files_that_would_be_sent_now(
    tmp_path: Path, source: str, options: dict[str, object], touched: list[str], expected: list[str]
) -> None:
    for name in ("t.py", "d/u.py", ".gitignore"):
        (tmp_path / "c2" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "c2" / name).write_text("*.tmp\n")
    time.sleep(0.01)
    found = sources(tmp_path, source, Options(**options))  # type: ignore[arg-type]
    for name in touched:
        (tmp_path / "c2" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "c2" / name).write_text("new")
    assert sorted(names(found)) == sorted(expected)


def test_many_files_are_not_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "c2").mkdir()
    found = sources(tmp_path, "./c2/", Options())
    for number in range(5):
        (tmp_path / "c2" / str(number)).touch()
    monkeypatch.setattr(changed_source, "MOST", 2)
    assert names(found) == []


def test_a_command_to_paste_holds_no_secret(tmp_path: Path) -> None:
    (tmp_path / "c2").mkdir()
    found = sources(tmp_path, "./c2/", Options(), [Ref(secret="LOGIN"), "@box"])
    (tmp_path / "c2" / "t.py").touch()
    told = found.told(all_of(found._values.plan)[0])
    assert "train recipe resume ab60 --from 1" in told and "transfer" not in told and "hunter2" not in told


def test_a_mended_script_is_told_by_every_resume(place: "World") -> None:
    script = place.work / "c2" / "t.py"
    script.parent.mkdir()
    script.write_text("print(nmae)\n")
    failed = place.run("run", place.recipe((HEAD + SCRIPT).format(place.work, place.work)))
    id = place.job().name[-4:]
    assert failed.returncode == 1
    assert (
        f"edited what step 2 sent (a resume does not send it again): train recipe resume {id} --check"
        in failed.stdout
    )
    assert "before it was changed" not in place.run("resume", "--check").stderr
    script.write_text("print('mended')\n")
    for words in (["--check"], ["--no-visual"]):
        said = place.run("resume", *words).stderr
        assert "step 2 has sent ./c2/ before it was changed (t.py), and is not repeated" in said
        assert f"to send it again and run all from there: train recipe resume {id} --from 2\n" in said
    assert place.check()["2"] == "done (its source has changed)"
    only = next(line for line in said.splitlines() if "nothing else: " in line).partition("nothing else: ")[2]
    place.shell(only)
    assert place.run("resume").returncode == 0
    assert place.lines() == ["mended"]
