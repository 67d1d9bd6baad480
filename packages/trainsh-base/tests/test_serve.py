"""How programs call a tool: JSON-RPC 2.0 on a pair of pipes."""

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from trainsh_base.testing import DEADLINE

EXAMPLE = [sys.executable, str(Path(__file__).with_name("example_tool.py")), "serve"]


class Client:
    """A client that writes lines and reads messages. It knows nothing about the protocol."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            EXAMPLE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0
        )
        self.rest = b""
        self.seen: list[dict[str, Any]] = []

    def write(self, line: str | bytes) -> None:
        assert self.process.stdin
        self.process.stdin.write((line.encode() if isinstance(line, str) else line) + b"\n")

    def send(self, number: Any, method: str, **params: Any) -> None:
        self.write(json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params}))

    def read(self) -> dict[str, Any]:
        """Return the next message. Fail if no message comes in time."""
        assert self.process.stdout
        deadline = time.monotonic() + DEADLINE
        while b"\n" not in self.rest:
            assert time.monotonic() < deadline, f"no message came; before it: {self.seen}"
            if select.select([self.process.stdout], [], [], 0.2)[0]:
                data = os.read(self.process.stdout.fileno(), 1 << 20)
                assert data, "the server ended"
                self.rest += data
        line, _, self.rest = self.rest.partition(b"\n")
        message: dict[str, Any] = json.loads(line)
        self.seen.append(message)
        return message

    def answer(self, number: Any) -> dict[str, Any]:
        """Return the reply to request `number`. Messages that come before it are in `seen`."""
        while True:
            message = self.read()
            if message.get("id") == number and "method" not in message:
                return message

    def close(self) -> int:
        assert self.process.stdin
        self.process.stdin.close()
        return self.process.wait(DEADLINE)


@pytest.fixture
def client() -> Iterator[Client]:
    one = Client()
    yield one
    one.process.kill()
    one.process.wait()
    for pipe in (one.process.stdin, one.process.stdout, one.process.stderr):
        assert pipe
        pipe.close()


def test_a_request_is_answered_and_closed_stdin_is_the_end(client: Client) -> None:
    client.send(1, "echo", word="hi", times=2)
    reply = client.answer(1)
    assert reply["jsonrpc"] == "2.0"
    assert (reply["result"]["word"], reply["result"]["times"]) == ("hi", 2)
    assert client.close() == 0


@pytest.mark.parametrize(
    ("line", "number", "code"),
    [
        pytest.param("garbage", None, -32700, id="garbage"),
        pytest.param(b"\xff\xfe", None, -32700, id="bytes"),
        pytest.param('{"jsonrpc": "2.0", "id": 1', None, -32700, id="torn"),
        pytest.param("[]", None, -32600, id="batch"),
        pytest.param("3", None, -32600, id="number"),
        pytest.param('{"id": 1, "method": "echo"}', 1, -32600, id="no-version"),
        pytest.param('{"jsonrpc": "2.0", "id": 1}', 1, -32600, id="no-method"),
        pytest.param('{"jsonrpc": "2.0", "id": 1, "method": 5}', 1, -32600, id="method-number"),
        pytest.param('{"jsonrpc": "2.0", "id": [1], "method": "echo"}', None, -32600, id="id-list"),
        pytest.param('{"jsonrpc": "2.0", "id": true, "method": "echo"}', None, -32600, id="id-bool"),
        pytest.param('{"jsonrpc": "2.0", "id": 1, "method": "ecko"}', 1, -32601, id="unknown-method"),
        pytest.param(
            '{"jsonrpc": "2.0", "id": 1, "method": "echo", "params": ["hi"]}', 1, -32602, id="params-list"
        ),
        pytest.param('{"jsonrpc": "2.0", "id": "a", "method": "echo", "params": {}}', "a", -32602, id="missing"),
        pytest.param(
            '{"jsonrpc": "2.0", "id": 1, "method": "echo", "params": {"word": "a", "time": 1}}',
            1,
            -32602,
            id="unknown",
        ),
        pytest.param(
            '{"jsonrpc": "2.0", "id": 1, "method": "echo", "params": {"word": 5}}', 1, -32602, id="wrong-type"
        ),
    ],
)
def test_what_is_wrong_gets_the_standard_error_and_the_server_lives(
    client: Client, line: str | bytes, number: Any, code: int
) -> None:
    client.write(line)
    reply = client.read()
    assert (reply["id"], reply["error"]["code"]) == (number, code)
    client.send(9, "echo", word="still here")
    assert client.answer(9)["result"]["word"] == "still here"


@pytest.mark.parametrize(
    "line",
    [
        '{"jsonrpc": "2.0", "method": "$/cancel", "params": {"id": [1]}}',
        '{"jsonrpc": "2.0", "method": "$/cancel", "params": {"id": 77}}',
        '{"jsonrpc": "2.0", "method": "$/cancel"}',
        '{"jsonrpc": "2.0", "id": "ask-1", "result": "nobody asked"}',
        '{"jsonrpc": "2.0", "id": {}, "result": 1}',
        "",
        "   ",
    ],
)
def test_what_needs_no_answer_gets_none_and_does_no_harm(client: Client, line: str) -> None:
    client.write(line)
    client.send(9, "echo", word="still here")
    client.answer(9)
    assert len(client.seen) == 1


def test_a_notification_gets_no_reply(client: Client) -> None:
    client.write('{"jsonrpc": "2.0", "method": "echo", "params": {"word": "x"}}')
    client.send(2, "echo", word="y")
    client.answer(2)
    assert len(client.seen) == 1


def test_a_typed_error_carries_its_document(client: Client) -> None:
    client.send(1, "fail", kind="Conflict")
    error = client.answer(1)["error"]
    assert (error["code"], error["message"]) == (-32000, "it broke")
    assert error["data"] == {
        "code": "conflict",
        "message": "it broke",
        "hint": "try this",
        "exit": 5,
        "data": {"n": 1},
    }


def test_a_bug_is_reported_and_the_server_lives(client: Client, home: Path) -> None:
    for number in (1, 2):
        client.send(number, "bug")
        error = client.answer(number)["error"]
        assert error["data"]["exit"] == 70 and Path(error["data"]["data"]["report"]).exists()
    client.send(3, "strange")
    assert client.answer(3)["error"]["data"]["exit"] == 70
    assert len(list((home / "state" / "reports").iterdir())) == 3
    client.send(4, "echo", word="x")
    client.answer(4)


def test_requests_run_side_by_side(client: Client) -> None:
    client.send(1, "pause", seconds=DEADLINE)
    client.send(2, "echo", word="fast")
    client.answer(2)
    assert all(message.get("id") != 1 for message in client.seen)


def test_two_requests_with_one_id_are_refused(client: Client) -> None:
    client.send(1, "pause", seconds=DEADLINE)
    client.send(1, "echo", word="x")
    error = client.answer(1)["error"]
    assert error["code"] == -32600 and "still running" in error["message"]


def test_cancel_ends_one_request_and_no_other(client: Client) -> None:
    client.send(1, "pause", seconds=DEADLINE)
    client.send(2, "pause", seconds=0.3)
    client.write('{"jsonrpc": "2.0", "method": "$/cancel", "params": {"id": 1}}')
    error = client.answer(1)["error"]
    assert error["data"]["code"] == "cancelled" and error["data"]["exit"] == 130
    assert client.answer(2)["result"] == "rested"


@pytest.mark.parametrize("way", ["proc", "question"])
def test_cancel_reaches_a_request_that_waits_for_a_child_or_an_answer(
    client: Client, tmp_path: Path, way: str
) -> None:
    if way == "proc":
        client.send(1, "child", way="proc", mark=str(tmp_path / "pid"))
        wait_for((tmp_path / "pid").exists)
    else:
        client.send(1, "question", kind="confirm")
        assert client.read()["method"] == "ask"
    client.write('{"jsonrpc": "2.0", "method": "$/cancel", "params": {"id": 1}}')
    assert client.answer(1)["error"]["data"]["code"] == "cancelled"
    if way == "proc":
        wait_for(lambda: is_gone(int((tmp_path / "pid").read_text())))


def test_events_are_notifications_of_their_request(client: Client) -> None:
    client.send("e", "events")
    client.answer("e")
    events = [message["params"] for message in client.seen if message.get("method") == "event"]
    assert [(event["request"], event["kind"]) for event in events] == [
        ("e", "progress"), ("e", "log"), ("e", "output"),
    ]  # fmt: skip
    assert events[0]["done"] == 1024 and events[2]["data"] == "some output\n"
    assert all("id" not in message for message in client.seen if message.get("method") == "event")


def test_a_question_goes_to_the_client_and_its_answer_back(client: Client) -> None:
    client.send(1, "question", kind="choose", default="red")
    asked = client.read()
    assert asked["method"] == "ask"
    assert asked["params"] == {
        "request": 1, "kind": "choose", "message": "Well", "choices": ["red", "blue"], "default": "red",
        "flag": "--x",
    }  # fmt: skip
    client.write(json.dumps({"jsonrpc": "2.0", "id": asked["id"], "result": "blue"}))
    assert client.answer(1)["result"] == "blue"


def test_a_question_that_the_client_refuses_is_the_requests_error(client: Client) -> None:
    client.send(1, "question", kind="confirm")
    asked = client.read()
    client.write(
        json.dumps({"jsonrpc": "2.0", "id": asked["id"], "error": {"code": 1, "message": "nobody is here"}})
    )
    assert client.answer(1)["error"]["data"]["message"] == "nobody is here"


def test_a_stray_print_does_not_break_the_protocol(client: Client) -> None:
    client.send(1, "stray")
    assert client.answer(1)["result"] == "kept"
    assert len(client.seen) == 1
    client.close()
    assert client.process.stderr and client.process.stderr.read() == b"a stray print\na stray write\n"


def test_schema_is_a_method(client: Client) -> None:
    client.send(1, "schema")
    assert "echo" in client.answer(1)["result"]["commands"]


def test_words_that_are_not_utf_8_are_answered(client: Client) -> None:
    client.write(
        r'{"jsonrpc": "2.0", "id": 1, "method": "fail", "params": {"kind": "NotFound", "message": "\ud800"}}'
    )
    assert "error" in client.read()
    client.send(2, "echo", word="x")
    client.answer(2)


def test_a_megabyte_goes_both_ways(client: Client) -> None:
    word = "ä" * (1 << 20)
    client.send(1, "echo", word=word)
    assert client.answer(1)["result"]["word"] == word


@pytest.mark.parametrize("way", ["spawn", "proc"])
@pytest.mark.parametrize("end", ["closed", "TERM"])
def test_its_end_takes_the_children_along(client: Client, tmp_path: Path, way: str, end: str) -> None:
    client.send(1, "child", way=way, mark=str(tmp_path / "pid"))
    wait_for((tmp_path / "pid").exists)
    pid = int((tmp_path / "pid").read_text())
    assert not is_gone(pid)
    if end == "closed":
        assert client.close() == 0
    else:
        client.process.send_signal(signal.SIGTERM)
        assert client.process.wait(DEADLINE) == 143
    wait_for(lambda: is_gone(pid))


def test_a_signal_after_stdin_was_closed_does_not_keep_it_from_closing_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark, gate = tmp_path / "closed", tmp_path / "gate"
    monkeypatch.setenv("EXAMPLE_CLOSED", str(mark))
    monkeypatch.setenv("EXAMPLE_GATE", str(gate))
    for signals, closed in ((1, True), (2, False)):
        client = Client()
        client.send(1, "echo", word="hi")
        client.answer(1)
        assert client.process.stdin
        client.process.stdin.close()
        wait_for(gate.exists)  # it closes what is open
        client.process.send_signal(signal.SIGTERM)
        if signals == 2:  # a second signal ends it at once
            client.process.send_signal(signal.SIGHUP)
            assert client.process.wait(DEADLINE) in (129, 143)
        gate.unlink()
        client.process.wait(DEADLINE)
        assert mark.exists() == closed
        mark.unlink(missing_ok=True)


def test_closed_stdin_waits_for_what_runs_but_not_for_ever(client: Client) -> None:
    for number in range(5):
        client.send(number, "pause", seconds=60, deaf=True)
    while sum(message.get("method") == "event" for message in client.seen) < 5:
        client.read()
    client.send("q", "question", kind="confirm")
    while client.seen[-1].get("method") != "ask":
        client.read()
    assert client.close() == 0, "five requests that cannot be cancelled share one time of grace"


def wait_for(true: Any) -> None:
    deadline = time.monotonic() + DEADLINE
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


def is_gone(pid: int) -> bool:
    """Whether the process has ended. A zombie counts as ended."""
    try:
        os.kill(pid, 0)
        stat = Path(f"/proc/{pid}/stat")
        return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z"
    except (ProcessLookupError, FileNotFoundError):
        return True
