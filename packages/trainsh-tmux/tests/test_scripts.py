"""What runs on hosts is in shell files. Python sends only names of functions and quoted arguments."""

import ast
import os
import re
import shutil
import signal
import subprocess
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

import trainsh_tmux
from tmux_box import Box, wait_until
from trainsh_tmux import cli
from trainsh_tmux.remote import library, scripts, session_scripts, step_scripts

SOURCES = sorted(Path(trainsh_tmux.__file__).parent.rglob("*.py"))
SHELL = re.compile(r"\b(then|fi|done|esac)\b\s*($|[;\n])|\bprintf '|\|\| |2>|\$\{|\$\(")
FUNCTION = re.compile(r"^(\w+)\(\) \{", re.MULTILINE)


def _texts(tree: ast.Module) -> list[str]:
    """The string constants of a module, without docstrings."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docs = {id(node.body[0].value) for node in ast.walk(tree) if isinstance(node, documented)
            and node.body and isinstance(node.body[0], ast.Expr)}  # fmt: skip
    constants = [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in docs]
    return [node.value for node in constants if isinstance(node.value, str)]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_no_program_for_a_host_is_written_in_python(path: Path) -> None:
    assert [text for text in _texts(ast.parse(path.read_text())) if SHELL.search(text)] == []


@pytest.mark.parametrize(
    "body",
    [
        session_scripts.open_session("j", "w", "/x", plain=False, log_limit=9), session_scripts.close_session("j", "w"),
        session_scripts.release("j", "w"), session_scripts.take_back("j", "w"), session_scripts.kill_server("j"),
        session_scripts.new_window("j", "w", log_limit=9), session_scripts.capture_pane("j", "w", 3),
        session_scripts.press_enter("j", "w"), session_scripts.send_keys("j", "w", "x", enter=True, keys=False),
        session_scripts.remove("j", "w"), session_scripts.log_again("j", "w"),
        session_scripts.clean(7), session_scripts.install_tmux("apk add"),
        step_scripts.hand_step("j", "w", "s", "true", mode="run", echo="true", limit=None),
        step_scripts.start_step("j", "w", "s", "true"), step_scripts.start_step("j", "w", "s", "", only_ask=True),
        step_scripts.read_captured("j", "w", "s"), step_scripts.interrupt("j", "w", "s", 1, "timeout", 30),
        step_scripts.mask_log("j", "w", [(1, 2)]), scripts.log_end("j", "w"), scripts.running("j", "w"),
        scripts.listing(), scripts.unwatch(1, "q"),
        scripts.holds("j", ["w"], ["s"]), scripts.watch("j", "w", 1, "file", ["it's"], "q"),
    ],
    ids=lambda body: str(body).split()[0],
)  # fmt: skip
def test_each_request_calls_a_function_that_is_there(body: str | None) -> None:
    assert body is not None
    assert body.split()[0] in FUNCTION.findall(library.requests())


# Every program takes 1 to 3 ms to start, and more on a slow machine. `id` is not among them, because /etc/profile may
# run it.
COUNTED = (
    "awk", "cat", "chmod", "cp", "cut", "date", "dd", "env", "find", "getconf", "grep", "head", "ls", "mkdir", "mkfifo", "mv",
    "nice", "ps", "readlink", "rm", "rmdir", "sed", "sleep", "sort", "stat", "tail", "tmux", "touch", "tr", "uname", "wc",
)  # fmt: skip
STARTED = Counter(mkdir=1, mkfifo=1, tmux=2, dd=1, tail=2, nice=1, grep=1, rm=2)


def test_the_programs_that_an_open_and_a_close_start(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    record, programs = box.folder / "record", box.folder / "programs"
    programs.mkdir()
    for name in COUNTED:
        if path := shutil.which(name):
            (programs / name).write_text(f'#!/bin/sh\necho {name} >>{record}\nexec {path} "$@"\n')
            (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    box.forget()
    box.open("first")  # this installs the scripts and removes old sessions
    box.call(cli.close, "first")
    log = box.session() / "log.0"
    record.unlink()
    box.open()
    assert box.run("true").state == "ok"
    box.call(cli.close, "w", snapshot=False)
    wait_until(lambda: b"x;hung up" in log.read_bytes(), "the end of the logger")
    assert Counter(record.read_text().split()) - STARTED == Counter()


# The way in which the driver reads, with a short idle time: each line that comes is printed.
READER = """
. "$1"/functions.sh
__train_dir=$2 __train_unsaved=
exec 9<>"$2/fifo"
echo ready
while :; do
    __train_idle=0.05
    __train_wait
    case $__train_line in '' | idle) ;; *) echo "$__train_line" ;; esac
done
"""
WRITER = 'say() { :; }; . "$1/step.sh"; r=$2; step_hand j w "s$3" true "run s$3 run - true"'


def test_a_line_that_comes_as_the_idle_time_passes_is_read_whole(tmp_path: Path) -> None:
    """bash's `read -t` may report a timeout although it has read a character, if the process was not scheduled in
    time.
    """
    folder, scripts_folder = tmp_path / "sessions/j/w", Path(trainsh_tmux.__file__).parent / "remote/sh"
    (folder / "steps").mkdir(parents=True)
    (folder / "open").touch()
    os.mkfifo(folder / "fifo")
    words = ["bash", "--norc", "-c", READER, "-", str(scripts_folder), str(folder)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as reader:
        limit = threading.Timer(60, reader.kill)
        limit.start()
        assert reader.stdout is not None and reader.stdout.readline() == "ready\n"
        for number in range(5):
            reader.send_signal(signal.SIGSTOP)
            subprocess.run(["sh", "-c", WRITER, "-", str(scripts_folder), str(tmp_path), str(number)], check=True)
            time.sleep(0.06)  # longer than the idle time
            reader.send_signal(signal.SIGCONT)
            assert reader.stdout.readline() == f"run s{number} run - true\n"
        limit.cancel()
        reader.kill()


# Ends the background step s1, whose process no signal reaches.
UNKILLABLE = """
for x in hello processes session ending; do . "$1/$x.sh"; done
say() { echo "$@"; }
kill() { case "$*" in *-s\\ [A-Z]*) ;; *) command kill "$@" ;; esac }
d=$2 node=n
end_step s1 7 interrupted 1
"""


@pytest.mark.parametrize("shell", ["dash", "bash", "busybox"])
def test_what_survives_every_signal_is_named_with_its_pid(shell: str, tmp_path: Path) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"NOT TESTED HERE: {shell} is not installed")
    (tmp_path / "steps").mkdir()
    with subprocess.Popen(["sleep", "3050"], start_new_session=True) as process:
        try:
            start = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[19]
            (tmp_path / "steps/s1.claim").touch()
            (tmp_path / "steps/s1.pid").write_text(f"{process.pid} {start}\n")
            folder = Path(trainsh_tmux.__file__).parent / "remote/sh"
            words = [
                shell,
                *(["sh"] if shell == "busybox" else []),
                "-c",
                UNKILLABLE,
                "sh",
                str(folder),
                str(tmp_path),
            ]
            done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
        finally:
            process.kill()
    assert done.stdout.splitlines() == [f"R 7 survived {process.pid} sleep 3050 ", "R 7 ended"], done
