"""A link that drops every packet: each request ends within its limit, its grace and LATE seconds, with a true
answer.
"""

import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from far_box import Far
from tmux_box import wait_until
from trainsh_base.errors import TimedOut, TrainError
from trainsh_base.tool.peer import Peer, call

if TYPE_CHECKING:
    from pathlib import Path

    from trainsh_world import World

LATE = 20.0  # seconds beyond a request's own limit and its grace
LOGIN = 50.0  # seconds that a login may take in these tests
OPENING = 60.0 + LOGIN  # seconds to open a session: a login that begins within 60 seconds may complete
CLOSING = 30.0  # seconds to close one, in addition to the grace
UNKNOWN = {"host_lost", "host_silent", "unreachable", "no_answer", "not_ended"}


class Timed(threading.Thread):
    """The result of a request, and the seconds after which it ended."""

    def __init__(self, pending: Any, limit: float) -> None:
        super().__init__(daemon=True)
        self.limit, self._pending, self._began = limit, pending, time.monotonic()
        self.seconds, self.end = 0.0, ""
        self.start()

    def run(self) -> None:
        try:
            self.end = str(self._pending.result(150))
        except TrainError as error:
            self.end = error.code
        self.seconds = time.monotonic() - self._began


@pytest.mark.slow
def test_everything_ends_when_the_link_swallows_everything(world: "World") -> None:
    # A login would be tried for longer than the steps have. It is given up together with the steps.
    (world.config / "config.toml").write_text(f'[ssh]\nconnect_timeout = "{LOGIN:g}s"\n')
    machine = world.network_host("far", delay=0.002)  # its link drops packets, without the error "no route to host"
    far = Far(world, machine.sshd)
    peer, said = Peer("tmux"), list[str]()

    def start(method: str, **params: Any) -> Any:
        return peer.start(method, {"host": far.host, **params}, on_event=lambda event: said.append(event["kind"]))

    for name in ("step", "waits", "next"):
        start("open", name=name).result(60)
    start("run", session="next", step="b", command="sleep 300", background=True).result(60)
    begun = len(said)
    step = Timed(start("run", session="step", command="echo begun; sleep 300", timeout=4, grace=2), 6)
    wait_until(lambda: "output" in said[begun:], "the step's output")
    machine.cut()
    requests = {
        "step": step,
        "handed": Timed(start("run", session="next", command="echo x", timeout=4, grace=2), 6),
        "file": Timed(start("wait", session="waits", file="/nowhere", timeout=4), 4),
        "pattern": Timed(start("wait", session="waits", pattern="never", timeout=18), 18),
        "interrupt": Timed(start("interrupt", session="next", step="b", grace=2), 2),
        "open": Timed(start("open", name="more"), OPENING),
        "close": Timed(start("close", session="waits", grace=2), 2 + CLOSING),
    }
    for each in requests.values():
        each.join(160)
    peer.close()
    print(
        *(f"{name}: {each.end} after {each.seconds:.1f} s of {each.limit} s" for name, each in requests.items()),
        sep="\n",
    )
    assert {name: each.end for name, each in requests.items() if each.end not in UNKNOWN} == {}
    late = {name: each.seconds for name, each in requests.items() if each.seconds >= each.limit + LATE}
    assert late == {}


def test_a_tool_that_does_not_answer_is_one_typed_error(tmp_path: "Path", monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "train-silent").write_text("#!/bin/sh\nexec sleep 60\n")
    (tmp_path / "train-silent").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(TimedOut) as caught:
        call("silent", "resolve", {}, timeout=0.3)
    assert caught.value.code == "tool_silent" and "train-silent resolve" in caught.value.message
