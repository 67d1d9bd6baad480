"""Another program may answer anything: each wrong answer is one typed error, nothing waits forever, and the server
survives.
"""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainsh_base.errors import TrainError, from_document
from trainsh_base.system.bad_answer import BadAnswer
from trainsh_base.testing import DEADLINE
from trainsh_base.tool import peer as peer_module
from trainsh_base.tool.peer import Peer, PeerLost, call

EXAMPLE = Path(__file__).with_name("example_tool.py")
ANSWER = '{"jsonrpc":"2.0","id":1,%s}'


@pytest.fixture
def tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file with what `train-odd` prints after it has read a line.

    Then train-odd waits for the end of its input.
    """
    program, said = tmp_path / "train-odd", tmp_path / "said"
    program.write_text(f'#!/bin/sh\nread -r line\ncat "{said}"\ncat >/dev/null\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    return said


@pytest.fixture
def odd(tool: Path) -> Iterator[Peer]:
    one = Peer("odd")
    yield one
    one.close()


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(ANSWER % '"error":"x"', id="an error that is text"),
        pytest.param(ANSWER % '"error":[1]', id="an error that is a list"),
        pytest.param(ANSWER % '"ok":1', id="neither result nor error"),
        pytest.param('{"id":1,"result":' + "[" * 200_000 + "]" * 200_000 + "}", id="deep nesting"),
        pytest.param('{"id":1,"result":"\udcff"}', id="not UTF-8"),
        pytest.param('{"id":1,"result":"cut', id="cut"),
    ],
)
def test_a_malformed_answer_is_one_typed_error(tool: Path, odd: Peer, said: str) -> None:
    tool.write_bytes(said.encode(errors="surrogateescape") + b"\n")
    with pytest.raises(BadAnswer) as caught:
        odd.request("verb", timeout=DEADLINE)
    assert (caught.value.code, caught.value.exit_status) == ("bad_answer", 7)


@pytest.mark.parametrize(
    ("error", "code", "status"),
    [
        ({"code": 1, "message": "m", "data": {"exit": [1], "message": "m", "code": "c"}}, "c", 1),
        ({"code": 1, "message": "m", "data": {"exit": 5, "message": ["m"], "code": 7, "data": "x"}}, "conflict", 5),
        ({"code": 1, "message": "m", "data": "text"}, "rpc", 2),
        ({"code": 1, "message": 5, "data": {}}, "rpc", 2),
        ({"message": "m", "data": {"message": "m", "exit": 10**30}}, "failed", 1),
    ],
)
def test_fields_of_the_wrong_type_count_as_missing(
    tool: Path, odd: Peer, error: Any, code: str, status: int
) -> None:
    tool.write_text(ANSWER % f'"error":{json.dumps(error)}' + "\n")
    with pytest.raises(TrainError) as caught:
        odd.request("verb", timeout=DEADLINE)
    assert (caught.value.code, caught.value.exit_status) == (code, status)
    assert isinstance(caught.value.message, str) and isinstance(caught.value.data, dict)


def test_a_line_without_an_end_is_refused_and_the_tool_ended(tool: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peer_module, "LONGEST", 1 << 16)
    odd = Peer("odd")
    tool.write_text('{"id":1,"result":"' + "x" * (1 << 17))
    with pytest.raises(BadAnswer, match="a line of more than"):
        odd.request("verb", timeout=DEADLINE)
    with pytest.raises(PeerLost):
        odd.request("verb", timeout=DEADLINE)
    odd.close()


def test_every_request_that_waits_is_settled(tool: Path, odd: Peer) -> None:
    tool.write_text('{"garbage\n')
    first, second = odd.start("one"), odd.start("two")
    for pending in (first, second):
        with pytest.raises(BadAnswer):
            pending.result(DEADLINE)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("printf '{\"a\": \"\\377\"}'", BadAnswer), ("printf nonsense", BadAnswer),
        ("kill -9 $$", PeerLost), ("echo '{\"error\": {\"exit\": [1], \"data\": \"x\"}}' >&2; exit 3", TrainError),
        ("printf '\\377{' >&2; exit 4", TrainError),
    ],
)  # fmt: skip
def test_a_one_shot_call_is_held_to_the_same(tool: Path, body: str, kind: type[TrainError]) -> None:
    (tool.parent / "train-odd").write_text(f"#!/bin/sh\n{body}\n")
    with pytest.raises(kind) as caught:
        call("odd", "verb", timeout=60.0)
    assert caught.value.exit_status != 70


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
DOCUMENTS = JSON | st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("code", "message", "hint", "exit", "data"), JSON)
)


@given(DOCUMENTS)
def test_any_document_makes_an_error_that_can_be_told(document: Any) -> None:
    error = from_document(document)
    json.dumps(error.document())
    assert error.message and isinstance(error.data, dict)


MESSAGES = st.fixed_dictionaries(
    {},
    optional={
        "jsonrpc": st.just("2.0") | JSON,
        "id": st.integers(0, 3) | st.sampled_from(["ask-1", "ask-\u00b2", True, 1.5]) | JSON,
        "method": st.sampled_from(["echo", "fail", "schema", "$/cancel", "ask", "event"]) | JSON,
        "params": st.fixed_dictionaries({}, optional={"word": JSON, "id": JSON, "kind": JSON, "request": JSON})
        | JSON,
        "result": JSON,
        "error": JSON,
    },
)
LINES = st.lists(MESSAGES.map(lambda each: json.dumps(each).encode()) | st.binary(max_size=30), max_size=25)


@settings(max_examples=15, deadline=None)
@given(LINES)
def test_serve_lives_through_any_input_and_answers_the_next_request(lines: list[bytes]) -> None:
    last = b'{"jsonrpc":"2.0","id":"last","method":"echo","params":{"word":"alive"}}'
    whole = b"".join(line.replace(b"\n", b"") + b"\n" for line in [*lines, last])
    done = subprocess.run(
        [sys.executable, str(EXAMPLE), "serve"], input=whole, capture_output=True, timeout=DEADLINE * 3, check=False,
        env={**os.environ, "TRAINSH_HOME": "/nonexistent/home"},
    )  # fmt: skip
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [each["result"]["word"] for each in answers if each.get("id") == "last"] == ["alive"]
    codes = [each["error"]["data"]["code"] for each in answers if "data" in each.get("error", {})]
    assert "bug" not in codes
    assert b"Traceback" not in done.stderr


def test_two_threads_that_wait_for_one_child_both_hear_its_status(tool: Path) -> None:
    from trainsh_base.system import spawn

    for _ in range(20):
        child = spawn.start(["sh", "-c", "exit 7"])
        heard: list[int] = []
        threads = [
            threading.Thread(target=lambda child=child, heard=heard: heard.append(child.wait())) for _ in "ab"
        ]
        for thread in threads:
            thread.start()
        child.poll()
        for thread in threads:
            thread.join(DEADLINE)
        assert heard == [7, 7]
        child.close_stdin()
        os.close(child.stdout)


def test_an_end_that_somebody_else_collected_is_no_success(tool: Path) -> None:
    from trainsh_base.system import spawn

    child = spawn.start(["true"])
    os.waitpid(child.pid, 0)
    assert child.poll() == child.wait() == spawn.UNKNOWN != 0
    child.close_stdin()
    os.close(child.stdout)


def test_a_caller_that_ignores_its_children_does_not_make_failures_successes() -> None:
    words = [sys.executable, str(EXAMPLE), "process", "exit 3", "--json"]
    code = (
        "import os, signal, sys; signal.signal(signal.SIGCHLD, signal.SIG_IGN); os.execv(sys.argv[1], sys.argv[1:])"
    )
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, check=False)
    assert json.loads(done.stderr)["error"]["data"]["status"] == 3
