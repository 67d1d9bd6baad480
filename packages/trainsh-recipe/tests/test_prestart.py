"""What train-recipe guesses from its command line before it has loaded its modules."""

import errno
import json
import os
import subprocess
import sys

import pytest

from trainsh_base.system import spawn
from trainsh_recipe import prestart


@pytest.mark.parametrize(
    ("argv", "host"),
    [
        (["exec", "@gpu > nvidia-smi"], "gpu"),
        (["exec", "--json", " @gpu-1.box timeout=2h > true"], "gpu-1.box"),
        (["exec", "x -> @gpu:y"], "local"),
        (["exec", '@"odd > true'], "local"),
        (["exec", "-"], "local"),
        (["run", "@gpu"], "local"),
    ],
)
def test_exec_prepares_for_the_first_host_it_names(argv: list[str], host: str) -> None:
    assert prestart.first_host(argv) == host


@pytest.mark.parametrize(
    "text",
    [
        "@a > echo 'x' \"y\" \\n \\\\",
        "@a > cat <<E\n{}\nE",
        "",
        "-",
        "./a -> @b:c",
        "@a > echo é",
        "@a > echo \x1b",
    ],
)
def test_the_text_of_exec_is_parsed_while_modules_load(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prestart, "parsing", "")
    request = prestart._parse_request(["exec", text])
    if text.startswith("@a") and text.isascii() and "\x1b" not in text:
        assert json.loads(request)["params"] == {"name": "exec", "given": [], "exec": True, "text": text}
        assert prestart.parsing == text
    else:
        assert request == b"" and prestart.parsing == ""


def test_a_tool_that_cannot_be_started_early_is_left_to_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(sys, "argv", ["train-recipe", "exec", "@local > true"])
    monkeypatch.setattr(spawn, "start", full)
    prestart.start()
    assert prestart.take("tmux") is None


def test_no_pipe_of_a_tool_takes_the_place_of_a_closed_standard_file() -> None:
    code = (
        "import os, sys; from trainsh_recipe import prestart; sys.argv = ['x', 'exec', '@local > true']; "
        "prestart.start(); tool = prestart.children['tmux']; print(tool.stdin, tool.stdout); "
        "tool.close_stdin(); tool.wait()"
    )
    words = ["sh", "-c", '"$0" -c "$1" <&- 2>&-', sys.executable, code]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=True)
    assert min(map(int, done.stdout.split())) > 2


def test_ctrl_c_before_the_modules_are_loaded_is_quiet() -> None:
    code = (
        "import os; from trainsh_recipe import entry, prestart; "
        "prestart.start = lambda: os.kill(os.getpid(), 2); entry.main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (130, b"")
