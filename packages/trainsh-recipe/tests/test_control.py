"""Verbs: which words become which parameters, and which steps a resume repeats."""

from typing import Any

import pytest

from trainsh_base.errors import UsageError
from trainsh_recipe.engine.executors.answers import text_of
from trainsh_recipe.engine.executors.verb import about, typed
from trainsh_recipe.engine.resuming.choice import before_step, from_step
from trainsh_recipe.engine.resuming.ground import ends
from trainsh_recipe.plan.document import Plan, read
from trainsh_recipe.plan.numbering import all_of
from trainsh_recipe.store.state import State, StepState
from trainsh_recipe.ui.sleep_inhibitor import inhibitor_argv

SPAN = {"line": 1, "column": 1, "end_line": 1, "end_column": 2}


def verb(text: str, host: str = "", session: str = "") -> dict[str, Any]:
    tool, _, name = text.partition(".")
    return {
        "kind": "control", "text": text, "span": SPAN, "tool": tool, "verb": name, "host": host, "session": session,
        "args": [{"host": host}] if host and tool != "tmux" else [], "options": {},
    }  # fmt: skip


def plan(*steps: dict[str, Any], last: list[dict[str, Any]] | None = None) -> Plan:
    return read({"version": 1, "name": "n", "steps": list(steps), "finally": last or []})


@pytest.mark.parametrize(
    ("text", "schema", "value"),
    [
        ("4", {"type": "integer"}, 4), ("4.5", {"type": "number"}, 4.5), ("yes", {"type": "boolean"}, True),
        ("a", {"type": "array"}, ["a"]), ("4", {"type": "string"}, "4"), ("4", {}, "4"), ("4", None, "4"),
        ("4", {"anyOf": [{"type": "integer"}, {"type": "null"}]}, 4), ("5m", {"type": ["number", "string"]}, "5m"),
        ("x", {"type": "integer"}, "x"),
    ],
)  # fmt: skip
def test_words_become_what_the_schema_asks_for(text: str, schema: Any, value: Any) -> None:
    assert typed(text, schema) == value


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        pytest.param({"message": "done", "size": 4}, "", id="a-message-says-it"),
        pytest.param(
            {"hosts": {"a": "local"}, "disk_gb": 4, "none": None, "list": []}, "disk gb: 4\n", id="document"
        ),
        pytest.param([{"id": 1, "free": True, "x": None}, {"id": 22}], "ID  FREE\n1   yes\n22\n", id="rows"),
        pytest.param([{"message": "one", "id": 1}, {"message": "two", "id": 2}], "one\ntwo\n", id="messages"),
        pytest.param(["a", 2], "a\n2\n", id="values"),
        pytest.param("yes", "yes\n", id="text"),
        pytest.param([], "", id="nothing"),
        pytest.param(None, "", id="null"),
        pytest.param(True, "", id="true"),
    ],
)
def test_what_a_verb_answered_without_a_message_is_shown(answer: Any, text: str) -> None:
    assert text_of(answer) == text


def test_a_verb_without_a_host_is_about_all_hosts_of_its_tool() -> None:
    numbers = all_of(
        plan(verb("vast.pick", "gpu"), verb("other.pick", "x"), verb("vast.pick", "two"), verb("vast.stop"))
    )
    assert about(numbers, numbers[3].step) == ["gpu", "two"]  # type: ignore[arg-type]
    assert about(numbers, numbers[0].step) == ["gpu"]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("first", "later", "over"),
    [
        (verb("tmux.open", "h", "w"), verb("tmux.close", session="w"), True),
        (verb("tmux.open", "h", "w"), verb("tmux.close", session="v"), False),
        (verb("vast.pick", "gpu"), verb("vast.stop"), True), (verb("vast.pick", "gpu"), verb("vast.stop", "gpu"), True),
        (verb("vast.pick", "gpu"), verb("vast.stop", "two"), False), (verb("vast.pick", "gpu"), verb("vast.wait"), False),
        (verb("vast.pick", "gpu"), verb("other.stop"), False),
    ],
)  # fmt: skip
def test_what_ends_a_state_on_purpose(first: dict[str, Any], later: dict[str, Any], over: bool) -> None:
    one, two = all_of(plan(first, later))
    assert ends(one.step, two) is over  # type: ignore[arg-type]


def test_from_a_step_means_it_and_those_behind_it() -> None:
    numbers = all_of(plan(verb("a.b"), verb("a.b"), verb("a.b"), last=[verb("a.b")]))
    state = State(steps={id: StepState(id=id, status="ok") for id in ("1", "2", "4")})
    assert from_step(state, numbers, "2") == ["2"]
    assert before_step(numbers, "3") == ["1", "2"]
    with pytest.raises(UsageError, match="no step 4"):
        from_step(state, numbers, "4")


def test_steps_in_blocks_have_numbers_that_sort() -> None:
    inner = {"kind": "parallel", "text": "parallel", "span": SPAN, "steps": [verb("a.b"), verb("a.c")]}
    numbers = all_of(plan(verb("a.b"), inner, last=[verb("a.b")]))
    assert [(each.id, each.file, each.closing) for each in numbers] == [
        ("1", "001", False), ("2", "002", False), ("2.1", "002.01", False), ("2.2", "002.02", False), ("3", "003", True),
    ]  # fmt: skip


def test_a_machine_without_an_inhibitor_is_let_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    assert inhibitor_argv("x") == []


def test_macos_is_kept_awake_by_caffeinate(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    (tmp_path / "caffeinate").touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert inhibitor_argv("x")[:2] == ["caffeinate", "-i"]
