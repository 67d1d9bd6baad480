"""What `new` writes passes `check`, and so does the provider in the docs.

`check` finds faults that were added on purpose.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from trainsh_plugin.check.checks import RENTING
from trainsh_plugin.check.rentals import Rentals
from trainsh_plugin.check.subject import Subject
from trainsh_plugin.check.verdict import Broken

DOCS = Path(__file__).resolve().parents[3] / "docs" / "providers.md"
Run = Callable[..., "subprocess.CompletedProcess[str]"]
LOCKED = 'train plugin locked "acme-$job-$host" -- "$0"'


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run train-plugin in a home and with a cloud of the test's own."""
    env = {**os.environ, "TRAINSH_HOME": str(tmp_path / "home"), "ACME_CLOUD": str(tmp_path / "cloud")}

    def call(*words: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            ["train-plugin", *words], cwd=tmp_path, env=env, capture_output=True, text=True, check=False,
            stdin=subprocess.DEVNULL, timeout=300,
        )  # fmt: skip

    return call


def failed(done: "subprocess.CompletedProcess[str]") -> dict[str, str]:
    """The checks that failed, and what they saw."""
    report: dict[str, Any] = json.loads(done.stdout)
    rows = {row["name"]: row["detail"] for row in report["rows"] if row["state"] == "failed"}
    assert done.returncode == (1 if rows else 0) and report["failed"] == len(rows)
    return rows


def docs_provider() -> str:
    """The provider in the documentation."""
    blocks = re.findall(r"```sh\n(#!.*?)```", DOCS.read_text(), re.DOTALL)
    return str(blocks[0])


def test_the_provider_of_the_docs_is_what_new_writes_in_60_lines(run: Run, tmp_path: Path) -> None:
    assert run("new", "acme", "--hosts").returncode == 0
    written = (tmp_path / "train-acme" / "train-acme").read_text()
    assert docs_provider() == written and len(written.splitlines()) <= 60


def test_the_python_provider_of_the_docs_is_what_new_writes(run: Run, tmp_path: Path) -> None:
    assert run("new", "acme", "--hosts", "--lang", "python").returncode == 0
    blocks = re.findall(r"```python\n(#!.*?)```", DOCS.read_text(), re.DOTALL)
    assert blocks == [(tmp_path / "train-acme" / "train-acme").read_text()]


class Wire:
    """A provider written with trainsh-base, with the output that the documentation shows."""

    TOOL = '''
import sys
from typing import Annotated, Any
from trainsh_base.errors import NotFound
from trainsh_base.request import current
from trainsh_base.tool.declare import Arg, Opt, Tool
from trainsh_base.tool.program import run

tool = Tool("acme", "Machines", provides=("hosts",))

@tool.command()
def pick(host: Annotated[str, Arg("the host")], _job: Annotated[str, Opt("the job", name="--job")] = "") -> dict[str, Any]:
    """Rent one."""
    current().ask("choose", "Which size?", choices=["small", "large"], default="small", flag="size=NAME")
    current().emit("progress", done=1, total=3)
    row = {"id": "1", "state": "running", "job": "train-7", "end": "train acme stop 1"}
    return {"hosts": {host: "acme:1"}, "instance": row}

@tool.command()
def stop(ref: Annotated[str, Arg("the machine")], _job: Annotated[str, Opt("the job", name="--job")] = "") -> str:
    """Stop one."""
    raise NotFound(f"no such machine: {ref}", "see: train acme list", code="no_instance")

@tool.command()
def start(ref: Annotated[str, Arg("the machine")]) -> str:
    """Start one."""
    current().cancelled.wait(20)
    current().check()
    return ref

run(tool)
'''


def test_the_transcript_of_the_docs_is_what_goes_over_the_wire(tmp_path: Path) -> None:
    text = DOCS.read_text()
    lines = re.findall(r"^    ([<>]) (\{.*\})$", text[text.index("## The wire") :], re.M)
    assert len(lines) == 12
    (tmp_path / "acme.py").write_text(Wire.TOOL)
    words = [sys.executable, str(tmp_path / "acme.py"), "serve"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as tool:
        assert tool.stdin and tool.stdout
        for side, line in lines:
            if side == ">":
                tool.stdin.write(json.dumps({"jsonrpc": "2.0", **json.loads(line)}) + "\n")
                tool.stdin.flush()
                continue
            heard = json.loads(tool.stdout.readline())
            assert heard.pop("jsonrpc") == "2.0"
            if "{...}" in line:
                assert heard["result"]["name"] == "acme" and heard["result"]["provides"] == ["hosts"]
            else:
                assert heard == json.loads(line)
        tool.stdin.close()


@pytest.mark.slow
@pytest.mark.parametrize("lang", ["sh", "python"])
def test_a_new_provider_keeps_the_contract(run: Run, tmp_path: Path, lang: str) -> None:
    assert run("new", "acme", "--hosts", "--lang", lang).returncode == 0
    done = run("check", "train-acme/train-acme", "--yes", "--json")
    assert failed(done) == {}, done.stderr
    seen = {row["name"]: row["detail"] for row in json.loads(done.stdout)["rows"]}
    assert seen["a question"] == "Which size?" and seen["cancel"] == "cancelled, exit 130"
    assert not list((tmp_path / "cloud").glob("*.json"))


@pytest.mark.parametrize("lang", ["sh", "python"])
def test_a_new_tool_keeps_it_too(run: Run, lang: str) -> None:
    assert run("new", "hours-up", "--lang", lang).returncode == 0
    assert failed(run("check", "train-hours-up/train-hours-up", "--json")) == {}


@pytest.mark.slow
def test_without_the_lock_two_machines_are_counted(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Renting takes long enough that the second look comes before its end, even on a busy machine.
    monkeypatch.setenv("ACME_SECONDS", "3")
    monkeypatch.setenv("ACME_CLOUD", str(tmp_path / "cloud"))
    file = planted(run, tmp_path, (LOCKED, '"$0"'))
    first, killed = (each for words, each in RENTING if words.startswith(("pick answers", "runner killed")))
    with Subject(str(file), {"size": "small"}) as subject:
        rented = Rentals(subject)
        first(rented)
        with pytest.raises(Broken, match="2 machines rented"):
            killed(rented)
        rented.leftovers.destroy()


@pytest.mark.parametrize(
    ("was", "is_", "check"),
    [
        ('"fills": "host", ', "", "schema"),
        ("fail 3 no_instance", "fail 1 no_instance", "errors"),
        ("fail 2 usage \"no such", "fail 1 usage \"no such", "a wrong command"),
        ("--help) echo", "--help) : echo", "--help, --version"),
    ],
)  # fmt: skip
def test_a_planted_fault_is_found_and_nothing_is_rented(
    run: Run, tmp_path: Path, was: str, is_: str, check: str
) -> None:
    assert run("new", "acme", "--hosts").returncode == 0
    file = tmp_path / "train-acme" / "train-acme"
    text = file.read_text()
    assert was in text
    file.write_text(text.replace(was, is_))
    found = failed(run("check", "train-acme/train-acme", "--no-rent", "--json"))
    assert list(found) == [check]
    assert not list((tmp_path / "cloud").glob("*.json"))


def test_a_tool_that_prints_its_environment_is_found(run: Run, tmp_path: Path) -> None:
    assert run("new", "acme").returncode == 0
    file = tmp_path / "train-acme" / "train-acme"
    file.write_text(file.read_text().replace("--version) echo", "--version) env; echo"))
    found = failed(run("check", "train-acme/train-acme", "--json"))
    assert "TRAINSH_CHECK_SECRET" in found["nothing secret is printed"]


def test_it_does_not_rent_unasked(run: Run, tmp_path: Path) -> None:
    assert run("new", "acme", "--hosts").returncode == 0
    done = run("check", "train-acme/train-acme")
    assert done.returncode == 2 and "--no-rent" in done.stderr
    assert not list((tmp_path / "cloud").glob("*.json"))


@pytest.mark.parametrize(
    ("files", "declared"),
    [
        ({}, False),
        ({"tools": "acme\tmachines\tMachines of acme\n"}, False),
        ({"tools": "acme\tmachines\tMachines of acme\n", "provides": "hosts\n"}, True),
        ({"provides": "-\n"}, None),
    ],
)
def test_list_finds_a_provider_on_path(
    run: Run, tmp_path: Path, files: dict[str, str], declared: bool | None
) -> None:
    """A manifest alone does not tell whether a tool provides machines."""
    assert run("new", "acme", "--hosts").returncode == 0
    programs = (tmp_path / "train-acme").rename(tmp_path / "bin")
    for kind, text in files.items():
        file = tmp_path / "share" / "trainsh" / kind / "acme"
        file.parent.mkdir(parents=True)
        file.write_text(text)
    env = {**os.environ, "ACME_CLOUD": str(tmp_path / "cloud"), "PATH": f"{programs}:{os.environ['PATH']}"}
    done = subprocess.run(["train-plugin", "list", "--json"], env=env, capture_output=True, text=True, check=True)
    assert {row["name"]: row["declared"] for row in json.loads(done.stdout)}.get("acme") is declared


@pytest.mark.parametrize("name", ["Acme", "a/b", "-x", ""])
def test_a_bad_name_writes_nothing(run: Run, tmp_path: Path, name: str) -> None:
    assert run("new", "--", name).returncode == 2
    assert not list(tmp_path.glob("train-*"))
    assert run("new", "acme").returncode == 0 and run("new", "acme").returncode == 5


@pytest.mark.parametrize("lang", ["sh", "python"])
def test_a_new_provider_knows_the_machine_that_a_host_of_the_recipe_is(run: Run, tmp_path: Path, lang: str) -> None:
    """`host gpu = acme:ID`: no label names the host. The machine that the job rented for it is preferred."""
    assert run("new", "acme", "--hosts", "--lang", lang).returncode == 0
    env = {**os.environ, "ACME_CLOUD": str(tmp_path / "cloud"), "ACME_SECONDS": "0"}

    def call(verb: str, **given: Any) -> "subprocess.CompletedProcess[str]":
        words = [str(tmp_path / "train-acme" / "train-acme"), verb, "--input", "-", "--json"]
        return subprocess.run(words, env=env, input=json.dumps(given), capture_output=True, text=True, check=False)

    def state(number: str) -> str:
        return str({row["id"]: row["state"] for row in json.loads(call("list").stdout)}[number])

    old, own = (
        json.loads(call("pick", host="gpu", size="small", _job=job).stdout)["instance"]["id"] for job in ("a", "b")
    )
    for spec in (f"acme:{old}", {"name": f"acme:{old}", "kind": "local"}):
        for verb, after in (("stop", "stopped"), ("start", "running")):
            assert call(verb, ref="gpu", _job="c", _hosts={"gpu": spec}).returncode == 0
            assert (state(old), state(own)) == (after, "running")
    assert call("stop", ref="gpu", _job="b", _hosts={"gpu": f"acme:{old}"}).returncode == 0
    assert (state(old), state(own)) == ("running", "stopped")
    nothing = call("resolve", ref="gpu", _job="c", _hosts={"gpu": "placeholder"})
    assert nothing.returncode == 3 and json.loads(nothing.stderr)["error"]["data"] == {"gone": True}


BAD_ROW = ("list) all | jq -s . ;;", """list) all | jq -s 'map(.state = "on")' ;;""")
NO_LIST = ("list) all | jq -s . ;;", "list) echo none ;;")
BAD_ANSWER = ('hosts: {($host): "acme:\\(.id)"}, instance: .', "hosts: {}, instance: 7")
NO_MARK = ("list) all | jq -s . ;;", "list) all | jq -s 'map(del(.job, .label))' ;;")
KEPT = ('destroy) rm "$cloud/$id.json" ;;', "destroy) true ;;")


@pytest.mark.parametrize(
    ("changes", "left"),
    [
        ([BAD_ROW], ""),
        ([BAD_ANSWER], ""),
        ([NO_MARK], ""),
        ([NO_LIST], "list failed: look for machines labelled"),
        ([BAD_ROW, KEPT], "is still there: train acme stop"),
        ([NO_MARK, BAD_ANSWER], "is new, and not of these checks"),
    ],
)
def test_check_destroys_what_it_cannot_read_and_names_what_stays(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: list[tuple[str, str]], left: str
) -> None:
    monkeypatch.setenv("ACME_SECONDS", "0")
    planted(run, tmp_path, *changes)
    found = failed(run("check", "train-acme/train-acme", "--yes", "--json"))
    assert "pick answers, list shows it" in found and left in found.get("nothing is left", "")
    kept = KEPT in changes or changes == [NO_MARK, BAD_ANSWER]
    assert ("nothing is left" in found) is bool(left)
    assert bool(list((tmp_path / "cloud").glob("*.json"))) is kept


def planted(run: Run, tmp_path: Path, *changes: tuple[str, str]) -> Path:
    """A new provider with faults that were added on purpose."""
    assert run("new", "acme", "--hosts").returncode == 0
    file = tmp_path / "train-acme" / "train-acme"
    for was, is_ in changes:
        assert was in file.read_text()
        file.write_text(file.read_text().replace(was, is_))
    return file


@pytest.mark.parametrize(
    ("was", "is_", "check", "seen"),
    [
        (
            'stop) save "$id" stopped ;;',
            "stop) true ;;",
            "stop and start",
            "after stop, list shows the state running",
        ),
        (
            'start) save "$id" running ;;',
            "start) true ;;",
            "stop and start",
            "after start, list shows the state stopped",
        ),
        (KEPT[0], KEPT[1], "destroy", "after destroy, list shows the state running"),
        ("gone: true", "gone: 1", "resolve of what is gone", 'no "gone": true'),
    ],
)
def test_a_verb_that_does_nothing_is_found_whatever_the_row_names(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, was: str, is_: str, check: str, seen: str
) -> None:
    """The row's `end` is `destroy` here, as in clouds where a stopped machine still pays for its disk."""
    monkeypatch.setenv("ACME_SECONDS", "0")
    monkeypatch.setenv("ACME_CLOUD", str(tmp_path / "cloud"))
    file = planted(run, tmp_path, ("train acme stop $id", "train acme destroy $id"), (was, is_))
    checks = [each for words, each in RENTING if words.startswith(("pick", check))]
    with Subject(str(file), {"size": "small"}) as subject:
        rented = Rentals(subject)
        checks[0](rented)
        if check.startswith("resolve"):
            subject.give_back(rented.job)
        with pytest.raises(Broken, match=seen):
            checks[1](rented)
        rented.leftovers.destroy()
