"""The encrypted file and its failures: nothing is lost, and every message says what is wrong."""

import subprocess
import sys
from pathlib import Path

import pytest

from trainsh_base.errors import CredentialError
from trainsh_base.request import Request, serve_in_this_thread
from trainsh_base.system.deadline import Deadline
from trainsh_secrets import locked_key, vault


class Person(Request):
    """A user at a terminal who gives these answers."""

    def __init__(self, *answers: str) -> None:
        super().__init__()
        self.answers = list(answers)
        self.questions: list[str] = []

    def ask(self, kind: str, message: str, **_more: object) -> str:
        assert kind == "secret"
        self.questions.append(message)
        return self.answers.pop(0)


@pytest.fixture
def nobody_unlocked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The passphrase is not in the environment, and this process has opened nothing yet."""
    monkeypatch.delenv("TRAINSH_PASSPHRASE", raising=False)
    monkeypatch.setattr(vault, "_unlocked", {})


def damage(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def test_a_missing_file_has_nothing_and_asks_nobody() -> None:
    serve_in_this_thread(Person())
    assert vault.values() == {}


def test_the_first_secret_makes_two_private_files(home: Path) -> None:
    person = Person("open sesame", "open sesame")
    serve_in_this_thread(person)
    vault.put({"A": "1"})
    (first, second) = person.questions
    assert first.startswith("No keyring was found") and "\nNew passphrase for" in first
    assert second == "Repeat the passphrase"
    for path in (home / "secrets.age", home / "secrets.age.key"):
        assert path.stat().st_mode & 0o777 == 0o600
        assert b"open sesame" not in path.read_bytes()
    assert vault.get("A") == "1"
    assert len(person.questions) == 2, "a process asks once"


@pytest.mark.parametrize("answers", [("one", "two"), ("", ""), ("  ", "  ")], ids=["differ", "empty", "blank"])
def test_a_bad_new_passphrase_stores_nothing(home: Path, answers: tuple[str, str]) -> None:
    serve_in_this_thread(Person(*answers))
    with pytest.raises(Exception, match="nothing was stored"):
        vault.put({"A": "1"})
    assert not (home / "secrets.age").exists()
    assert not (home / "secrets.age.key").exists()


def test_a_wrong_passphrase_is_asked_again(file: Path, nobody_unlocked: None) -> None:
    person = Person("wrong", "a password")
    serve_in_this_thread(person)
    assert vault.get("FIRST") == "1"
    assert person.questions[1].startswith("That passphrase is wrong.")


def test_a_wrong_passphrase_in_the_environment_changes_nothing(
    file: Path, nobody_unlocked: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = file.read_bytes(), vault.key_place(file).read_bytes()
    monkeypatch.setenv("TRAINSH_PASSPHRASE", "wrong")
    for act in (lambda: vault.get("FIRST"), lambda: vault.put({"FIRST": "2"}), lambda: vault.delete("FIRST")):
        with pytest.raises(CredentialError, match="TRAINSH_PASSPHRASE is not the passphrase") as caught:
            act()
        assert caught.value.code == "wrong_passphrase"
    assert (file.read_bytes(), vault.key_place(file).read_bytes()) == before


def test_without_anybody_to_ask_it_is_locked(file: Path, nobody_unlocked: None) -> None:
    serve_in_this_thread(Request())
    with pytest.raises(CredentialError, match="no terminal to ask") as caught:
        vault.get("FIRST")
    assert "TRAINSH_PASSPHRASE" in caught.value.hint


def test_every_flipped_byte_and_every_cut_is_noticed_and_nothing_is_overwritten(file: Path) -> None:
    whole = file.read_bytes()
    broken = [damage(whole, at) for at in range(len(whole))] + [whole[:size] for size in range(len(whole))]
    for data in broken:
        file.write_bytes(data)
        with pytest.raises(CredentialError, match="is damaged, or locked with another key") as caught:
            vault.put({"MORE": "x"})
        assert caught.value.code == "damaged"
        assert file.read_bytes() == data
    file.write_bytes(whole)
    assert vault.get("FIRST") == "1"


@pytest.mark.parametrize("size", [0, 10, 80, -1], ids=["empty", "first-line", "header", "last-byte"])
def test_a_cut_key_file_is_reported_and_left(file: Path, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    key = vault.key_place(file)
    cut = key.read_bytes()[:size]
    key.write_bytes(cut)
    with pytest.raises(CredentialError, match=r"damaged|is not the passphrase"):
        vault.put({"MORE": "x"})
    assert key.read_bytes() == cut


def test_a_flipped_byte_in_the_key_file_is_reported(file: Path) -> None:
    key = vault.key_place(file)
    key.write_bytes(damage(key.read_bytes(), len(key.read_bytes()) - 3))
    with pytest.raises(CredentialError, match=r"secrets\.age\.key is damaged"):
        vault.get("FIRST")


def test_a_key_file_whose_work_is_a_fluke_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """No clock here makes the library measure wrongly, so its result is replaced."""
    import pyrage

    header = b"age-encryption.org/v1\n-> scrypt c2FsdA %d\nbody"
    made = [header % 63, header % 18]
    monkeypatch.setattr(pyrage.passphrase, "encrypt", lambda *_: made.pop(0))
    assert locked_key.work(locked_key.lock("identity", "word")) == 18


def test_a_machine_that_seems_too_slow_for_a_moment_is_given_time(
    sealed: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The library's estimate depends on how busy the machine is, so its refusal is simulated."""
    import pyrage

    real, refusals = pyrage.passphrase.decrypt, ["Excessive work parameter for passphrase."] * 2

    def busy(data: bytes, word: str) -> bytes:
        if refusals:
            raise pyrage.DecryptError(refusals.pop())
        return real(data, word)

    monkeypatch.setattr(locked_key, "PAUSE", 0)
    monkeypatch.setattr(pyrage.passphrase, "decrypt", busy)
    assert locked_key.unlock(Path("k"), sealed, "a password") is not None
    refusals += ["Excessive work parameter for passphrase."] * locked_key.ATTEMPTS
    with pytest.raises(CredentialError, match=r"work factor of .* is too high for this machine"):
        locked_key.unlock(Path("k"), sealed, "a password")


def test_a_lost_key_file_is_never_replaced_by_a_new_one(file: Path) -> None:
    vault.key_place(file).unlink()
    before = file.read_bytes()
    with pytest.raises(CredentialError, match=r"its key .* is missing"):
        vault.put({"MORE": "x"})
    assert file.read_bytes() == before
    assert not vault.key_place(file).exists()


def test_a_file_locked_with_another_key_is_reported(file: Path) -> None:
    import pyrage

    file.write_bytes(pyrage.encrypt(b"{}", [pyrage.x25519.Identity.generate().to_public()]))
    with pytest.raises(CredentialError, match="locked with another key"):
        vault.get("FIRST")


def test_what_the_file_holds_is_in_no_message(file: Path) -> None:
    import pyrage

    identity = next(iter(vault._unlocked.values()))
    file.write_bytes(pyrage.encrypt(b'{"A": ["hush"]}', [identity.to_public()]))
    with pytest.raises(CredentialError, match="does not hold a JSON object of texts") as caught:
        vault.get("A")
    assert "hush" not in str(caught.value.document())


def test_the_file_may_be_elsewhere(
    home: Path, tmp_path: Path, sealed: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "vault" / "mine.age"
    own.parent.mkdir()
    vault.key_place(own).write_bytes(sealed)
    monkeypatch.setenv("TRAINSH_PASSPHRASE", "a password")
    monkeypatch.setenv("TRAINSH_SECRETS_FILE", str(own))
    vault.put({"A": "1"})
    assert own.exists() and vault.get("A") == "1"
    assert not home.exists() or not (home / "secrets.age").exists()


WRITER = """
import sys
from trainsh_secrets import locked_key, vault
for number in range(25):
    vault.put({f"KEY_{sys.argv[1]}_{number}": f"value {number}"})
"""


def test_two_hundred_writes_by_eight_processes_lose_nothing(file: Path) -> None:
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(number)]) for number in range(8)]
    assert [writer.wait(600) for writer in writers] == [0] * 8
    values = vault.values()
    assert len(values) == 201
    assert all(values[f"KEY_{writer}_{number}"] == f"value {number}" for writer in range(8) for number in range(25))
    left = {path.name for path in file.parent.iterdir()}
    assert left == {"secrets.age", "secrets.age.key", ".secrets.age.lock"}


def test_two_first_writers_agree_on_one_key(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRAINSH_PASSPHRASE", "a password")
    code = "import sys; from trainsh_secrets import locked_key, vault; vault.put({sys.argv[1]: 'x'})"
    writers = [subprocess.Popen([sys.executable, "-c", code, name]) for name in ("A", "B", "C")]
    assert [writer.wait(600) for writer in writers] == [0, 0, 0]
    assert vault.values() == {"A": "x", "B": "x", "C": "x"}


def test_a_writer_killed_at_any_instant_leaves_the_old_or_the_new_file(file: Path) -> None:
    """Eight kills at different instants: the file opens after each, and holds what was there before."""
    code = WRITER.replace("range(25)", "range(100000)").replace(
        "import sys\n", "import sys\nprint(1, flush=True)\n", 1
    )
    for number in range(8):
        writer = subprocess.Popen([sys.executable, "-c", code, str(number)], stdout=subprocess.PIPE)
        assert writer.stdout and writer.stdout.readline()
        before = len(vault.values())
        deadline = Deadline.after(600)  # the writer's scrypt takes seconds on a busy machine
        while len(vault.values()) < before + 1 + number:
            assert not deadline.expired, "the writer wrote nothing"
        writer.kill()
        writer.wait()
        writer.stdout.close()
        assert vault.values()["FIRST"] == "1"
        assert len(vault.values()) > before
