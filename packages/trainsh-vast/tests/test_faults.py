"""Tests what the user sees for every fault of the sandbox, and that no error contains the API key."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from trainsh_base.errors import (
    Conflict,
    CredentialError,
    NotFound,
    RemoteError,
    TimedOut,
    TrainError,
    Unreachable,
    UsageError,
)
from vast_cloud import Cloud, call, until


class Case(NamedTuple):
    """A case: `faults` strike when `command` is called.

    `seen` is the error, with words of its message and its hint, or it is a test of the answer. `before` says which
    instance the account has: a running one, a stopped one, a fresh one (which still boots), or none.
    """

    faults: str
    command: str
    seen: tuple[type[TrainError], str, str] | Callable[[Any], bool]
    before: str = ""
    values: dict[str, Any] = {}  # noqa: RUF012 - a NamedTuple's default
    after: Callable[[Cloud, int], bool] | None = None


def rented(count: int) -> Callable[[Cloud, int], bool]:
    return lambda cloud, _: len(cloud.rows()) == count


def intends(state: str) -> Callable[[Cloud, int], bool]:
    return lambda cloud, number: (cloud.one(number) or {})["intended_status"] == state


def ready(answer: Any) -> bool:
    return "is ready: root@127.0.0.1:" in answer.message


STOPPED = lambda answer: answer.instance.state == "stopped"  # noqa: E731
ONE = lambda answer: len(answer) == 1  # noqa: E731
MADE = lambda answer: answer.instance.id == answer.id  # noqa: E731
FAST = {"poll": 0.1, "timeout": 60}
SHORT = {"poll": 0.1, "timeout": 1}

CASES = [
    # Requests
    Case("http-429=3x", "list", ONE, "running"),
    Case("http-429-json=2x", "list", ONE, "running"),
    Case("http-429-detail=2x", "list", ONE, "running"),
    Case("http-429-wait=1x", "list", ONE, "running"),
    Case("http-429=on", "list", (RemoteError, "too many requests", "try again"), "running"),
    Case("http-502=2x", "list", ONE, "running"),
    Case("http-502=on", "list", (RemoteError, "Vast.ai failed", "try again"), "running"),
    Case("http-500=1x", "list", (RemoteError, "Vast.ai failed: internal error", "try again"), "running"),
    Case("no-answer=2x", "list", ONE, "running"),
    Case("no-answer=on", "list", (Unreachable, "cannot reach http://127.0.0.1", "check the network"), "running"),
    Case("truncated=1x", "list", (RemoteError, "cut off or not JSON", "try again"), "running"),
    Case("charset=on", "list", ONE, "running"),
    Case("slow=0.3s", "list", ONE, "running"),
    Case("quota=1x", "search", (RemoteError, "number of searches is used up", "allowed again")),
    Case("key-revoked=on", "list", (CredentialError, "refuses the API key", "train secrets set VAST_API_KEY")),
    Case("key-revoked=on bad-key-401=on", "show", (CredentialError, "refuses the API key", "VAST_API_KEY"), "running"),
    # Renting
    Case("offer-taken=400", "create", (Conflict, "the offer is gone", "train vast search"), after=rented(0)),
    Case("offer-taken=404", "create", (Conflict, "the offer is gone", "train vast search"), after=rented(0)),
    Case("offer-taken=410", "create", (Conflict, "the offer is gone", "train vast search"), after=rented(0)),
    Case("no-credit=1x", "create", (Conflict, "lacks credit", "add credit"), after=rented(0)),
    Case("spend-limit=1x", "create", (Conflict, "limited amount", "support"), after=rented(0)),
    Case("no-capacity=1x", "create", (Conflict, "the offer is gone", "train vast search"), after=rented(0)),
    Case("create-lost=1x", "create", MADE, after=rented(1)),
    Case("create-lost=1x not-listed=1s", "create", MADE, after=rented(1)),
    Case("create-slow=2s", "create", MADE, after=rented(1)),
    Case("http-429=3x", "create", MADE, after=rented(1)),
    Case("http-502=1x", "create", (RemoteError, "not known whether", "train vast list"), "", {"label": "own"}, rented(0)),
    # Starting and stopping
    Case("http-429=15x", "stop", STOPPED, "running", {"timeout": 60}, intends("stopped")),
    Case("http-502=0.5", "stop", STOPPED, "running", {"timeout": 60}, intends("stopped")),
    Case("no-answer=8x", "stop", STOPPED, "running", {"timeout": 60}, intends("stopped")),
    Case("slow=0.3s", "stop", STOPPED, "running", {"timeout": 60}, intends("stopped")),
    Case("success-false=2x", "stop", STOPPED, "running", after=intends("stopped")),
    Case("stop-ignored=1x", "stop", STOPPED, "running", after=intends("stopped")),
    Case("status-lag=1s", "stop", STOPPED, "running", after=intends("stopped")),
    Case("stop-ignored=on", "stop", (TimedOut, "may still cost money ($", "train vast stop"), "running", {"timeout": 1}),
    Case("http-429=on", "stop", (TimedOut, "may still cost money", "train vast stop"), "running", {"timeout": 1}),
    Case("success-false=1x", "start", lambda answer: answer.instance.state == "starting", "stopped"),
    Case("start-queued=on", "start", (Conflict, "rented to somebody else", "try later"), "stopped", {}, intends("stopped")),
    # Waiting
    Case("stuck-loading=on", "wait", (TimedOut, "not ready in time: it is loading", "train vast stop"), "fresh", SHORT),
    Case("stuck-loading=on", "wait", (TimedOut, "not ready in time", "it was stopped"), "fresh",
         {**SHORT, "stop_on_fail": True}, intends("stopped")),
    Case("pull-error=on", "wait", (Conflict, "manifest unknown", "train vast destroy"), "fresh", FAST),
    Case("oci-error=on", "wait", (Conflict, "OCI runtime create failed", "train vast destroy"), "fresh", FAST),
    Case("instance-dies-after=0.1s ssh-refused=on", "wait", (Conflict, "ended by itself", "train vast destroy"), "fresh", FAST),
    Case("host-lost-after=0.1s ssh-refused=on", "wait", (Conflict, "host is offline", "train vast destroy"), "fresh", FAST),
    Case("unknown-after=0.1s ssh-refused=on", "wait", (Conflict, "not heard from", "train vast destroy"), "fresh", FAST),
    Case("expires-after=2s ssh-refused=on", "wait", (Conflict, "the offer has ended", "train vast start"), "fresh", FAST),
    Case("ssh-refused=on", "wait", (TimedOut, "ssh (proxy) fails: ", "train vast logs"), "begun", {"poll": 0.1, "timeout": 5}),
    Case("direct-refused=on", "wait", ready, "fresh", FAST),
    Case("no-ports=on", "wait", ready, "fresh", FAST),
    Case("attach-delay=1s", "wait", ready, "fresh", FAST),
    Case("http-429=3x", "wait", ready, "running", FAST),
    # Looking
    Case("logs-late=on", "logs", (TimedOut, "was not available in time", "try again"), "running"),
    Case("host-lost-after=0.1s", "list", lambda rows: rows[0].problem == "the host is offline", "failed"),
]  # fmt: skip


def ids() -> list[str]:
    return [
        f"{case.command}: {case.faults}" + (" stop_on_fail" if "stop_on_fail" in case.values else "")
        for case in CASES
    ]


@pytest.fixture
def _impatient(monkeypatch: pytest.MonkeyPatch, quick: None) -> None:
    from trainsh_vast.rented import states as conditions
    from trainsh_vast.verbs import creating, states, watching

    monkeypatch.setattr(conditions, "EXIT_PATIENCE", 0.5)
    monkeypatch.setattr(conditions, "HOST_PATIENCE", 0.5)
    monkeypatch.setattr(states, "AGAIN", 1.0)
    monkeypatch.setattr(watching, "LOGS_WITHIN", 1.0)
    monkeypatch.setattr(creating, "SETTLES", 6.0)


def prepare(cloud: Cloud, before: str, faults: list[str]) -> int:
    if before in ("running", "stopped"):
        number = cloud.rent(state=before)
        cloud.fault(*faults)
        return number
    cloud.fault(*faults)
    if before == "fresh":
        return cloud.rent(state="fresh")
    if before == "begun":
        return cloud.rent(state="running")
    if before == "failed":
        number = cloud.rent(state="fresh")
        until(lambda: (cloud.one(number) or {})["actual_status"] == "offline")
        return number
    return 0


@pytest.mark.parametrize("case", CASES, ids=ids())
def test_what_the_user_sees(case: Case, cloud: Cloud, _impatient: None) -> None:
    values = dict(case.values)
    if case.command == "create":
        values |= {"offer": call("search", num_gpus=1)[0]["id"], "image": "x"}
    number = prepare(cloud, case.before, case.faults.split())
    if case.command in ("show", "stop", "start", "wait", "logs"):
        values["id"] = str(number)
    if callable(case.seen):
        assert case.seen(call(case.command, **values))
    else:
        kind, words, hint = case.seen
        with pytest.raises(TrainError) as caught:
            call(case.command, **values)
        error = caught.value
        assert type(error) is kind, error.document()
        assert words in error.message
        assert hint in error.hint
        assert cloud.key not in str(error.document())
    cloud.ask("PUT", "/sandbox/faults", {"off": "on"})
    if case.after:
        assert case.after(cloud, number)


def test_every_switch_is_thrown(cloud: Cloud) -> None:
    thrown = {word.split("=")[0] for case in CASES for word in case.faults.split()}
    known = {row["name"] for row in cloud.ask("PUT", "/sandbox/faults", {})}
    # `outbid-after` and `list-v0` are tested in test_verbs.py, and `falls-short` in test_vet.py. `boot-time` by
    # itself breaks nothing.
    assert known - thrown == {"outbid-after", "list-v0", "boot-time", "falls-short"}


def test_no_key_is_said_and_a_wrong_one(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAST_API_KEY", "wrong-key-1234")
    with pytest.raises(CredentialError, match="Invalid user key") as error:
        call("show", id="27000001")
    assert "wrong-key-1234" not in str(error.value.document())
    monkeypatch.delenv("VAST_API_KEY")
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    with pytest.raises(CredentialError, match="there is no VAST_API_KEY"):
        call("list")


@pytest.mark.parametrize(
    ("command", "values", "kind", "words"),
    [
        ("show", {"id": "999"}, NotFound, "there is no instance 999"),
        ("stop", {"id": "gpu"}, UsageError, "not the id of an instance"),
        ("stop", {}, UsageError, "which instance"),
        ("start", {"id": "999"}, NotFound, "there is no instance 999"),
        ("wait", {"id": "999"}, NotFound, "instance 999 is gone"),
        ("resolve", {"ref": "999"}, NotFound, "there is no instance 999"),
        ("stop", {"_job": "j1"}, NotFound, "this job holds no instance"),
        ("create", {"offer": 1}, Conflict, "the offer is gone"),
    ],
)
def test_what_is_not_there(
    cloud: Cloud, command: str, values: dict[str, Any], kind: type[TrainError], words: str
) -> None:
    with pytest.raises(kind, match=words) as caught:
        call(command, **values)
    # with `gone`, the caller knows that it makes no sense to try again
    assert caught.value.data.get("gone", False) is (command == "resolve")


@pytest.mark.parametrize(
    ("url", "why"),
    [("http://127.0.0.1:9", "Vast.ai cannot be reached"), ("http://nowhere.invalid", "its name is not resolved")],
)
@pytest.mark.parametrize("words", [["list"], ["stop", "27000001"]], ids=["list", "stop"])
def test_a_person_is_told_at_once_and_does_not_wait_for_minutes(words: list[str], url: str, why: str) -> None:
    env = {**os.environ, "VAST_URL": url, "VAST_API_KEY": "k", "TRAINSH_VAST_RETRY_DELAY": "0.1s"}
    program = str(Path(sys.executable).with_name("train-vast"))
    done = subprocess.run([program, *words], env=env, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == Unreachable.exit_status
    told, *rest = done.stderr.splitlines()
    assert why in told and "trying again for about" in told
    assert not any("trying again" in line for line in rest)
    assert f"cannot reach {url}" in done.stderr
    assert ("may go on billing" in done.stderr) is (words[0] == "stop")
