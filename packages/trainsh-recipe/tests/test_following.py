"""How the uploaded checkpoints of a job are reported."""

from typing import Any

import pytest

from trainsh_base.errors import TrainError
from trainsh_recipe.store.state import State, StepState
from trainsh_recipe.ui import following

FOLLOWS = State(id="j", steps={"3": StepState(id="3", text="xfer.follow @gpu:/c @out:/c keep=3")})
ROW = {"source": "@gpu:/c", "destination": "@out:/c", "host": "gpu", "job": "j", "state": "following", "kept": 3}
SAFE = "@gpu:/c -> @out:/c: following, newest uploaded checkpoint ckpt-40, 2m 5s old"


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        pytest.param([{**ROW, "newest": "ckpt-40", "age": 125, "failed": ""}], [SAFE], id="safe"),
        pytest.param(
            [{**ROW, "newest": None, "age": None, "failed": "access denied"}],
            ["@gpu:/c -> @out:/c: following, no checkpoint is uploaded yet; access denied"],
            id="none",
        ),
        pytest.param(
            TrainError("no answer"),
            ["xfer.follow: unreachable, no checkpoint is uploaded yet; no answer"],
            id="silent",
        ),
        pytest.param(
            [{"state": 7}],
            ["xfer.follow: unreachable, no checkpoint is uploaded yet; a malformed answer from train-xfer"],
            id="malformed",
        ),
        pytest.param([], [], id="ended"),
    ],
)
def test_checkpoints_are_told(monkeypatch: pytest.MonkeyPatch, answer: Any, told: list[str]) -> None:
    def call(*_: object, **__: object) -> Any:
        if isinstance(answer, Exception):
            raise answer
        return answer

    # the real function needs a host, a storage and a pump; xfer tests it
    monkeypatch.setattr(following, "call", call)
    assert [following.told(row) for row in following.checkpoints(FOLLOWS)] == told


def test_a_job_that_follows_nothing_asks_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "call", None)
    assert following.checkpoints(State(steps={"1": StepState(id="1", text="@work > xfer.follow")})) == []
