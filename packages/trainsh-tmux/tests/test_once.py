"""Exactly once: the same step is requested again, by the same process or another one, whatever was killed."""

import os
import random
import signal
import subprocess
import threading
import time

import pytest

from tmux_box import Box, wait_until
from trainsh_base.errors import Cancelled, TrainError
from trainsh_base.tool.peer import Peer, PeerLost
from trainsh_tmux import cli
from trainsh_tmux.model import Outcome

STRIKES = 100


@pytest.fixture
def open_box(box: Box) -> Box:
    """A session `w` is open."""
    box.open()
    return box


def test_a_finished_step_is_told_again(open_box: Box) -> None:
    first = open_box.run("echo out >>ran; echo said; (exit 3)", step="s1")
    text = open_box.client.text
    for _ in range(2):
        again = open_box.run("echo something else >>ran", step="s1")
        assert again.resumed and not first.resumed
        assert (again.state, again.exit, again.tail, again.bytes) == ("failed", 3, first.tail, first.bytes)
        assert (again.offset, again.end) == (first.offset, first.end)
        assert open_box.client.text == text == "said\n"
        open_box.forget()
    assert (open_box.home / "ran").read_text() == "out\n"


def test_a_running_step_is_joined(open_box: Box) -> None:
    first = open_box.start("echo early; sleep 1; echo late", step="s1")
    open_box.began(first)
    open_box.forget()
    again = open_box.start("never", step="s1")
    outcome = again.result()
    assert outcome.resumed and outcome.state == "ok"
    assert again.client.text == "early\nlate\n"


def test_a_queued_step_is_joined(open_box: Box) -> None:
    first = open_box.start("sleep 1")
    open_box.began(first)
    second = open_box.start("echo ran >>ran", step="s2")
    wait_until(lambda: (open_box.session() / "steps" / "s2").exists(), "the second to be sent")
    third = open_box.start("echo ran >>ran", step="s2")
    assert second.result().state == third.result().state == "ok"
    assert (open_box.home / "ran").read_text() == "ran\n"


def test_a_captured_step_is_told_again(open_box: Box) -> None:
    open_box.run("echo value", capture=True, step="s1")
    open_box.forget()
    assert open_box.run("x", capture=True, step="s1").captured == "value"


def test_a_background_step_is_told_again(open_box: Box) -> None:
    open_box.run("echo ran >>ran; sleep 0.5; exit 3", background=True, step="b")
    again = open_box.run("x", background=True, step="b")
    assert (again.state, again.resumed) == ("started", True)
    wait_until(lambda: open_box.run("x", background=True, step="b").state == "failed", "its end")
    assert (open_box.home / "ran").read_text() == "ran\n"


def test_only_ask_starts_nothing(open_box: Box) -> None:
    assert open_box.run("touch ran", step="s1", only_ask=True).state == "never"
    first = open_box.start("sleep 0.5", step="s1")
    open_box.began(first)
    assert open_box.run("", step="s1", only_ask=True).state == "running"
    first.result()
    assert open_box.run("", step="s1", only_ask=True).state == "ok"
    assert not (open_box.home / "ran").exists()


def test_many_ask_for_one_step_at_once(open_box: Box) -> None:
    asked = [open_box.start("echo ran >>ran; echo said", step="s1") for _ in range(8)]
    assert all(one.result().state == "ok" for one in asked)
    assert (open_box.home / "ran").read_text() == "ran\n"
    assert [one.client.text for one in asked] == ["said\n"] * 8, [
        (one.result(), one.client.events) for one in asked
    ]


def test_cancel_leaves_the_step_running(open_box: Box) -> None:
    running = open_box.start("sleep 0.7; echo over >over", step="s1")
    open_box.began(running)
    running.client.cancel()
    with pytest.raises(Cancelled):
        running.result()
    assert open_box.run("x", step="s1").state == "ok"
    assert (open_box.home / "over").exists()


@pytest.mark.parametrize("how", ["kill-session", "kill-server", "server -9", "pane -9", "shell -9", "close"])
def test_a_session_that_dies_loses_its_step_and_says_so_soon(open_box: Box, how: str) -> None:
    open_box.open("other")
    running = open_box.start("echo ran >>ran; echo said; sleep 100", step="s1")
    open_box.began(running)
    wait_until(lambda: "said" in running.client.text, "its output")
    pid, shell = (int((open_box.session() / name).read_text().split()[0]) for name in ("pid", "shell"))
    began = time.monotonic()
    if how == "close":
        open_box.call(cli.close, "w")
    elif how == "pane -9":
        os.kill(pid, signal.SIGKILL)
    elif how == "shell -9":
        os.kill(shell, signal.SIGKILL)
    elif how == "server -9":
        os.kill(int(open_box.tmux("display-message", "-p", "#{pid}")), signal.SIGKILL)
    else:
        open_box.tmux(how, *(["-t", "=w"] if how == "kill-session" else []))
    outcome = running.result()
    assert time.monotonic() - began < 50, "long before the command's own end"
    if how == "shell -9":
        assert (outcome.state, outcome.exit) == ("session_ended", 137)
    elif how == "close":  # it was interrupted, as by a Ctrl-C, and had its grace
        assert (outcome.state, outcome.exit) == ("failed", 130)
    else:
        assert (outcome.state, outcome.exit) == ("lost", None), outcome
    assert running.client.text.startswith("said\n")
    again = open_box.run("echo ran >>ran", step="s1")
    assert again.state == outcome.state and again.resumed
    assert open_box.run("", step="s1", only_ask=True).state == outcome.state
    with pytest.raises(TrainError) as caught:
        open_box.run("echo ran >>ran", step="s2")
    assert caught.value.code == "not_started"
    open_box.open()
    assert open_box.run("echo ran >>ran", step="s1").state == outcome.state
    assert (open_box.home / "ran").read_text() == "ran\n"
    assert open_box.text("echo on") == "on\n"


def serve_and_kill(box: Box, step: str, command: str, pause: float) -> None:
    """Ask a `train-tmux serve` to run a step, and kill that `serve` `pause` seconds later."""
    peer = Peer("tmux")
    pending = peer.start("run", {"session": "w", "host": "local", "command": command, "step": step})
    time.sleep(pause)
    os.kill(peer.pid, signal.SIGKILL)
    try:
        pending.result(60)
    except PeerLost:
        pass
    finally:
        peer.close()


@pytest.mark.slow
def test_kill_the_server_at_random_instants(open_box: Box) -> None:
    rng = random.Random(7)
    for number in range(STRIKES):
        step = f"r{number}"
        command = (
            f"echo {step} >>ran; for i in 1 2 3 4 5; do echo {step} line $i; sleep 0.01; done; (exit {number})"
        )
        open_box.goes_on()
        serve_and_kill(open_box, step, command, rng.uniform(0.06, 0.2))
        open_box.forget()
        outcome = open_box.run(command, step=step)
        assert outcome.exit == number
        assert open_box.client.text == "".join(f"{step} line {i}\n" for i in range(1, 6))
    assert (open_box.home / "ran").read_text().split() == [f"r{n}" for n in range(STRIKES)]


@pytest.mark.slow
def test_the_shells_of_the_channel_and_of_the_stream_are_killed(open_box: Box) -> None:
    """The effect of a cut connection, but without a connection: to this process, the end of ssh looks the same."""
    rng = random.Random(8)
    stop = threading.Event()
    left = 0  # kills that are left for the present step, so that a busy machine gets on between two kills

    def kill_children() -> None:
        nonlocal left
        while not stop.is_set():
            time.sleep(rng.uniform(0.01, 0.1))
            if not left:
                continue
            words = ["ps", "--ppid", str(os.getpid()), "-o", "pid=,args="]
            done = subprocess.run(words, capture_output=True, text=True, check=False)
            shells = [line.split()[0] for line in done.stdout.splitlines() if line.split()[1:] == ["sh"]]
            if shells:
                left -= 1
                try:
                    os.kill(int(rng.choice(shells)), signal.SIGKILL)
                except ProcessLookupError:
                    continue

    killer = threading.Thread(target=kill_children)
    killer.start()
    try:
        for number in range(STRIKES):
            open_box.goes_on()
            left = 20
            command = f"echo {number} >>ran; seq 200; sleep 0.05; echo over; (exit {number})"
            outcome = open_box.run(command, step=f"k{number}")
            assert outcome.exit == number
            assert open_box.client.text == "".join(f"{n}\n" for n in range(1, 201)) + "over\n"
    finally:
        stop.set()
        killer.join()
    assert (open_box.home / "ran").read_text().split() == [str(n) for n in range(STRIKES)]


@pytest.mark.slow
@pytest.mark.parametrize(
    "options", [{}, {"capture": True}, {"background": True}, {"secrets": {"KEY": "value"}}], ids=str
)
def test_interrupts_at_any_instant(open_box: Box, options: dict[str, object]) -> None:
    """Ctrl-C in the pane while the shell reads, claims, runs or records a step: what happened to the step is
    reported.
    """
    dice = random.Random(int(os.environ.get("TRAINSH_FAULTS_SEED", "1")))
    shell = int((open_box.session() / "shell").read_text().split()[0])
    counts = {0: 0, 130: 0}
    for number in range(15 if options.get("background") else 40):
        open_box.goes_on()
        running = open_box.start(f"echo {number} >>ran", step=f"s{number}", **options)
        for _ in range(dice.randint(1, 4)):
            time.sleep(dice.random() * 0.004)
            os.kill(shell, signal.SIGINT)
        outcome = running.result()
        if options.get("background"):
            outcome = settled(open_box, f"s{number}")
        ran = (open_box.home / "ran").read_text().splitlines() if (open_box.home / "ran").exists() else []
        assert outcome.exit in counts, outcome
        counts[outcome.exit] += 1
        assert ran.count(str(number)) in ((1,) if outcome.exit == 0 else (0, 1)), outcome
    assert counts[0]
    assert open_box.text("stty -a </dev/tty | grep -c ' icanon'") == "1\n"
    assert not list(open_box.session().glob("steps/*.env"))


def settled(box: Box, step: str) -> Outcome:
    """The outcome of a background step after its end."""
    return wait_until(
        lambda: (found := box.run("never", background=True, step=step)).exit is not None and found, f"{step} to end"
    )
