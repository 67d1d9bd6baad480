"""The function by which child processes are run to their end."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from trainsh_base import errors
from trainsh_base.errors import Terminated
from trainsh_base.request import Request, serve_in_this_thread
from trainsh_base.system import proc
from trainsh_base.testing import DEADLINE


def test_what_a_child_left_is_the_answer() -> None:
    done = proc.run(["sh", "-c", "cat; echo err >&2; exit 3"], input=b"in\n\n", check=False)
    assert (done.status, done.stdout, done.stderr) == (3, b"in\n\n", b"err\n")
    assert done.text() == "in"


def test_without_input_a_child_reads_nothing() -> None:
    assert proc.run(["cat"], timeout=DEADLINE).stdout == b""


def test_megabytes_both_ways_do_not_block() -> None:
    data = b"x" * (4 << 20)
    assert proc.run(["cat"], input=data, timeout=DEADLINE).stdout == data


def test_a_failure_has_the_words_the_status_and_both_ends() -> None:
    with pytest.raises(proc.ProcessFailed, match="sh ended with status 4: the reason") as caught:
        proc.run(["sh", "-c", "echo out; echo first >&2; echo the reason >&2; exit 4"])
    assert caught.value.data["status"] == 4 and caught.value.data["stdout"] == "out\n"
    assert caught.value.data["argv"][0] == "sh" and caught.value.exit_status == 7


def test_a_signal_is_a_negative_status() -> None:
    assert proc.run(["sh", "-c", "kill -15 $$"], check=False).status == -15


def test_the_tails_are_bounded() -> None:
    with pytest.raises(proc.ProcessFailed) as caught:
        proc.run([sys.executable, "-c", "import sys; print('x' * 100000); sys.exit(1)"])
    assert len(caught.value.data["stdout"]) == proc.TAIL


def test_a_missing_program_names_the_words_that_install_it() -> None:
    with pytest.raises(errors.MissingProgram, match="no-such-program is not installed") as caught:
        proc.run(["no-such-program"])
    assert "install" in caught.value.hint and caught.value.data == {"program": "no-such-program"}


def test_a_missing_folder_is_told_from_a_missing_program(tmp_path: Path) -> None:
    with pytest.raises(errors.UsageError, match="no such folder"):
        proc.run(["true"], cwd=tmp_path / "none")


def test_a_file_that_cannot_run_is_an_error_that_says_so(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("x")
    with pytest.raises(errors.TrainError, match=r"cannot run .*plain: Permission denied"):
        proc.run([str(tmp_path / "plain")])


def test_time_that_runs_out_ends_the_child(tmp_path: Path) -> None:
    with pytest.raises(errors.TimedOut, match=r"sleep did not end within 0\.1 seconds"):
        proc.run(["sleep", "60"], timeout=0.1)


@pytest.mark.parametrize(
    "script", ["exec sleep 60", "trap '' TERM; while :; do sleep 0.05; done"], ids=["mild", "deaf"]
)
def test_a_cancelled_request_ends_its_child(script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proc, "KILL_AFTER", 0.2)
    request = Request()
    threading.Timer(0.2, request.cancel).start()
    serve_in_this_thread(request)
    begun = time.monotonic()
    with pytest.raises(errors.Cancelled):
        proc.run(["sh", "-c", script])
    serve_in_this_thread(Request())
    assert time.monotonic() - begun < DEADLINE


def test_a_finished_child_leaves_nothing_to_cancel() -> None:
    request = Request()
    serve_in_this_thread(request)
    for _ in range(3):
        proc.run(["true"])
    assert request._callbacks == []
    serve_in_this_thread(Request())


def test_a_signal_during_a_start_waits_and_the_child_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[subprocess.Popen[bytes]] = []
    real = proc._start

    def slow(*words: Any) -> subprocess.Popen[bytes]:
        started.append(real(*words))
        os.kill(os.getpid(), signal.SIGTERM)
        return started[0]

    def handler(number: int, frame: object) -> None:
        raise Terminated(128 + number)

    before = signal.signal(signal.SIGTERM, handler)
    monkeypatch.setattr(proc, "_start", slow)
    try:
        with pytest.raises(Terminated):
            proc.run(["sleep", "60"])
    finally:
        signal.signal(signal.SIGTERM, before)
    assert started[0].wait(DEADLINE) == -signal.SIGKILL
