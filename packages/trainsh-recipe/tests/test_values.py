"""How texts of a plan become values."""

import pytest

from trainsh_base.errors import CredentialError, UsageError
from trainsh_recipe.engine.values import Secrets, Values
from trainsh_recipe.plan.document import Place, Plan, Ref, Variable
from trainsh_recipe.store.options import RunOptions
from trainsh_recipe.store.state import State


def values(**overrides: dict[str, str]) -> Values:
    """The values of a small plan."""
    plan = Plan(
        version=1, name="n",
        vars={
            "A": Variable(value="a"), "B": Variable(value=["b-", Ref(var="A")]),
            "TOKEN": Variable(value=["Bearer ", Ref(secret="S.1")]), "SELF": Variable(value=[Ref(var="SELF")]),
        },
        hosts={"h": Place(spec=["user@", Ref(var="A")], type="ssh"), "gpu": Place(spec="placeholder", type="placeholder")},
        storages={"s": Place(spec="file:/x", type="file")}, steps=[], finally_=[],
    )  # fmt: skip
    return Values(plan, State(id="j1", options=RunOptions(overrides=overrides)), Secrets(lambda name: f"<{name}>"))


def test_variables_in_variables() -> None:
    assert values().plain(["x ", Ref(var="B"), " ", Ref(var="JOB_ID")]) == "x b-a j1"


def test_the_command_line_wins() -> None:
    assert values(vars={"A": "z"}).plain([Ref(var="B")]) == "b-z"
    assert values(hosts={"h": "local"}).host("h") == "local"


def test_an_answer_of_a_tool_wins_over_the_recipe_and_not_over_the_command_line() -> None:
    found = values(hosts={"h": "local"})
    found.state.hosts |= {"gpu": "vast:1", "h": "vast:2"}
    assert (found.host("gpu"), found.host("h")) == ("vast:1", "local")


def test_a_placeholder_that_nothing_filled_names_the_flag() -> None:
    with pytest.raises(UsageError) as caught:
        values().host("gpu")
    assert "--host gpu=SPEC" in caught.value.hint
    assert values().known_hosts() == {"h": "user@a"}


def test_a_secret_in_a_command_is_a_variable_of_its_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("S.1", "first")
    monkeypatch.setenv("S_1", "second")
    text, env = values().command(['curl -H "', Ref(var="TOKEN"), '" ', Ref(secret="S_1")])
    assert text == 'curl -H "Bearer ${TRAIN_SECRET_S_1}" ${TRAIN_SECRET_S_1_}'
    assert env == {"TRAIN_SECRET_S_1": "first", "TRAIN_SECRET_S_1_": "second"}


def test_what_people_see_has_the_secrets_name() -> None:
    assert values().shown(["x ", Ref(var="TOKEN")]) == "x Bearer ${secret:S.1}"


def test_what_people_see_has_the_name_of_a_captured_secret() -> None:
    found = values()
    found.kept["CAP"] = "very-secret"
    assert found.shown(["x ", Ref(var="CAP")]) == "x ${CAP}"


def test_the_names_of_secrets_are_known_before_they_are_looked_up() -> None:
    assert values().secret_names() == []
    assert values(vars={"A": "@GIVEN", "B": "@@none"}).secret_names() == ["GIVEN"]


def test_a_missing_secret_is_a_credential_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "trainsh_base.system.spawn.tool_path", lambda _: None
    )  # as on a machine without train-secrets
    with pytest.raises(CredentialError) as caught:
        values().plain([Ref(secret="NOPE")])
    assert "train secrets set NOPE" in caught.value.hint


def test_a_variable_without_a_value_says_so_and_its_otherwise_stands_in() -> None:
    with pytest.raises(UsageError, match=r"\$LATER has no value yet"):
        values().plain([Ref(var="LATER")])
    assert values().plain([Ref(var="LATER", otherwise="$LATER")]) == "$LATER"


def test_a_variable_that_means_itself_ends() -> None:
    with pytest.raises(UsageError, match="itself"):
        values().plain([Ref(var="SELF")])


def test_a_variable_of_the_command_line_may_be_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "very-secret")
    found = values(vars={"A": "@HF_TOKEN", "LATER": "@@home"})
    assert found.plain([Ref(var="A")]) == "very-secret" and found.plain([Ref(var="LATER")]) == "@home"
    text, environment = found.command(["echo ", Ref(var="A")])
    assert "very-secret" not in text and list(environment.values()) == ["very-secret"]
    assert found.shown([Ref(var="A")]) == "${secret:HF_TOKEN}"


def test_options_from_variables() -> None:
    found = values(vars={"A": "2m"})
    assert found.seconds([Ref(var="A")]) == 120
    assert found.seconds(None) is None and found.count(None) == 0
    with pytest.raises(UsageError, match="'2m'"):
        found.count([Ref(var="A")])
    with pytest.raises(UsageError, match="'2m'"):
        found.truth([Ref(var="A")])


def test_a_secret_that_is_not_utf8_is_named_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINE", "key\udcff")
    with pytest.raises(CredentialError, match=r"^the environment variable MINE is not UTF-8$"):
        Secrets(lambda name: "").get("MINE")
