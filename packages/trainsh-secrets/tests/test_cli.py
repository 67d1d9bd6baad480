"""The commands, called as functions: where a value comes from, and what `run` passes to its command."""

import subprocess
import sys
from pathlib import Path

import pytest

from trainsh_base.errors import NotFound, UsageError
from trainsh_base.request import Request, serve_in_this_thread
from trainsh_base.system.secret import Secret
from trainsh_secrets import cli, ring, source, vault
from trainsh_secrets.model import Found


class Person(Request):
    """A user who answers every question with the same text."""

    def __init__(self, answer: str) -> None:
        super().__init__()
        self.answer = answer

    def ask(self, kind: str, message: str, **_more: object) -> str:
        return self.answer


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"token", "token"), (b"token\n", "token"), (b"token\r\n", "token"), (b"token\n\n", "token\n"),
        (b" a b ", " a b "),
    ],
)  # fmt: skip
def test_one_newline_at_the_end_of_a_file_is_not_the_values(tmp_path: Path, data: bytes, value: str) -> None:
    (tmp_path / "f").write_bytes(data)
    assert source.value_of("A", str(tmp_path / "f")) == value


@pytest.mark.parametrize(
    ("data", "said"),
    [(b"", "is empty"), (b"\n", "is empty"), (b"a\0b", "NUL byte"), (b"\xffab", r"is not UTF-8 text \(byte 0\)")],
    ids=["empty", "newline", "nul", "bytes"],
)
def test_a_file_that_is_no_value_is_refused(tmp_path: Path, data: bytes, said: str) -> None:
    (tmp_path / "f").write_bytes(data)
    with pytest.raises(UsageError, match=said):
        source.value_of("A", str(tmp_path / "f"))


def test_a_file_that_is_not_there_is_3_and_a_folder_2(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no such file"):
        source.value_of("A", str(tmp_path / "none"))
    with pytest.raises(UsageError, match="cannot read"):
        source.value_of("A", str(tmp_path))


def test_what_is_typed_is_the_value_as_it_is() -> None:
    serve_in_this_thread(Person(" typed "))
    assert source.value_of("A", None) == " typed "
    serve_in_this_thread(Person(""))
    with pytest.raises(UsageError, match="is empty"):
        source.value_of("A", None)


def test_run_hands_over_what_was_named_and_takes_the_passphrase_away(file: Path) -> None:
    handover = cli.run(["env"], name=["FIRST", "OTHER=FIRST"])
    assert handover.argv == ["env"]
    assert handover.env == {"TRAINSH_PASSPHRASE": None, "FIRST": Secret("1"), "OTHER": Secret("1")}


def test_run_all_hands_over_every_secret_that_can_be_a_variable(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "t")
    vault.put({"my-bucket_ACCESS_KEY": "2"})
    assert set(cli.run(["env"], all_=True).env) == {"TRAINSH_PASSPHRASE", "HF_TOKEN", "FIRST"}


@pytest.mark.parametrize("name", ["my-bucket", "2X=FIRST", "a b=FIRST"])
def test_run_refuses_what_cannot_be_a_variable(file: Path, name: str) -> None:
    with pytest.raises(UsageError, match="cannot be an environment variable"):
        cli.run(["env"], name=[name])


def test_an_answer_of_get_does_not_show_its_value_by_accident() -> None:
    assert "hush" not in repr(Found(name="A", value="hush", source="file"))


def test_sixteen_processes_that_use_the_keyring_at_once_lose_no_name(ring_service: None, home: Path) -> None:
    code = "import sys; from trainsh_secrets import ring; ring.put({sys.argv[1]: sys.argv[1]})"
    names = [f"PARALLEL_{number}" for number in range(16)]
    writers = [subprocess.Popen([sys.executable, "-c", code, name]) for name in names]
    assert [writer.wait(60) for writer in writers] == [0] * 16
    assert sorted((home / "keyring.names").read_text().split()) == sorted(names)
    assert [ring.get(name) for name in names] == names
    for name in names:
        assert ring.delete(name)


@pytest.fixture
def ring_service(ring: object) -> None:
    """The keyring of the fixture `ring`; in this file, the name `ring` is the module."""
