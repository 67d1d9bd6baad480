"""What a person or a pipe gets: exit statuses, streams and errors, but never a traceback."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from trainsh_base.errors import TrainError, not_utf8
from trainsh_base.testing import DEADLINE, Terminal
from trainsh_base.tool.faces.bug_reports import as_failure

EXAMPLE = [sys.executable, str(Path(__file__).with_name("example_tool.py"))]
Run = Callable[..., subprocess.CompletedProcess[bytes]]


def shell(script: str, *more: str) -> subprocess.CompletedProcess[bytes]:
    """Run a shell script in which "$@" is the example tool."""
    return subprocess.run(
        ["bash", "-c", script, "bash", *EXAMPLE, *more], capture_output=True, timeout=60, check=False
    )


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("TrainError", 1), ("UsageError", 2), ("NotFound", 3), ("CredentialError", 4), ("Conflict", 5),
        ("TimedOut", 6), ("RemoteError", 7), ("Unreachable", 8), ("MissingProgram", 9), ("Cancelled", 130),
    ],
)  # fmt: skip
def test_each_error_has_its_exit_status_in_each_face(example: Run, kind: str, status: int) -> None:
    for words in ([], ["--json"], ["--jsonl"]):
        done = example("fail", kind, *words)
        assert done.returncode == status
        text = done.stdout if words == ["--jsonl"] else done.stderr
        if words:
            document = json.loads(text.splitlines()[-1])["error"]
            assert (document["message"], document["hint"], document["exit"]) == ("it broke", "try this", status)
            assert document["data"] == {"n": 1} and document["code"]
        if words != ["--jsonl"]:
            assert done.stdout == b""


def test_an_error_for_a_person_is_its_message_and_its_hint(example: Run) -> None:
    assert example("fail", "NotFound").stderr == b"error: it broke\n  try this\n"


def test_a_bug_is_70_with_a_report_and_no_traceback(example: Run, home: Path) -> None:
    done = example("bug")
    assert done.returncode == 70
    assert done.stderr.startswith(b"error: train-example: internal error: ZeroDivisionError: oops\n")
    assert b"Traceback" not in done.stderr
    (report,) = (home / "state" / "reports").iterdir()
    assert str(report).encode() in done.stderr
    assert "Traceback" in report.read_text() and report.stat().st_mode & 0o777 == 0o600


def test_a_report_goes_to_tmp_when_the_home_takes_none(example: Run, home: Path, tmp_path: Path) -> None:
    home.write_text("a file where the folder would be")
    done = example("bug", env={**os.environ, "TMPDIR": str(tmp_path)})
    assert done.returncode == 70 and b"Traceback" not in done.stderr
    (report,) = tmp_path.glob("train-example-*.txt")
    assert str(report).encode() in done.stderr
    done = example("bug", env={**os.environ, "TMPDIR": "/nonexistent"})
    assert done.returncode == 70 and b"its report could not be saved" in done.stderr


def test_an_answer_that_is_not_json_is_a_bug_and_not_a_traceback(example: Run) -> None:
    done = example("strange", "--json")
    assert done.returncode == 70 and b"Traceback" not in done.stderr


def test_ctrl_c_is_130(home: Path) -> None:
    screen = Terminal([*EXAMPLE, "pause", "20"])
    screen.expect("waiting")
    screen.type("\x03")
    assert screen.wait() == 130
    assert "Traceback" not in screen.text


@pytest.mark.parametrize("when", [0.0, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.15])
def test_ctrl_c_while_it_starts_prints_no_traceback_of_ours(when: float) -> None:
    process = subprocess.Popen([*EXAMPLE, "pause", "20"], stderr=subprocess.PIPE)
    time.sleep(when)
    deadline = time.monotonic() + DEADLINE
    while process.poll() is None:  # before our first line runs, Python may lose a Ctrl-C
        assert time.monotonic() < deadline, "it ignores Ctrl-C"
        process.send_signal(signal.SIGINT)
        time.sleep(0.1)
    assert process.stderr
    said = process.stderr.read()
    process.stderr.close()
    assert process.returncode in (130, 1, -signal.SIGINT)  # the last two: Ctrl-C came before Python ran our code
    assert b"in _run" not in said and b"in _invoke" not in said


def test_who_ignores_ctrl_c_goes_on_to() -> None:
    done = shell("trap '' INT; \"$@\" & sleep 0.5; kill -INT $!; wait $!", "pause", "1")
    assert (done.returncode, done.stdout) == (0, b"rested\n")


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)], ids=["TERM", "HUP"])
def test_a_signal_ends_it_with_128_and_its_number_and_lets_go(number: int, status: int, tmp_path: Path) -> None:
    mark = tmp_path / "closed"
    process = subprocess.Popen(
        [*EXAMPLE, "pause", "20"], stderr=subprocess.PIPE, env={**os.environ, "EXAMPLE_CLOSED": str(mark)}
    )
    assert process.stderr and process.stderr.readline() == b"waiting\n"
    process.send_signal(number)
    assert process.wait(DEADLINE) == status
    assert process.stderr.read() == b""
    assert mark.read_text() == "closed\n"


ENDED = """
import os, signal
from trainsh_base.tool.declare import Tool
from trainsh_base.tool.program import run

def status(answer):
    os.kill(os.getpid(), signal.SIGTERM)
    return 0

tool = Tool("example", "rents")

@tool.command(status=status)
def rent() -> str:
    "Rent."
    return "rented 7"

run(tool)
"""


def buffered() -> dict[str, str]:
    """The environment of a person: without PYTHONUNBUFFERED, Python keeps what was printed until it is flushed."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}


LATER = ENDED.replace(
    "    os.kill(os.getpid(), signal.SIGTERM)\n    return 0",
    """    from trainsh_base.tool.faces import answering
    usual = answering.encode_text
    def late(document):
        answering.encode_text = usual
        os.kill(os.getpid(), signal.SIGTERM)
        return usual(document)
    answering.encode_text = late
    return 0""",
)


def test_the_answer_is_printed_although_a_signal_comes_while_it_is_made() -> None:
    words = [sys.executable, "-c", LATER, "rent", "--jsonl"]
    done = subprocess.run(words, env=buffered(), capture_output=True, timeout=60, check=False)
    assert (done.returncode, done.stdout.count(b"rented 7")) == (143, 1)


def test_the_answer_is_printed_although_a_signal_comes_first() -> None:
    words = [sys.executable, "-c", ENDED, "rent"]
    done = subprocess.run(words, env=buffered(), capture_output=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (143, b"rented 7\n", b"")


def test_a_closed_pipe_is_a_quiet_141() -> None:
    done = shell('"$@" | head -1; exit "${PIPESTATUS[0]}"', "rows", "--count", "100000")
    assert (done.returncode, done.stderr) == (141, b"")
    assert done.stdout.startswith(b"WORD")


def test_closed_standard_output_is_an_error_in_every_format() -> None:
    for words in ([], ["--json"], ["--jsonl"]):
        done = shell('"$@" >&-', "rows", *words)
        assert done.returncode == 1
        assert b"standard output is closed" in done.stderr and b"Traceback" not in done.stderr


def test_an_error_with_closed_standard_output_keeps_its_status() -> None:
    for words in ([], ["--json"], ["--jsonl"]):
        done = shell('"$@" >&-', "fail", "NotFound", *words)
        assert done.returncode == 3
        assert b"it broke" in done.stderr and b"Traceback" not in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_a_full_disk_is_an_error_and_not_a_traceback() -> None:
    done = shell('"$@" >/dev/full', "rows")
    assert done.returncode == 5
    assert b"No space left on device" in done.stderr and b"Traceback" not in done.stderr


def test_a_current_folder_that_was_removed_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    with pytest.raises(FileNotFoundError) as caught:
        Path.cwd()
    error = as_failure(caught.value, "train-x")
    assert (error.code, error.exit_status) == ("no_folder", 2) and "has been removed" in error.message


def test_all_streams_closed_still_runs() -> None:
    assert shell('"$@" <&- >&- 2>&-', "fail", "NotFound").returncode == 3
    assert shell('"$@" <&- 2>&-', "echo", "hi").stdout.startswith(b"word:")


def test_words_that_are_not_utf_8_are_told_in_every_format(example: Run) -> None:
    for words in ([], ["--json"], ["--jsonl"]):
        done = example("fail", "NotFound", "--message", b"bad \xff byte", *words)  # type: ignore[arg-type]
        assert done.returncode == 3 and b"Traceback" not in done.stderr
        assert rb"xff byte" in done.stdout + done.stderr


def test_text_that_is_not_utf_8_is_wrong_usage_with_the_place_shown() -> None:
    with pytest.raises(UnicodeEncodeError) as caught:
        ("line one\nNAME=bad " + b"\xff".decode(errors="surrogateescape") + " byte\nline three").encode()
    error = not_utf8(caught.value)
    assert (error.exit_status, error.message) == (2, "not UTF-8: NAME=bad \\xff byte")


def test_a_byte_that_is_not_utf_8_is_quoted_as_it_is_typed() -> None:
    name = b"b\xffd".decode(errors="surrogateescape")
    assert TrainError(f"not a name for a host: {name!r}").message == r"not a name for a host: 'b\xffd'"


def test_the_status_may_be_the_answers(example: Run) -> None:
    assert example("status", "7").returncode == 7
    assert example("status", "7", "--json").stdout == b"7\n"


def test_a_handover_becomes_the_program_with_its_environment(example: Run) -> None:
    script = "echo $GIVEN $PLAIN ${TAKEN-nothing}; exit 5"
    done = example("become", "sh", "-c", script, env={**os.environ, "TAKEN": "x"})
    assert (done.returncode, done.stdout) == (2, b"")  # -c is an option of our own, without --
    done = example("become", "--", "sh", "-c", script, env={**os.environ, "TAKEN": "x"})
    assert (done.returncode, done.stdout) == (5, b"hush seen nothing\n")
    shown = example("become", "--json", "--", "sh", "-c", script)
    assert json.loads(shown.stdout) == {
        "argv": ["sh", "-c", script], "env": {"GIVEN": "***", "PLAIN": "seen", "TAKEN": None},
    }  # fmt: skip


@pytest.mark.parametrize(("program", "status"), [("no-such-program", 9), ("/etc/passwd", 2)])
def test_a_handover_to_what_cannot_run_is_an_error(example: Run, program: str, status: int) -> None:
    done = example("become", program)
    assert done.returncode == status and b"Traceback" not in done.stderr
    assert program.encode() in done.stderr


def test_a_secret_in_an_answer_is_masked_in_every_format(example: Run) -> None:
    for words in ([], ["--json"], ["--jsonl"]):
        done = example("hidden", *words)
        assert b"***" in done.stdout and b"hush" not in done.stdout + done.stderr


def test_a_child_ends_with_the_tool(tmp_path: Path) -> None:
    mark = tmp_path / "pid"
    for way in ("spawn", "proc"):
        process = subprocess.Popen([*EXAMPLE, "child", way, "--mark", str(mark)])
        pid = wait_for_pid(mark)
        process.send_signal(signal.SIGTERM)
        assert process.wait(DEADLINE) == 143
        wait_until_gone(pid)
        mark.unlink()


def wait_for_pid(mark: Path) -> int:
    deadline = time.monotonic() + DEADLINE
    while not mark.exists():
        assert time.monotonic() < deadline, "the child did not start"
        time.sleep(0.01)
    return int(mark.read_text())


def wait_until_gone(pid: int) -> None:
    """Wait until the process has ended. A zombie counts as ended."""
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
            stat = Path(f"/proc/{pid}/stat")
            if stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z":
                return
        except (ProcessLookupError, FileNotFoundError):
            return
        time.sleep(0.01)
    raise AssertionError(f"process {pid} still runs")
