"""The client's side: a running `serve` of a tool, and single calls. Some of the tools misbehave."""

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from trainsh_base import errors
from trainsh_base.system import spawn
from trainsh_base.testing import DEADLINE
from trainsh_base.tool.peer import Peer, PeerLost, call

EXAMPLE = Path(__file__).with_name("example_tool.py")


def install(folder: Path, name: str, text: str) -> Path:
    """Write a program into a folder."""
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(text)
    path.chmod(0o755)
    return path


@pytest.fixture(autouse=True)
def on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder at the front of PATH. It has train-example."""
    folder = tmp_path / "bin"
    install(folder, "train-example", f'#!/bin/sh\nexec {sys.executable} {EXAMPLE} "$@"\n')
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return folder


@pytest.fixture
def peer() -> Iterator[Peer]:
    one = Peer("example")
    yield one
    one.close()


def test_a_request_is_answered_with_json(peer: Peer) -> None:
    assert peer.request("echo", {"word": "hi"}, timeout=DEADLINE)["word"] == "hi"


def test_errors_come_back_as_their_classes(peer: Peer) -> None:
    for name in ("Conflict", "Unreachable", "UsageError", "NotFound", "CredentialError"):
        with pytest.raises(getattr(errors, name), match="it broke") as caught:
            peer.request("fail", {"kind": name}, timeout=DEADLINE)
        assert type(caught.value).__name__ == name
        assert (caught.value.hint, caught.value.data) == ("try this", {"n": 1})


@pytest.mark.parametrize(("method", "params"), [("ecko", {}), ("echo", {}), ("echo", {"word": 1})])
def test_wrong_usage_is_exit_2(peer: Peer, method: str, params: dict[str, Any]) -> None:
    with pytest.raises(errors.UsageError):
        peer.request(method, params, timeout=DEADLINE)


def test_requests_from_many_threads_get_their_own_answers(peer: Peer) -> None:
    answers: dict[int, str] = {}

    def ask(number: int) -> None:
        answers[number] = peer.request("echo", {"word": f"w{number}"}, timeout=DEADLINE)["word"]

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE)
    assert answers == {number: f"w{number}" for number in range(50)}


def test_events_reach_their_request(peer: Peer) -> None:
    events: list[str] = []
    assert peer.request("events", on_event=lambda event: events.append(event["kind"]), timeout=DEADLINE) == "done"
    assert events == ["progress", "log", "output"]


def test_what_on_event_raises_is_raised_to_the_caller_and_the_peer_lives(peer: Peer) -> None:
    def refuse(_event: dict[str, Any]) -> None:
        raise ValueError("the caller's own")

    with pytest.raises(ValueError, match="the caller's own"):
        peer.request("events", on_event=refuse, timeout=DEADLINE)
    assert peer.request("echo", {"word": "x"}, timeout=DEADLINE)["word"] == "x"


def test_questions_are_answered_by_whoever_asked(peer: Peer) -> None:
    answer = peer.request(
        "question", {"kind": "choose"}, on_ask=lambda asked: asked["choices"][1], timeout=DEADLINE
    )
    assert answer == "blue"


def test_a_question_to_nobody_is_exit_2_and_names_the_flag(peer: Peer) -> None:
    with pytest.raises(errors.UsageError, match="not interactive: pass --x") as caught:
        peer.request("question", {"kind": "confirm"}, timeout=DEADLINE)
    assert caught.value.data == {"flag": "--x"}


def test_a_refused_question_is_the_requests_error(peer: Peer) -> None:
    def refuse(_asked: dict[str, Any]) -> str:
        raise errors.Cancelled("the person said no")

    with pytest.raises(errors.Cancelled, match="the person said no"):
        peer.request("question", {"kind": "confirm"}, on_ask=refuse, timeout=DEADLINE)


def test_cancel_brings_the_error_back(peer: Peer) -> None:
    pending = peer.start("pause", {"seconds": DEADLINE})
    assert not pending.ready
    pending.cancel()
    with pytest.raises(errors.Cancelled):
        pending.result(DEADLINE)
    assert pending.ready


def test_a_timeout_is_the_callers(peer: Peer) -> None:
    pending = peer.start("pause", {"seconds": 2})
    with pytest.raises(errors.TimedOut, match="did not answer within"):
        pending.result(0.01)
    assert pending.result(DEADLINE) == "rested"


def test_a_tool_that_dies_fails_every_request_that_waits_and_those_after() -> None:
    peer = Peer("example")
    pending = [peer.start("pause", {"seconds": DEADLINE}) for _ in range(3)]
    os.kill(peer.pid, 9)
    for one in pending:
        with pytest.raises(PeerLost, match="train-example ended before it answered"):
            one.result(DEADLINE)
    with pytest.raises(PeerLost):
        peer.request("echo", {"word": "x"}, timeout=DEADLINE)
    peer.close()


def test_close_ends_the_tool_and_is_harmless_twice() -> None:
    peer = Peer("example")
    peer.request("echo", {"word": "x"}, timeout=DEADLINE)
    peer.close()
    peer.close()
    with pytest.raises(ProcessLookupError):
        os.kill(peer.pid, 0)


def test_close_kills_a_tool_that_does_not_end(on_path: Path) -> None:
    install(on_path, "train-stubborn", "#!/bin/sh\ntrap '' TERM\nwhile :; do sleep 0.05; done\n")
    peer = Peer("stubborn")
    peer.close(timeout=0.2)
    with pytest.raises(ProcessLookupError):
        os.kill(peer.pid, 0)


STRANGE = """#!{python}
import sys
for line in sys.stdin:
    print("not json")
    print("[1, 2]")
    print("3")
    print('{{"jsonrpc": "2.0", "method": "event", "params": [1]}}')
    print('{{"jsonrpc": "2.0", "method": "event", "params": {{"request": {{}}}}}}')
    print('{{"jsonrpc": "2.0", "id": [1], "result": 1}}')
    print('{{"jsonrpc": "2.0", "id": 99, "result": 1}}')
    print('{{"jsonrpc": "2.0", "id": 1, "result": "at last"}}', flush=True)
"""


def test_a_strangers_tool_may_say_anything_between(on_path: Path) -> None:
    install(on_path, "train-strange", STRANGE.format(python=sys.executable))
    peer = Peer("strange")
    assert peer.request("anything", timeout=DEADLINE) == "at last"
    peer.close()


def test_a_missing_tool_names_the_nearest() -> None:
    with pytest.raises(errors.MissingProgram, match="there is no program train-exampel on PATH") as caught:
        Peer("exampel")
    assert caught.value.hint == "did you mean example?"
    assert caught.value.data == {"tool": "exampel"}


def test_call_runs_once_and_answers_json() -> None:
    assert call("example", "echo", {"word": "hi", "times": 3}, timeout=60.0)["times"] == 3
    assert call("example", "rows", {"count": 2}, timeout=60.0)[1]["word"] == "word-1"


def test_call_has_a_limit() -> None:
    with pytest.raises(TypeError, match="timeout"):
        call("example", "echo", {"word": "hi"})  # type: ignore[call-arg]


def test_call_answers_also_where_the_status_means_something() -> None:
    assert call("example", "status", {"number": 7}, timeout=60.0) == 7


def test_call_raises_the_typed_error() -> None:
    with pytest.raises(errors.Conflict, match="it broke") as caught:
        call("example", "fail", {"kind": "Conflict"}, timeout=60.0)
    assert caught.value.data == {"n": 1}


@pytest.mark.parametrize(
    ("body", "kind", "said"),
    [
        pytest.param(
            "echo plain words >&2; exit 3", errors.NotFound, "ended with status 3: plain words", id="plain-stderr"
        ),
        pytest.param("exit 8", errors.Unreachable, "ended with status 8: it printed nothing", id="silent"),
        pytest.param("echo not json", errors.RemoteError, "did not answer with JSON", id="not-json"),
        pytest.param("exit 99", errors.TrainError, "ended with status 99", id="unknown-status"),
    ],
)
def test_call_of_a_strangers_tool(on_path: Path, body: str, kind: type[Exception], said: str) -> None:
    install(on_path, "train-odd", f"#!/bin/sh\ncat >/dev/null\n{body}\n")
    with pytest.raises(kind, match=said):
        call("odd", "anything", timeout=60.0)


def test_a_spawned_child_has_its_pipes_and_its_status() -> None:
    child = spawn.start(["cat"])
    os.write(child.stdin, b"hello")
    child.close_stdin()
    child.close_stdin()
    assert os.read(child.stdout, 100) == b"hello"
    assert child.wait() == 0
    assert child.poll() == 0
    os.close(child.stdout)


@pytest.mark.parametrize(("script", "status"), [("exit 7", 7), ("kill -9 $$", -9)])
def test_a_spawned_child_tells_its_status_or_signal(script: str, status: int) -> None:
    child = spawn.start(["sh", "-c", script])
    assert child.wait() == status
    child.close_stdin()
    os.close(child.stdout)


def test_spawn_of_what_is_not_there_leaves_no_open_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "train-folder").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path))
    before = len(list(Path("/dev/fd").iterdir()))
    for program in ("no-such-program", "train-folder", "/no/such/path"):
        with pytest.raises(FileNotFoundError):
            spawn.start([program])
    assert len(list(Path("/dev/fd").iterdir())) <= before  # fewer: what a test before has left was let go of


def test_a_child_holds_no_pipe_of_another() -> None:
    first = spawn.start(["cat"])
    second = spawn.start(["sleep", "60"])
    first.close_stdin()
    assert first.wait() == 0, "cat saw the end although another child runs"
    second.end()
    assert second.wait() == -15
    for child in (first, second):
        os.close(child.stdout)


def test_end_all_ends_what_runs_and_only_that() -> None:
    done = spawn.start(["true"])
    done.wait()
    children = [spawn.start(["sleep", "60"]) for _ in range(3)]
    spawn.end_all()
    wait_for(lambda: all(child.poll() is not None for child in children))
    assert [child.status for child in children] == [-15] * 3
    for child in [done, *children]:
        child.close_stdin()
        os.close(child.stdout)


def wait_for(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)
