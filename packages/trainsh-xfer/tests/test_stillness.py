"""A transfer in which nothing moves says so within seconds."""

import time
from pathlib import Path
from typing import Any

import pytest

from trainsh_base.errors import TrainError, Unreachable
from trainsh_base.request import Request
from trainsh_xfer.engines import rclone, rclone_program
from trainsh_xfer.engines.rsync_output import Progress
from trainsh_xfer.model import Options, Order
from trainsh_xfer.pairs import stillness
from trainsh_xfer.pairs.attempts import reporter
from trainsh_xfer.pairs.stillness import watched
from trainsh_xfer.transfer import carry_out


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stillness, "QUIET", 1.0)
    monkeypatch.setattr(stillness, "LOOK_EVERY", 0.05)


def test_a_silent_service_is_told_and_ends_within_its_limit(
    silent: str, source: Path, request_: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s", "TRAINSH_S3_ENDPOINT": silent,
                        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    quick = ("--retries=1", "--low-level-retries=1", "--contimeout=3s", "--timeout=3s")
    monkeypatch.setattr(rclone, "PATIENCE", quick)
    monkeypatch.setattr(rclone_program, "LOOK_LIMIT", 1.0)
    with pytest.raises(Unreachable, match="does not answer"):
        carry_out(Order(source="s3:first/x/", destination=f"{source}/y", options=Options()), request_)
    with pytest.raises(TrainError) as caught:
        carry_out(Order(source=f"{source}/", destination="s3:first/x", options=Options()), request_)
    assert caught.value.code == "unreachable"
    said = [event["message"] for event in request_.of("log") if "nothing has moved" in event["message"]]
    assert said, request_.events
    assert said[0].startswith("s3:first -> this machine")
    assert said[-1].startswith("this machine -> s3:first")
    assert len(said) <= 13  # the time before each message is twice the time before


def test_what_moves_is_not_called_still(request_: Any) -> None:
    with watched(request_, "a -> b") as inner:
        report = reporter(inner, "rsync")
        for step in range(15):
            time.sleep(0.1)
            report(Progress(0, 100, "", 0, step))  # files are compared, and no byte is sent
        assert not request_.of("log")
        deadline = time.monotonic() + 60
        while not request_.of("log"):
            assert time.monotonic() < deadline
            time.sleep(0.1)
            report(Progress(0, 100, "", 0, 14))


def test_the_request_inside_is_cancelled_and_abandoned_with_the_one_outside() -> None:
    outer = Request()
    with watched(outer, "a -> b") as inner:
        outer.abandoned = True
        outer.cancel()
        assert inner.abandoned
        assert inner.cancelled.is_set()
