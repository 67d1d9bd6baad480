"""Where a secret is searched, in which order, and the error when it is not found."""

import os
import sys
from pathlib import Path

import pytest

from trainsh_base.errors import Conflict, CredentialError, MissingProgram, NotFound, UsageError
from trainsh_base.request import Request, serve_in_this_thread
from trainsh_secrets import lookup, ring, secret_command, vault
from trainsh_secrets.names import check, is_variable, known

HELPER = """\
#!{python}
import os, sys
name = sys.argv[1].rpartition("/")[2]
with open({log!r}, "a") as log:
    log.write(repr((sys.argv[1:], dict(os.environ))) + "\\n")
values = {{"FROM_HELPER": "helped", "EMPTY": "", "LINES": "a\\nb\\n"}}
if name not in values:
    print("is not in the password store", file=sys.stderr)
    sys.exit(1)
print(values[name])
"""


class Listener(Request):
    """A request that records its log lines."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, kind: str, **data: object) -> None:
        self.lines.append(str(data["message"]))


@pytest.fixture
def log() -> list[str]:
    request = Listener()
    serve_in_this_thread(request)
    return request.lines


@pytest.fixture
def helper_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A helper command in a folder with a space; returns a file to which each run of it adds a line."""
    folder = tmp_path / "my tools"
    folder.mkdir()
    calls = tmp_path / "calls"
    program = folder / "secret helper"
    program.write_text(HELPER.format(python=sys.executable, log=str(calls)))
    program.chmod(0o755)
    monkeypatch.setenv("TRAINSH_SECRETS_HELPER", f"'{program}' 'train/{{name}}'")
    return calls


def test_the_order_is_environment_keyring_helper_file(
    ring_and_file: None, helper_log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault.put({"FROM_HELPER": "filed", "ONLY_FILE": "filed"})
    ring.put({"FROM_HELPER": "ringed"})
    monkeypatch.setenv("FROM_HELPER", "shouted")
    seen = [lookup.find("FROM_HELPER")]
    monkeypatch.delenv("FROM_HELPER")
    seen.append(lookup.find("FROM_HELPER"))
    ring.delete("FROM_HELPER")
    seen += [lookup.find("FROM_HELPER"), lookup.find("ONLY_FILE")]
    assert [(found.source, found.value) for found in seen] == [
        ("environment", "shouted"), ("keyring", "ringed"), ("helper", "helped"), ("file", "filed"),
    ]  # fmt: skip


@pytest.fixture
def ring_and_file(ring: object, file: Path) -> None:
    """Both stores that can be written."""


def test_an_empty_variable_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "")
    with pytest.raises(NotFound):
        lookup.find("HF_TOKEN")


def test_what_is_nowhere_is_exit_3_with_the_command_that_stores_it() -> None:
    with pytest.raises(NotFound, match="there is no secret HF_TOKE") as caught:
        lookup.find("HF_TOKE")
    assert caught.value.hint == "store it with: train secrets set HF_TOKE, or did you mean HF_TOKEN?"


def test_what_the_helper_said_is_quoted(helper_log: Path) -> None:
    with pytest.raises(NotFound, match=r"ended with status 1: is not in the password store"):
        lookup.find("NOWHERE")


def test_a_locked_file_is_exit_4_and_no_not_found(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRAINSH_PASSPHRASE")
    monkeypatch.setattr(vault, "_unlocked", {})
    with pytest.raises(CredentialError, match="no terminal to ask") as caught:
        lookup.find("FIRST")
    assert caught.value.exit_status == 4


def test_a_locked_keyring_is_said_and_a_later_store_answers(
    locked_ring: object, file: Path, log: list[str]
) -> None:
    assert lookup.find("FIRST").source == "file"
    assert len(log) == 1 and "the keyring is locked" in log[0] and "read from the file" in log[0]
    with pytest.raises(CredentialError, match="the keyring is locked"):
        lookup.find("LOCKED_AWAY")


def test_the_helper_is_given_one_word_and_no_secrets_of_ours(
    helper_log: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_hush")
    assert lookup.find("FROM_HELPER").value == "helped"
    (call,) = helper_log.read_text().splitlines()
    argv, environment = eval(call)
    assert argv == ["train/FROM_HELPER"]
    assert "TRAINSH_PASSPHRASE" not in environment and "hf_hush" not in str(environment)
    assert environment["PATH"] == os.environ["PATH"]


@pytest.mark.parametrize(("name", "value"), [("EMPTY", None), ("LINES", "a\nb\n")])
def test_one_newline_is_taken_off_what_the_helper_prints(helper_log: Path, name: str, value: str | None) -> None:
    assert secret_command.get(name) == value


@pytest.mark.parametrize(
    ("command", "kind", "said"),
    [
        pytest.param("no-such-program-at-all {name}", MissingProgram, "is not installed", id="missing"),
        pytest.param("pass show 'train/{name}", UsageError, "is not a valid command line", id="quote"),
        pytest.param("pass show train", UsageError, "has no place for the secret", id="no-name"),
        pytest.param("printf '\\377{name}'", UsageError, "bytes that are not text", id="bytes"),
    ],
)
def test_a_helper_that_cannot_work_is_an_error_and_is_not_passed_over(
    command: str, kind: type[Exception], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRAINSH_SECRETS_HELPER", command)
    with pytest.raises(kind, match=said):
        lookup.find("HF_TOKEN")


def test_no_shell_reads_the_helper_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRAINSH_SECRETS_HELPER", f"echo {{name}} $HOME; touch {tmp_path}/pwned")
    assert lookup.find("HF_TOKEN").value == f"HF_TOKEN $HOME; touch {tmp_path}/pwned"
    assert not (tmp_path / "pwned").exists()


@pytest.mark.parametrize("name", ["", "-rf", "a b", "a/b", "$(x)", "a\nb", "x" * 129, "TRAINSH_PASSPHRASE"])
def test_names_that_could_mean_something_else_are_refused(name: str) -> None:
    with pytest.raises(UsageError, match="a secret cannot be called"):
        lookup.find(name)


def test_names_of_storages_may_have_dashes_and_dots_but_are_no_variables() -> None:
    assert check("my-bucket.2_ACCESS_KEY") == "my-bucket.2_ACCESS_KEY"
    assert not is_variable("my-bucket") and is_variable("HF_TOKEN") and not is_variable("2X")


def test_new_values_go_to_the_keyring_where_there_is_one_else_to_the_file(ring_and_file: None) -> None:
    assert lookup.target(None) == "keyring"
    assert lookup.target("file") == "file"


def test_without_a_keyring_new_values_go_to_the_file(file: Path) -> None:
    assert [one.source for one in lookup.store({"A": "1"}, None)] == ["file"]


def test_a_value_that_is_hidden_by_an_earlier_store_is_said(
    ring_and_file: None, log: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ring.put({"A": "ringed"})
    lookup.store({"A": "filed"}, "file")
    monkeypatch.setenv("A", "shouted")
    lookup.store({"A": "filed"}, "file")
    assert [line.split(" is used")[0] for line in log] == ["note: A in the keyring", "note: A in the environment"]
    ring.delete("A")


def test_delete_takes_every_copy(ring_and_file: None) -> None:
    ring.put({"A": "1"})
    vault.put({"A": "2"})
    assert [one.source for one in lookup.delete("A")] == ["keyring", "file"]
    with pytest.raises(NotFound):
        lookup.delete("A")


def test_delete_does_not_pretend_to_delete_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "x")
    with pytest.raises(Conflict, match="in the environment, and not stored"):
        lookup.delete("HF_TOKEN")


def test_the_list_has_every_known_name_the_users_own_and_no_value(
    ring_and_file: None, helper_log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ring.put({"RINGED": "value-1"})
    vault.put({"FROM_HELPER": "value-2"})
    monkeypatch.setenv("HF_TOKEN", "value-3")
    rows = lookup.every()
    where = {row.name: row.source for row in rows if row.set}
    assert where == {"HF_TOKEN": "environment", "RINGED": "keyring", "FIRST": "file", "FROM_HELPER": "helper"}
    assert [row.name for row in rows][: len(known())] == list(known())
    assert {row.name for row in rows if not row.known} == {"RINGED", "FIRST", "FROM_HELPER"}
    assert "value" not in str(rows)
    ring.delete("RINGED")


def test_the_list_has_the_names_that_a_strangers_tool_declares(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    declared = tmp_path / "share" / "trainsh" / "secrets" / "acme"
    declared.parent.mkdir(parents=True)
    declared.write_text("ACME_KEY\tAcme\nnot a name\tAcme\n\nTRAINSH_PASSPHRASE\tAcme\n")
    program = tmp_path / "bin" / "train-acme"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    assert [(row.name, row.help, row.known) for row in lookup.every() if row.help == "Acme"] == [
        ("ACME_KEY", "Acme", True)
    ]
    monkeypatch.setenv("ACME_KEY", "value")
    assert "ACME_KEY" not in secret_command.environment()


def test_the_list_of_a_locked_store_says_unknown_and_not_no(
    file: Path, log: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TRAINSH_PASSPHRASE")
    monkeypatch.setattr(vault, "_unlocked", {})
    monkeypatch.setenv("HF_TOKEN", "x")
    monkeypatch.setattr(Listener, "ask", Request.ask)
    rows = {row.name: row.set for row in lookup.every()}
    assert rows.pop("HF_TOKEN") is True
    assert set(rows.values()) == {None}
    assert any("TRAINSH_PASSPHRASE" in line for line in log)
