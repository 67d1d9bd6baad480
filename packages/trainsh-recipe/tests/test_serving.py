"""train-recipe as a program's partner: `run` over JSON-RPC, its events, its cancelling."""

import os
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
    assert report["status"] == "ok"
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
        pending.result(20)
    assert caught.value.data["result"]["status"] == "interrupted"
    assert place.json("status")[0]["status"] == "interrupted"


def test_two_jobs_run_side_by_side_and_a_failing_one_is_no_error(place: "Place", peer: Peer) -> None:
    first = peer.start("run", {"name": place.recipe(HEAD + "@w > until [ -e go ]; do sleep 0.05; done\n", "a")})
    second = peer.request("run", {"name": place.recipe(HEAD + "@w > touch go; false\n", "b")}, timeout=60)
    assert (second["status"], first.result(60)["status"]) == ("failed", "ok")
