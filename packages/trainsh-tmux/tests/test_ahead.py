"""`prepare` opens a session ahead; the request `open` takes it, and if none comes, it is closed again."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from trainsh_world import wait_until

from tmux_box import Box
from trainsh_base.errors import MissingProgram
from trainsh_base.tool.peer import Peer
from trainsh_tmux.session import ahead, opening

PREPARE = {"host": "local", "session": "w", "job": "j1"}
OPEN = {"host": "local", "name": "w", "job": "j1"}
LIMIT = 60.0


@pytest.fixture
def peer(box: Box) -> Iterator[Peer]:
    """train-tmux, as a recipe runs it."""
    one = Peer("tmux")
    yield one
    one.close()


def sockets() -> list[str]:
    """The tmux servers that have not ended."""
    return [path.name for path in Path(os.environ["TMUX_TMPDIR"]).glob("tmux-*/*")]


def opened(folder: str) -> int:
    """How often the session's shell was started: each start writes one sentinel `r` into the log."""
    return b"".join(path.read_bytes() for path in Path(folder).glob("log.*")).count(b";r;")


@pytest.mark.parametrize("first", ["prepare", "open"])
def test_the_session_is_opened_once(peer: Peer, first: str) -> None:
    asked: dict[str, Callable[[], object]] = {
        "prepare": lambda: peer.start("prepare", PREPARE), "open": lambda: peer.start("open", OPEN),
    }  # fmt: skip
    second = "open" if first == "prepare" else "prepare"
    pending = {name: asked[name]() for name in (first, second)}
    session = pending["open"].result(LIMIT)  # type: ignore[attr-defined]
    assert session["fresh"] and session["name"] == "w" and pending["prepare"].result(LIMIT)["ready"]  # type: ignore[attr-defined]
    assert peer.request("run", {"session": "w", "job": "j1", "command": "(exit 3)"}, timeout=LIMIT)["exit"] == 3
    assert opened(session["folder"]) == 1
    peer.close()
    assert sockets() == ["train-j1"]  # it stays, since it was asked for


def test_nobody_asked_for_it(peer: Peer) -> None:
    assert peer.request("prepare", PREPARE, timeout=LIMIT)["ready"]
    assert sockets() == ["train-j1"]
    peer.close()
    wait_until(lambda: not sockets(), "the session is closed")


def test_the_client_ends_while_it_is_opened(peer: Peer) -> None:
    peer.start("prepare", PREPARE)
    wait_until(sockets, "the session's server starts")
    peer.close()
    wait_until(lambda: not sockets(), "the session is closed")


def test_another_session_was_meant(peer: Peer, box: Box, tmp_path: Path) -> None:
    assert peer.request("prepare", PREPARE, timeout=LIMIT)["ready"]
    session = peer.request("open", {**OPEN, "cwd": str(tmp_path)}, timeout=LIMIT)
    answer = {"session": "w", "job": "j1", "command": "pwd", "capture": True}
    assert session["fresh"] and peer.request("run", answer, timeout=LIMIT)["captured"] == str(tmp_path)


def test_a_session_that_is_closed_and_opened_again(peer: Peer) -> None:
    peer.request("prepare", PREPARE, timeout=LIMIT)
    for _ in range(2):
        assert peer.request("open", OPEN, timeout=LIMIT)["fresh"]
        assert peer.request("close", {"session": "w", "job": "j1"}, timeout=LIMIT)["done"] == "closed"


def test_why_it_could_not_be_opened_is_told_once_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise MissingProgram("there is no tmux on box", code="no_tmux")

    monkeypatch.setattr(opening, "open_session", refuse)
    live = SimpleNamespace(host=SimpleNamespace(spec="box"), job="j1", name="w")
    sessions = ahead.Ahead()
    sessions.open(live, "")  # type: ignore[arg-type]
    with pytest.raises(MissingProgram, match="no tmux"):
        sessions.take(live, fits=True)  # type: ignore[arg-type]
    assert sessions.take(live, fits=True) is None  # type: ignore[arg-type] # the next request tries it again
