"""Programs call train-recipe: `run` over JSON-RPC, its events, and cancelling."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from trainsh_base.errors import Cancelled
from trainsh_base.tool.peer import Peer

if TYPE_CHECKING:
    from conftest import Place

HEAD = "host h = local\ntmux.open @h as w\n"


@pytest.fixture
def peer(place: "Place", monkeypatch: pytest.MonkeyPatch) -> Any:
    """A `train-recipe serve` in the place."""
    for name in list(os.environ):
        monkeypatch.delenv(name)
    for name, value in place.env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(place.work)
    made = Peer("recipe")
    yield made
    made.close()


def test_a_run_answers_with_the_job_and_sends_its_events(place: "Place", peer: Peer) -> None:
    seen: list[dict[str, Any]] = []
    path = place.recipe(HEAD + "@w > echo hello\n")
    report = peer.request("run", {"name": path}, on_event=seen.append, timeout=60)
    assert report["state"] == "ok"
    kinds = [event["kind"] for event in seen]
    assert kinds.count("step.finished") == 2 and kinds[-1] == "job.finished"
    assert any(event["kind"] == "output" and "hello" in event["data"] for event in seen)


@pytest.mark.parametrize(
    "text", ["@w > sleep 30; echo late >> ran\n", "sleep 30\n", "wait @w file=/nope timeout=1m\n"]
)
def test_a_cancelled_request_leaves_the_job(place: "Place", peer: Peer, text: str) -> None:
    pending = peer.start("run", {"name": place.recipe(HEAD + text)})
    place.started("2")
    pending.cancel()
    with pytest.raises(Cancelled) as caught:
        pending.result(60)
    assert caught.value.data["result"]["state"] == "interrupted"
    assert place.json("status")[0]["state"] == "interrupted"


@pytest.mark.parametrize("place_of", ["pause", "finally"])
def test_a_cancel_between_two_attempts_or_in_finally_is_not_lost(place: "Place", peer: Peer, place_of: str) -> None:
    texts = {
        "pause": "@w retry=5 retry_delay=1m > echo try >> ran; false\nfinally\n@w > echo f >> ran\n",
        "finally": "@w > true\nfinally\nsleep 30\n@w > echo f >> ran\n",
    }
    pending = peer.start("run", {"name": place.recipe(HEAD + texts[place_of])})
    if place_of == "pause":
        place.finished("2")
    else:
        place.started("3")
    ran = place.lines()
    pending.cancel()
    with pytest.raises(Cancelled) as caught:
        pending.result(60)
    assert caught.value.data["result"]["state"] == "interrupted"
    assert place.lines() == ran
    assert place.json("status")[0]["state"] == "interrupted"


def test_a_resumed_job_runs_in_its_folder_and_the_server_stays_where_it_is(place: "Place", peer: Peer) -> None:
    (place.work / "sub").mkdir()
    path = place.recipe(HEAD + "@w > echo here >> ran; [ -e go ]\n")
    assert place.run("run", path).returncode == 1
    (place.work / "go").touch()
    os.chdir(place.work / "sub")
    moved = Peer("recipe")
    assert moved.request("resume", {}, timeout=60)["state"] == "ok"
    assert Path(f"/proc/{moved.pid}/cwd").readlink() == place.work / "sub"
    assert place.lines() == ["here", "here"]
    moved.close()


def test_two_jobs_run_side_by_side_and_a_failing_one_is_no_error(place: "Place", peer: Peer) -> None:
    first = peer.start("run", {"name": place.recipe(HEAD + "@w > until [ -e go ]; do sleep 0.05; done\n", "a")})
    second = peer.request("run", {"name": place.recipe(HEAD + "@w > touch go; false\n", "b")}, timeout=60)
    assert (second["state"], first.result(60)["state"]) == ("failed", "ok")
