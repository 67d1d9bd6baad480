"""What train reports about a step is what happened: forged sentinels, waits on failed or lost steps, other
nodes.
"""

import contextlib
import os
import signal
import time
from pathlib import Path

import pytest

from tmux_box import Box, wait_until
from trainsh_base.errors import TimedOut, TrainError
from trainsh_tmux import cli

WAITS = [{"pattern": "never"}, {"file": "/never"}, {"port": 1}, {"idle": "own"}]


@pytest.fixture
def open_box(box: Box) -> Box:
    """A session `w` is open."""
    box.open()
    return box


@pytest.mark.parametrize(
    "letter", ["e;{step};0", "e;{step};0;ended", "x;0", "n;99", "n;x", "p;{step};1;1", "b;{step}", "r;1"]
)
def test_what_a_step_prints_is_no_sentinel(open_box: Box, letter: str) -> None:
    text = letter.format(step="002-1")
    for key in ("", "0123456789abcdef;"):
        step = f"002-{len(key)}"
        printed = f"\\033]7770;{key}{text.replace('002-1', step)}\\007"
        outcome = open_box.run(f"printf '{printed}'; echo seen; sleep 0.3; false", step=step)
        assert (outcome.state, outcome.exit, outcome.tail) == ("failed", 1, ["seen"]), outcome
    assert open_box.text("echo on") == "on\n"


def test_the_key_is_in_no_steps_environment(open_box: Box) -> None:
    key = (open_box.session() / "key").read_text().strip()
    assert len(key) == 16 and key not in open_box.text(
        "env; cat /proc/self/environ /proc/$PPID/environ /proc/$$/cmdline"
    )


@pytest.mark.parametrize("options", WAITS, ids=str)
def test_a_wait_fails_within_a_second_when_its_background_step_has_failed(
    open_box: Box, options: dict[str, object]
) -> None:
    open_box.run("sleep 0.5; echo Traceback; echo ValueError: lr; exit 3", background=True, step="b")
    running = open_box.waiting(timeout=50, **options)
    wait_until(lambda: (open_box.session() / "steps" / "b.status").exists(), "its end")
    ended = time.monotonic()
    with pytest.raises(TrainError) as caught:
        running.result()
    assert time.monotonic() - ended < 20, "at once, not when the wait's own time is over"
    data = caught.value.data
    assert (caught.value.code, data["step"], data["status"]) == ("background_failed", "b", 3)
    assert data["tail"][-2:] == ["Traceback", "ValueError: lr"] and "ValueError: lr" in caught.value.message


@pytest.mark.parametrize("options", WAITS[:3], ids=str)
def test_a_wait_says_once_that_everything_ended_and_goes_on(open_box: Box, options: dict[str, object]) -> None:
    open_box.run("sleep 0.3", background=True, step="b")
    running = open_box.waiting(timeout=5, **options)
    with pytest.raises(TrainError) as caught:
        running.result()
    assert caught.value.code == "wait_timed_out" and "timed out after 5" in caught.value.message
    assert len([line for line in running.client.log if "has succeeded" in line]) == 1


@pytest.mark.parametrize("options", WAITS, ids=str)
def test_no_wait_passes_a_lost_step(box: Box, options: dict[str, object]) -> None:
    box.open(job="j")
    box.run("sleep 100", background=True, step="b", job="j")
    running = box.waiting(timeout=30, job="j", **options)
    group = int((box.session(job="j") / "steps" / "b.pid").read_text().split()[0])
    os.kill(int(box.tmux("display-message", "-p", "#{pid}", job="j")), signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError):  # the terminal went with the server: a hangup may have ended it
        os.killpg(group, signal.SIGKILL)
    with pytest.raises(TrainError) as caught:
        running.result()
    assert caught.value.code in ("lost", "session_gone")
    box.open(job="j")
    for _ in range(2):
        with pytest.raises(TrainError) as caught:
            box.wait(timeout=60, job="j", **options)
        assert (caught.value.code, caught.value.data["step"]) == ("lost", "b")
    box.run("true", step="b2", job="j", replaces=["b"])
    with contextlib.suppress(TimedOut):
        box.wait(timeout=0.7, job="j", **options)


def test_a_session_of_another_node_that_shares_the_home(open_box: Box) -> None:
    """The session looks as a second login node would find it: the folder's owner and the session's node are
    another.
    """
    root = open_box.home / ".local/state/tmux-trainsh"
    owner = (root / "owner").read_text()
    open_box.run("true", step="s1")
    open_box.tmux("kill-server")
    wait_until(lambda: "hung up" in (open_box.session() / "state").read_text(), "its end")
    (root / "owner").write_text("login1.0-0-0.1\n")
    (open_box.session() / "pid").write_text("1 1 login1.0-0-0.1\n")
    open_box.forget()
    for ask in (lambda: open_box.run("", step="s1", only_ask=True), lambda: open_box.run("true", step="s2")):
        with pytest.raises(TrainError) as caught:
            ask()
        assert caught.value.code == "other_node" and "login1" in caught.value.message
    opened = open_box.open()
    assert opened.fresh and "on/" in opened.folder and "login1" in " ".join(opened.notes)
    open_box.call(cli.close, "w")
    (root / "owner").write_text(owner)


def test_who_it_is_is_told(open_box: Box) -> None:
    again = open_box.open()
    assert again.machine and again.session and again.node and not again.fresh
    open_box.call(cli.close, "w")
    anew = open_box.open()
    assert (anew.machine, anew.node) == (again.machine, again.node) and anew.session != again.session
    outcome = open_box.run("sleep 5", background=True)
    assert outcome.pid and outcome.start and outcome.node == again.node


def test_a_home_with_a_quote_in_its_name(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    home = box.folder / 'it\'s "home" $x'
    home.mkdir(mode=0o700)
    monkeypatch.setenv("HOME", str(home))
    box.home = home
    box.open()
    assert box.text("pwd -P; echo ~").splitlines()[-1] == str(home)
    box.keys("touch typed", "Enter")
    assert box.text('read -t 0.3 -r line; echo "got<$line>"') == "got<>\n"
    box.call(cli.close, "w")


def test_the_sockets_of_jobs_that_are_over_go(box: Box) -> None:
    box.open("w", job="j1")
    folder = next((box.folder / "tmux").iterdir())
    assert (folder / "train-j1").exists()
    box.call(cli.kill, job="j1")
    assert not (folder / "train-j1").exists()


def test_a_snapshot_is_given_back(open_box: Box) -> None:
    open_box.run("cd /usr && export MODEL=llama && f() { echo fun; } && alias hi='echo hello'", step="001-1")
    open_box.call(cli.close, "w")
    assert open_box.call(cli.holds, sessions=["w"]).sessions["w"].covers == "001-1"
    opened = open_box.open(restore=True)
    assert opened.fresh and opened.restored and opened.covers == "001-1"
    assert open_box.text("pwd; echo $MODEL; f; hi") == "/usr\nllama\nfun\nhello\n"


def test_a_snapshot_holds_no_secret(open_box: Box) -> None:
    open_box.run("export COPY=$KEY; export PLAIN=1", secrets={"KEY": "very-secret-value"}, step="001-1")
    open_box.call(cli.close, "w")
    assert not [p for p in open_box.session().rglob("*") if p.is_file() and b"very-secret-value" in p.read_bytes()]
    opened = open_box.open(restore=True)
    assert "COPY" in opened.left_out and open_box.text("echo $PLAIN:$COPY") == "1:\n"


def test_a_session_inherits_no_secret_of_ours(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    """A session inherits neither a variable with the name of a secret nor one that the recipe names.

    Nor does the tmux server.
    """
    monkeypatch.setenv("MY_API_KEY", "one-secret")
    monkeypatch.setenv("WANDB", "two-secret")
    monkeypatch.setenv("HARMLESS", "shown")
    box.open(without=["WANDB"])
    text = box.text(
        "env; cat /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n' | grep TRAINSH_SESSION; echo $HARMLESS"
    )
    assert "-secret" not in text and text.endswith("shown\n")
    server = int(box.tmux("display-message", "-p", "#{pid}"))
    environment = Path(f"/proc/{server}/environ").read_bytes()
    assert b"-secret" not in environment and b"HARMLESS" in environment


def test_a_close_that_is_not_waited_for(open_box: Box) -> None:
    assert open_box.call(cli.close, "w", wait=False).done == "closing"
    wait_until(lambda: (open_box.session() / "state").read_text() == "closed\n", "it is closed")
    assert open_box.call(cli.close, "w", wait=False).done == "was not open"
