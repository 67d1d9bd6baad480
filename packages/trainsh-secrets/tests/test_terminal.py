"""train-secrets as a person sees it on a terminal, and as a program sees it over `serve`."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from trainsh_base.errors import CredentialError
from trainsh_base.system.spawn import start
from trainsh_base.testing import Terminal
from trainsh_base.tool.peer import Peer

PROGRAM = str(Path(sys.executable).with_name("train-secrets"))


def test_set_asks_without_showing_what_is_typed(home: Path) -> None:
    screen = Terminal([PROGRAM, "set", "HF_TOKEN"])
    screen.expect("Value of HF_TOKEN")
    screen.type("hf_hush\r")
    screen.expect("New passphrase")
    screen.type("sesame\r")
    screen.expect("Repeat the passphrase")
    screen.type("sesame\r")
    assert screen.wait() == 0
    assert "HF_TOKEN stored in the file" in screen.text
    assert "hush" not in screen.text and "sesame" not in screen.text
    assert (home / "secrets.age").exists()


def test_a_value_from_a_pipe_leaves_the_terminal_for_the_passphrase(home: Path) -> None:
    screen = Terminal(["sh", "-c", f'echo hf_hush | "{PROGRAM}" set HF_TOKEN'])
    screen.expect("New passphrase")
    screen.type("sesame\r")
    screen.expect("Repeat the passphrase")
    screen.type("sesame\r")
    assert screen.wait() == 0 and (home / "secrets.age").exists()


def test_ctrl_c_at_the_prompt_is_130_and_stores_nothing(home: Path) -> None:
    screen = Terminal([PROGRAM, "set", "HF_TOKEN"])
    screen.expect("Value of HF_TOKEN")
    screen.type("\x03")
    assert screen.wait() == 130
    assert not home.exists() or list(home.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "seen"), [([], False), (["--reveal"], True), (["--json"], True)], ids=["plain", "reveal", "json"]
)
def test_get_masks_on_a_terminal(file: Path, words: list[str], seen: bool) -> None:
    subprocess.run([PROGRAM, "set", "A"], input=b"hush", check=True)
    screen = Terminal([PROGRAM, "get", "A", *words])
    assert screen.wait() == 0
    assert ("hush" in screen.text) is seen
    assert ("--reveal shows it" in screen.text) is (not seen)


def test_delete_asks_and_no_is_no(file: Path) -> None:
    screen = Terminal([PROGRAM, "delete", "FIRST"])
    screen.expect("Delete FIRST?")
    screen.type("n\r")
    assert screen.wait() == 130
    screen = Terminal([PROGRAM, "delete", "FIRST"])
    screen.expect("Delete FIRST?")
    screen.type("y\r")
    assert screen.wait() == 0
    assert "FIRST deleted from the file" in screen.text


def test_import_asks_before_it_overwrites(file: Path, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("FIRST=2\nNEW=3\n")
    done = subprocess.run([PROGRAM, "import", str(tmp_path / ".env")], capture_output=True, check=False, input=b"")
    assert done.returncode == 2 and b"--overwrite" in done.stderr
    screen = Terminal([PROGRAM, "import", str(tmp_path / ".env")])
    screen.expect("Overwrite FIRST?")
    screen.type("y\r")
    assert screen.wait() == 0
    assert subprocess.run([PROGRAM, "get", "FIRST"], capture_output=True, check=True).stdout == b"2\n"


@pytest.fixture
def peer() -> Peer:
    return Peer("secrets", child=start([PROGRAM, "serve"]))


def test_serve_asks_its_client_for_the_passphrase_once(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRAINSH_PASSPHRASE")
    asked = []

    def answer(question: dict[str, object]) -> str:
        asked.append(question["kind"])
        return "a password"

    peer = Peer("secrets", child=start([PROGRAM, "serve"]), on_ask=answer)
    pending = [peer.start("get", {"name": "FIRST"}) for _ in range(5)]
    want = {"name": "FIRST", "value": "1", "source": "file"}
    assert [one.result(60) for one in pending] == [want] * 5
    assert asked == ["secret"]
    peer.close()


def test_serve_sets_a_value_that_its_client_answers(file: Path) -> None:
    peer = Peer(
        "secrets", child=start([PROGRAM, "serve"]), on_ask=lambda question: f"answer to {question['message']}"
    )
    assert peer.request("set", {"name": "A"}, timeout=60) == [{"name": "A", "source": "file"}]
    assert peer.request("get", {"name": "A"}, timeout=60)["value"] == "answer to Value of A"
    peer.close()


def test_serve_with_nobody_to_ask_is_a_typed_error(file: Path, peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Exception, match="not interactive") as caught:
        peer.request("set", {"name": "A"}, timeout=60)
    assert caught.value.exit_status == 2 and "--from-file" in str(caught.value)  # type: ignore[attr-defined]
    peer.close()
    monkeypatch.delenv("TRAINSH_PASSPHRASE")
    peer = Peer("secrets", child=start([PROGRAM, "serve"]))
    with pytest.raises(CredentialError, match="no terminal to ask"):
        peer.request("get", {"name": "FIRST"}, timeout=60)
    peer.close()


def test_no_answer_but_gets_has_the_value(file: Path, peer: Peer) -> None:
    answers = [
        peer.request("list", timeout=60),
        peer.request("run", {"command": ["true"], "name": ["VALUE=FIRST"]}, timeout=60),
    ]
    peer.close()
    assert answers[1]["env"]["VALUE"] == "***"
    assert all('"1"' not in json.dumps(answer) for answer in answers)


@pytest.mark.skipif(shutil.which("age") is None, reason="NOT TESTED, the age program: it is missing")
def test_the_age_program_opens_the_file(file: Path) -> None:
    key = file.with_name("secrets.age.key")
    screen = Terminal(["age", "-d", "-i", str(key), str(file)])
    screen.expect("passphrase")
    screen.type("a password\r")
    assert screen.wait() == 0
    assert '"FIRST": "1"' in screen.text


@pytest.mark.skipif(
    shutil.which("strace") is None, reason="NOT TESTED, arguments of all children: strace is missing"
)
def test_no_secret_is_in_the_arguments_or_environment_of_a_child(file: Path, tmp_path: Path) -> None:
    """Every execve of set, get with a helper, and list, with whole argument lists and environments."""
    trace = tmp_path / "trace"
    helper = f"{sys.executable} -c print(1) {{name}}"
    for words in (["set", "A", "--to", "file"], ["get", "B"], ["list"]):
        subprocess.run(
            ["strace", "-f", "-v", "-s", "100000", "-e", "trace=execve", "-o", str(trace), PROGRAM, *words],
            input=b"hush-hush", env={**os.environ, "TRAINSH_SECRETS_HELPER": helper, "HF_TOKEN": "hf_quiet"},
            capture_output=True, check=True,
        )  # fmt: skip
        calls = [line for line in trace.read_text().splitlines() if "execve(" in line]
        children = calls[1:]  # the first is train-secrets itself, with the environment it was given
        assert words[0] == "set" or any("/python" in line and "print(1)" in line for line in children)
        assert calls and not any("hush-hush" in line for line in calls)
        assert not any(word in line for line in children for word in ("a password", "hf_quiet"))
