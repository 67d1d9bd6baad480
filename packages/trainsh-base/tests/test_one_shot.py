"""A verb of a tool without `serve`: events, questions through `train ask`, errors, and cancelling."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from trainsh_base.errors import Cancelled, Conflict, TrainError, UsageError
from trainsh_base.system.bad_answer import BadAnswer
from trainsh_base.system.paths import runtime_home
from trainsh_base.testing import DEADLINE, Terminal
from trainsh_base.tool.one_shot import OneShot
from trainsh_base.tool.peer import PeerLost

ASK = str(Path(sys.executable).with_name("train-ask"))
Start = Callable[..., OneShot]


@pytest.fixture
def start(tmp_path: Path) -> Start:
    """Run a verb. Its program consists of these lines of sh."""

    def run(script: str, **more: Any) -> OneShot:
        program = tmp_path / "train-acme"
        program.write_text(f"#!/bin/sh\nset -eu\nask='{ASK}'\n{script}\n")
        program.chmod(0o755)
        return OneShot(str(program), "pick", {"host": "gpu"}, tmp_path / "errors", **more)

    return run


def test_it_has_progress_and_questions_like_a_serve(start: Start) -> None:
    seen: list[dict[str, Any]] = []
    asked: list[dict[str, Any]] = []

    def answer(params: dict[str, Any]) -> str:
        asked.append(params)
        return "b"

    script = """
input=$(cat)
echo '{"event": "progress", "done": 3, "total": 10, "message": "boot"}' >&"$TRAINSH_EVENTS"
echo 'no event' >&"$TRAINSH_EVENTS"
choice=$("$ask" choose 'Which machine?' a b c --default a --flag gpu=NAME)
printf '{"chose": "%s", "input": %s}' "$choice" "$input"
"""
    pending = start(script, on_event=seen.append, on_ask=answer)
    assert pending.result(DEADLINE) == {"chose": "b", "input": {"host": "gpu"}}
    assert seen == [{"kind": "progress", "done": 3, "total": 10, "message": "boot"}]
    assert asked == [
        {
            "kind": "choose",
            "message": "Which machine?",
            "choices": ["a", "b", "c"],
            "default": "a",
            "flag": "gpu=NAME",
        }
    ]
    assert pending.ready and not list(runtime_home().glob(f"ask-{os.getpid()}-*"))


def test_a_question_to_nobody_and_one_that_is_refused_are_errors_of_the_script(start: Start) -> None:
    script = 'cat >/dev/null; "$ask" confirm "Sure?" --flag --yes --json'
    with pytest.raises(UsageError, match="not interactive: pass --yes"):
        start(script).result(DEADLINE)

    def refuse(params: dict[str, Any]) -> str:
        raise Conflict("no time")

    with pytest.raises(Conflict, match="no time"):
        start(script, on_ask=refuse).result(DEADLINE)


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        ("echo not json", BadAnswer), ("kill -9 $$", PeerLost), ("echo gone >&2; exit 3", TrainError),
        ("echo '{\"error\": {\"exit\": 5, \"message\": \"m\"}}' >&2; exit 1", Conflict),
    ],
)  # fmt: skip
def test_its_end_is_a_typed_error(start: Start, script: str, kind: type[TrainError]) -> None:
    with pytest.raises(kind):
        start(f"cat >/dev/null; {script}").result(DEADLINE)


def test_cancel_is_heard_by_the_script(start: Start, tmp_path: Path) -> None:
    pending = start(
        f"trap 'touch {tmp_path}/undone; exit 1' TERM; touch {tmp_path}/begun; while :; do sleep 0.05; done"
    )
    deadline = time.monotonic() + DEADLINE
    while not (tmp_path / "begun").exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    pending.cancel()
    with pytest.raises(Cancelled):
        pending.result(DEADLINE)
    assert (tmp_path / "undone").exists()


def test_by_hand_it_asks_on_the_terminal_and_without_one_names_the_flag() -> None:
    screen = Terminal([ASK, "text", "Which name?"])
    screen.expect("Which name?")
    screen.type("ada\n")
    assert screen.wait() == 0 and screen.text.rstrip().endswith("ada")
    done = subprocess.run(
        [ASK, "text", "Which name?", "--flag", "--name", "--json"], input=b"", capture_output=True, check=False
    )
    assert done.returncode == 2
    assert json.loads(done.stderr)["error"]["message"] == "not interactive: pass --name"
