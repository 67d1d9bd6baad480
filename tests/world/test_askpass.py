"""The program that ssh runs to ask a question: it works in any POSIX sh, loses no words, and does not wait for a
dead process.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from trainsh_world import BIN, wait_until

from trainsh_base.remote.askpass import PROGRAM

SHELLS = [words for words in (["sh"], ["dash"], ["bash"], ["busybox", "sh"], ["ksh"]) if shutil.which(words[0])]


def ask(shell: list[str], folder: Path, asker: int, prompt: str) -> subprocess.Popen[str]:
    env = {
        **os.environ,
        "TRAINSH_ASK_FOLDER": str(folder),
        "TRAINSH_ASK_PID": str(asker),
        "SSH_ASKPASS_PROMPT": "x",
    }
    return subprocess.Popen([*shell, PROGRAM, prompt], env=env, stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize("shell", SHELLS, ids=" ".join)
def test_question_and_answer(shell: list[str], tmp_path: Path) -> None:
    prompt = "it's \\a\\ $HOME `x` %s\nsecond line: "
    child = ask(shell, tmp_path, os.getpid(), prompt)
    question = tmp_path / f"question.{child.pid}"
    wait_until(question.exists, "the question")
    assert question.read_text() == f"{os.getpid()}\nx\n" + prompt
    assert question.stat().st_mode & 0o077 == 0
    (tmp_path / f"answer.{child.pid}").write_text("yes\n  a\\b $x \n")
    assert child.communicate(timeout=60)[0] == "  a\\b $x \n"
    assert child.returncode == 0
    assert not (tmp_path / f"answer.{child.pid}").exists()


@pytest.mark.parametrize("shell", SHELLS, ids=" ".join)
def test_no_answer_is_a_refusal(shell: list[str], tmp_path: Path) -> None:
    child = ask(shell, tmp_path, os.getpid(), "Password: ")
    wait_until((tmp_path / f"question.{child.pid}").exists, "the question")
    (tmp_path / f"answer.{child.pid}").write_text("no\n")
    assert child.communicate(timeout=60)[0] == "" and child.returncode == 1


@pytest.mark.parametrize("shell", SHELLS, ids=" ".join)
def test_it_does_not_wait_for_the_dead(shell: list[str], tmp_path: Path) -> None:
    asker = subprocess.Popen(["sleep", "600"])
    child = ask(shell, tmp_path, asker.pid, "Password: ")
    wait_until((tmp_path / f"question.{child.pid}").exists, "the question")
    asker.kill()
    asker.wait()
    assert child.communicate(timeout=60)[0] == "" and child.returncode == 1


def test_it_is_a_program_and_clean() -> None:
    assert os.access(PROGRAM, os.X_OK)
    shellcheck = shutil.which("shellcheck", path=f"{BIN}:{os.environ['PATH']}")
    if shellcheck is None:
        pytest.skip("NOT TESTED HERE: shellcheck is not installed")
    subprocess.run([shellcheck, "-s", "sh", PROGRAM], check=True)
