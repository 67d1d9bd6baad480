"""Steps that wait for a person, steps that are ended, and what a host still has."""

import contextlib
import os
import shutil
import signal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tmux_box import Box, wait_until
from trainsh_base.errors import RemoteError, TrainError
from trainsh_tmux import cli, display
from trainsh_tmux.step.prompts import Prompts


@pytest.fixture
def open_box(box: Box) -> Box:
    """A session `w` is open."""
    box.open()
    return box


@pytest.mark.parametrize(
    ("command", "line"),
    [
        ("read -r -p 'Continue? ' x", "Continue?"),
        ("printf 'Password: '; read -r x", "Password:"),
        ("python3 -c 'input(\">>> \")'", ">>>"),
        ("touch a b; LC_ALL=C cp -i a b", "cp: overwrite 'b'?"),
    ],
)
def test_an_unfinished_question_is_told_with_the_attach_command(open_box: Box, command: str, line: str) -> None:
    running = open_box.start(command)
    told = wait_until(lambda: [data for kind, data in running.client.events if "attach" in data], "the note")
    assert told[0]["prompt"] == line and told[0]["attach"] == "train tmux attach w" and line in told[0]["message"]
    open_box.keys("yes", "Enter")
    assert running.result().state == "ok"
    assert len([1 for _, data in running.client.events if "attach" in data]) == 1


@pytest.mark.parametrize("command", ["cat >/dev/null", "read -r x", "sh -c 'read x'", "seq 500 | less"])
def test_a_step_that_reads_its_terminal_in_silence_is_told(open_box: Box, command: str) -> None:
    if command.endswith("less") and not shutil.which("less"):
        command = "sh -c 'seq 3; read x'"
    running = open_box.start(command)
    told = wait_until(lambda: [data for kind, data in running.client.events if "attach" in data], "the note")
    assert told[0]["attach"] == "train tmux attach w"
    assert "waits for input" in told[0]["message"] or told[0]["prompt"].endswith(":")
    open_box.keys("q", "Enter", "C-d")
    assert running.result().state in ("ok", "failed")


def test_a_progress_bar_is_no_question(open_box: Box) -> None:
    open_box.run("printf 'start:\\n'; printf '\\r 10%% [##   ]'; sleep 2.5; printf '\\r 20%% [###  ]\\n'")
    assert not [1 for _, data in open_box.client.events if "attach" in data]


def test_a_step_that_saves_has_its_grace_and_people_see_it(open_box: Box) -> None:
    command = "sh -c 'trap \"sleep 1.5; echo saved >saved; exit 3\" INT; while :; do sleep 0.1; done'"
    outcome = open_box.run(command, timeout=3, grace=20)  # the shell has set its trap by then
    assert outcome.state == "timeout" and (open_box.home / "saved").read_text() == "saved\n"
    shown = [data for kind, data in open_box.client.events if kind == "progress"]
    assert shown and shown[0]["total"] == 20 and "ending step" in shown[0]["message"]


def test_interrupt_shows_that_it_waits(open_box: Box) -> None:
    command = "sh -c 'trap \"sleep 1.2; exit 3\" INT; echo set; while :; do sleep 0.1; done'"
    running = open_box.start(command, step="s")
    wait_until(lambda: "set" in running.client.text, "the trap")
    assert open_box.call(cli.interrupt_, "w", "s", grace=20).done == "ended"
    assert next(data["done"] for kind, data in open_box.client.events if kind == "progress") == 0
    assert running.result().state == "failed"


def test_what_fails_while_reading_the_log_fails_the_step(open_box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the thread that reads the log fails, the step must fail too, because nothing else would report its end."""
    running = open_box.start("echo before; until [ -e go ]; do sleep 0.05; done; echo after")
    open_box.began(running)

    def broken(*_: object) -> None:
        raise RemoteError("the log makes no sense", code="bad_answer")

    live = open_box.registry.session("local", "", "w")
    monkeypatch.setattr(live, "_keep", broken)
    (open_box.home / "go").touch()
    with pytest.raises(TrainError) as caught:
        running.result()
    assert caught.value.code == "bad_answer"


def test_what_a_host_holds(open_box: Box) -> None:
    open_box.run("true", step="done")
    open_box.run("(exit 4)", step="failed")
    open_box.run("sleep 100", step="behind", background=True)
    open_box.open("left")
    open_box.call(cli.release, "left")
    open_box.open("shut")
    running = open_box.start("sleep 100", "shut", step="cut")
    open_box.began(running)
    os.kill(int((open_box.session("shut") / "pid").read_text().split()[0]), signal.SIGKILL)
    assert running.result().state == "lost"
    steps = ["done", "failed", "behind", "cut", "unknown"]
    names = ["w", "left", "shut", "nosuch"]

    def asked() -> Any:
        """What it holds; nothing where the idle shell has written its snapshot meanwhile: the question writes none."""
        before = _files(open_box.home)
        held = open_box.call(cli.holds, sessions=names, steps=steps)
        return held if _files(open_box.home) == before else None

    held = wait_until(asked, "an answer that changes no file")
    assert {name: each.state for name, each in held.sessions.items()} == {
        "w": "running", "left": "released", "shut": "gone", "nosuch": "gone",
    }  # fmt: skip
    assert {name: (each.state, each.exit) for name, each in held.steps.items()} == {
        "done": ("ended", 0), "failed": ("ended", 4), "behind": ("running", None), "cut": ("lost", None),
        "unknown": ("never", None),
    }  # fmt: skip


def _files(folder: Path) -> set[tuple[str, int]]:
    found = set()
    for path in folder.rglob("*"):
        with contextlib.suppress(FileNotFoundError):
            if path.is_file() and "waits" not in str(path):
                found.add((str(path), path.stat().st_size))
    return found


@pytest.mark.parametrize(
    "options", [{"pattern": "never"}, {"file": "/never"}, {"port": 1}, {"idle": "own"}], ids=str
)
def test_a_lost_background_step_loses_the_wait(open_box: Box, options: dict[str, object]) -> None:
    open_box.run("sleep 100", background=True, step="b")
    running = open_box.waiting(timeout=30, **options)
    os.kill(int(open_box.tmux("display-message", "-p", "#{pid}")), signal.SIGKILL)
    with pytest.raises(TrainError) as caught:
        running.result()
    assert caught.value.code in ("lost", "session_gone")


def test_no_sessions_is_an_answer(box: Box, capsys: pytest.CaptureFixture[str]) -> None:
    assert box.call(cli.list_, host=["local"]) == []
    display.show_list([])
    printed = capsys.readouterr()
    assert printed.out == "" and "No sessions. Open one: train tmux open" in printed.err


def test_a_question_is_told_once_though_two_signs_of_it_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    live = SimpleNamespace(name="w", job="", host=SimpleNamespace(spec="local"))
    output = SimpleNamespace(unfinished=lambda: ("Really install?", False))
    request = SimpleNamespace(emit=lambda kind, **data: told.append(data["message"]))
    prompts = Prompts(live, "2", output, request)  # type: ignore[arg-type]
    monkeypatch.setattr("trainsh_tmux.step.prompts.QUIET", 0.0)
    for _ in range(2):
        prompts.printed(b"Really install?")
        prompts.look()
        prompts.reads()
    assert len(told) == 1
    prompts.printed(b"no\n")
    prompts.reads()
    assert len(told) == 2, "the same question again is another one"
