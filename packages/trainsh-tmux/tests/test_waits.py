"""Waits and background steps on this machine."""

import os
import signal
import socket
import threading
import time

import pytest

from tmux_box import Box, wait_until
from trainsh_base.errors import Cancelled, TimedOut, TrainError, UsageError
from trainsh_tmux import cli


@pytest.fixture
def open_box(box: Box) -> Box:
    """A session `w` is open."""
    box.open()
    return box


@pytest.mark.parametrize("condition", ["file", "background"])
def test_a_wait_begins_once_the_disk_has_space(open_box: Box, condition: str) -> None:
    """A file has the name of the folder, so that the host fails as with a full disk."""
    folder = open_box.session().parents[2] / "waits"
    assert not folder.exists() and folder.parent.joinpath("sessions").exists()
    folder.touch()
    (open_box.home / "there").touch()
    open_box.run(f"until [ ! -f {folder} ]; do sleep 0.05; done; exit 6", background=True, step="b")
    timer = threading.Timer(0.5, folder.unlink)
    timer.start()
    try:
        if condition == "file":
            assert open_box.wait(file="~/there", timeout=60).line is None
        else:
            with pytest.raises(TrainError) as caught:
                open_box.wait(pattern="never said", timeout=60)
            assert (caught.value.code, caught.value.data["status"]) == ("background_failed", 6)
    finally:
        timer.join()


def test_a_background_step_leaves_the_session_usable(open_box: Box) -> None:
    command = "echo from behind; until [ -e go ]; do sleep 0.05; done; echo over; exit 4"
    outcome = open_box.run(command, background=True, step="b")
    assert (outcome.state, outcome.exit) == ("started", None)
    assert open_box.text("echo usable") in ("usable\n", "from behind\nusable\n", "usable\nfrom behind\n")
    (open_box.home / "go").touch()
    wait_until(lambda: open_box.run("", step="b", only_ask=True).exit == 4, "its status")
    wait_until(lambda: open_box.screen().count("over") == 2, "its output")
    assert "[1]" not in (open_box.session() / "log.0").read_text() and "[1]" not in open_box.screen()


def test_a_background_step_does_not_read_the_terminal(open_box: Box) -> None:
    open_box.run("cat; echo end of input", background=True)
    assert open_box.wait(pattern="end of input", timeout=60).line == "end of input"


def test_a_background_step_ends_with_its_session(open_box: Box) -> None:
    open_box.run("sleep 303", background=True)
    open_box.run("sleep 304", background=True, timeout=100)
    for word in (b"sleep\x00303", b"sleep\x00304"):
        wait_until(lambda word=word: open_box.processes(word), "the start of both")
    open_box.call(cli.close, "w")
    wait_until(lambda: not open_box.processes(b"sleep\x0030"), "the end of both")


def test_a_background_step_has_the_sessions_environment(open_box: Box) -> None:
    open_box.run("cd /usr; x=1; f() { echo f$1; }")
    open_box.run('echo "$(pwd) $x $(f 2)"', background=True)
    assert open_box.wait(pattern="^/usr 1 f2$", timeout=60).line == "/usr 1 f2"


def test_a_background_timeout_ends_it_on_the_host(open_box: Box) -> None:
    open_box.run("trap '' INT; sleep 300 & sleep 301", background=True, timeout=0.4, grace=1.0, step="b")
    outcome = wait_until(lambda: (o := open_box.run("", step="b", only_ask=True)).state != "running" and o)
    assert outcome.state == "timeout" and "timed out" in outcome.reason
    assert not open_box.processes(b"sleep\x0030")


WORKERS = (
    "import os, signal, subprocess, sys, time\n"
    "for n in (2, 15): signal.signal(n, signal.SIG_IGN)\n"
    "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(300)  # worker'], start_new_session=True)\n"
    "signal.signal(signal.SIGINT, lambda *_: sys.exit(0))\n"
    "open('up', 'w'); time.sleep(300)\n"
)


def test_a_background_step_that_times_out_is_not_ok_and_its_workers_end(open_box: Box) -> None:
    """It ends with 0 after INT; a worker in a session of its own ignores INT and TERM."""
    (open_box.home / "t.py").write_text(WORKERS)
    for seconds in (2, 8, 30):  # a busy machine may need longer to come to the handler
        (open_box.home / "up").unlink(missing_ok=True)
        open_box.run("python3 t.py", background=True, timeout=seconds, grace=2.0, step=f"b{seconds}")
        with pytest.raises(TrainError) as caught:
            open_box.wait(idle="own", timeout=60)
        assert caught.value.code == "background_failed" and "ran out of its time" in caught.value.message
        assert not open_box.processes(b"# worker"), "the step is not over while its workers run"
        if (open_box.home / "up").exists():
            break
    assert caught.value.data["status"] == 124
    assert "__train" not in open_box.screen(), "the shell reports no line of the driver"


def test_ending_a_step_leaves_the_step_of_that_name_in_another_session(open_box: Box) -> None:
    open_box.open("other", job="j2")
    open_box.run("sleep 307", "other", job="j2", background=True, step="002-1")
    open_box.run("sleep 308", background=True, step="002-10")
    open_box.run("sleep 306", background=True, step="002-1")
    wait_until(lambda: len(open_box.processes(b"sleep\x0030")) == 3, "the start of all")
    assert open_box.call(cli.interrupt_, "w", "002-1", grace=1.0).done == "ended"
    open_box.run("trap '' INT TERM; sleep 309", background=True, step="002-10-1", timeout=0.2, grace=1.0)
    wait_until(
        lambda: not open_box.processes(b"sleep\x00309") and open_box.run("", step="002-10-1", only_ask=True).exit
    )
    assert open_box.processes(b"sleep\x00307") and open_box.processes(b"sleep\x00308")
    assert open_box.run("", "other", job="j2", step="002-1", only_ask=True).state == "running"


def test_interrupt_ends_a_background_step(open_box: Box) -> None:
    for options in ({}, {"timeout": 100.0}):
        open_box.run("sleep 302; echo rest", background=True, step=f"b{len(options)}", **options)
        # An interrupt that comes while bash starts the command may have another status.
        wait_until(lambda: open_box.processes(b"sleep\x00302"), "the command")
        assert open_box.call(cli.interrupt_, "w", f"b{len(options)}").done == "ended"
        outcome = open_box.run("", step=f"b{len(options)}", only_ask=True)
        assert outcome.state == "failed" and outcome.exit in (130, 143)
        assert not open_box.processes(b"sleep\x00302")


def test_an_interrupt_that_reaches_the_timer_first_is_no_timeout(open_box: Box) -> None:
    """An interrupt signals the processes of a step one after the other; here the timer's `sleep` alone gets it."""
    seconds = 100_000 + os.getpid()  # no other test has a process with this command line
    open_box.run("sleep 302; echo rest", background=True, step="b", timeout=float(seconds))
    wait_until(
        lambda: open_box.text(f"pkill -INT -f '[s]leep {seconds}' && echo sent; true") == "sent\n", "the timer"
    )
    assert open_box.text("sleep 0.3; echo on") == "on\n"
    assert open_box.run("", step="b", only_ask=True).state == "running"


def test_interrupt_ends_a_foreground_step(open_box: Box) -> None:
    running = open_box.start("sleep 100; echo rest", step="s")
    open_box.began(running)
    assert open_box.call(cli.interrupt_, "w", "s").done == "ended"
    outcome = running.result()
    assert (outcome.state, outcome.exit) == ("failed", 130) and "\nrest" not in running.client.text


def test_interrupt_of_a_queued_step_means_it_never_runs(open_box: Box) -> None:
    first = open_box.start(f"until [ -e {open_box.folder}/go ]; do sleep 0.05; done")
    open_box.began(first)
    second = open_box.start("touch ran", step="s2")
    wait_until(lambda: (open_box.session() / "steps" / "s2").exists())
    assert open_box.call(cli.interrupt_, "w", "s2").done == "never"
    assert second.result().state != "ok"
    (open_box.folder / "go").touch()
    first.result()
    assert open_box.text("ls") == ""


@pytest.mark.parametrize(
    "command",
    [
        "sleep 100; echo rest",
        "sh -c 'trap \"exit 0\" INT; while :; do sleep 0.1; done'; echo rest",
        "sh -c 'trap \"\" INT; sleep 100'; echo rest",
        "sh -c 'trap \"\" INT TERM; while :; do sleep 0.1; done'; echo rest",
        "while :; do sleep 0.1; done; echo rest",
        "while :; do :; done; echo rest",
        "sleep 100 | cat; echo rest",
        "(sleep 100; echo rest)",
        "f() { sleep 100; echo rest; }; f; echo rest",
        "read -r x; echo rest",
        "yes; echo rest",  # it never stops to print
    ],
)
def test_a_timeout_ends_all_of_the_step(open_box: Box, command: str) -> None:
    open_box.run("x=1")
    outcome = open_box.timed_out(command, 0.5, grace=3.0 if 'trap ""' in command else 30.0)
    assert (outcome.state, outcome.reason) == ("timeout", "timed out after 0.5s")
    assert "rest" not in open_box.client.text
    assert open_box.text("echo on $x") == "on 1\n"


def test_a_step_that_heeds_nothing_loses_its_session(open_box: Box) -> None:
    outcome = open_box.timed_out("trap '' INT; while :; do :; done", 0.3, grace=2)
    assert outcome.state == "timeout"
    # A busy host may need longer to close it than the client waits for that.
    ended = wait_until(
        lambda: (o := open_box.run("", step=outcome.step, only_ask=True)).state != "running" and o, "its end"
    )
    assert ended.state == "timeout" and "session was closed" in ended.reason
    with pytest.raises(TrainError) as caught:
        open_box.run("true")
    assert caught.value.code == "not_started"
    assert open_box.open().fresh


def test_keep_running(open_box: Box) -> None:
    command = "until [ -e go ]; do sleep 0.05; done; echo late >late"
    outcome = open_box.run(command, timeout=2, keep_running=True, step="s")
    assert outcome.state == "timeout"
    (open_box.home / "go").touch()
    again = open_box.run("never sent", step="s")
    assert again.resumed and again.state == "ok"
    assert (open_box.home / "late").read_text() == "late\n"


def test_a_timeout_while_another_step_holds_the_session(open_box: Box) -> None:
    first = open_box.start(f"until [ -e {open_box.folder}/go ]; do sleep 0.05; done; echo first")
    open_box.began(first)
    outcome = open_box.run("touch ran", timeout=0.4)
    assert outcome.state == "not_started" and "another step occupied the session" in outcome.reason
    (open_box.folder / "go").touch()
    assert first.result().state == "ok"
    assert open_box.text("ls") == ""


def test_wait_for_a_file(open_box: Box) -> None:
    open_box.run("cd /tmp/; cd - >/dev/null; mkdir -p sub; cd sub")
    (open_box.home / "there").touch()
    open_box.wait(file=str(open_box.home / "there"), timeout=60)
    open_box.wait(file="~/there", timeout=60)
    later = open_box.waiting(file="later ü", timeout=60)
    with pytest.raises(AssertionError):
        later.result(0.4)
    (open_box.home / "sub" / "later ü").touch()
    later.result()


def test_wait_for_a_port(open_box: Box) -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        port = server.getsockname()[1]
        running = open_box.waiting(port=port, timeout=60)
        with pytest.raises(AssertionError):
            running.result(0.4)
        server.listen()
        running.result()
    with pytest.raises(UsageError):
        open_box.wait(port=70000)


def test_wait_for_a_pattern(open_box: Box) -> None:
    open_box.run(
        "for i in 1 2 3; do sleep 0.2; printf '\\033[32mepoch %s\\033[0m loss\\r' $i; done; echo", background=True
    )
    found = open_box.wait(pattern=r"^epoch (2|3) loss$", timeout=60)
    assert found.line == "epoch 2 loss"
    assert open_box.wait(pattern="epoch 3", timeout=60).line == "epoch 3 loss"
    with pytest.raises(TimedOut):
        open_box.wait(pattern="epoch 1", timeout=0.3)


def test_a_pattern_does_not_match_the_command_itself(open_box: Box) -> None:
    open_box.run("sleep 0.3; echo do''ne", background=True)
    with pytest.raises(TimedOut):
        open_box.wait(pattern="sleep", timeout=0.8)
    assert open_box.wait(pattern="done", timeout=60).line == "done"


def test_a_pattern_that_was_printed_before_the_wait(open_box: Box) -> None:
    open_box.run("echo ready", background=True)
    time.sleep(0.3)
    open_box.run("seq 5")
    assert open_box.wait(pattern="ready", timeout=60).line == "ready"
    open_box.forget()
    assert open_box.wait(pattern="ready", since=0, timeout=60).line == "ready"


def test_a_wait_ends_in_time_while_a_step_never_stops_to_print(open_box: Box) -> None:
    open_box.run("yes", background=True)
    began = time.monotonic()
    with pytest.raises(TrainError) as caught:
        open_box.wait(pattern="never", timeout=1)
    assert caught.value.code == "wait_timed_out" and time.monotonic() - began < 30
    open_box.call(cli.close, "w")


def test_a_pattern_across_unfinished_lines(open_box: Box) -> None:
    open_box.run("printf 'log'; sleep 0.3; printf 'in: '; sleep 100", background=True)
    assert open_box.wait(pattern="^login: $", timeout=60).line == "login: "


def test_bad_waits(open_box: Box) -> None:
    for options in ({}, {"pattern": "("}, {"idle": "some"}, {"file": "a", "port": 1}):
        with pytest.raises(UsageError):
            open_box.wait(**options)


def test_wait_for_idle(open_box: Box) -> None:
    open_box.wait(idle="own", timeout=60)
    open_box.run("sleep 0.7; touch over", background=True)
    open_box.wait(idle="own", timeout=60)
    assert (open_box.home / "over").exists()


def test_what_keeps_a_wait_for_idle_is_named(open_box: Box) -> None:
    open_box.run("sleep 3041 & disown; sleep 3042", background=True)
    open_box.run("sleep 3043 & disown")
    with pytest.raises(TrainError) as caught:
        open_box.wait(idle="own", timeout=1)
    assert caught.value.code == "wait_timed_out"
    assert "sleep 3042" in caught.value.message and "sleep 3043" in caught.value.message


def test_idle_of_all_windows(open_box: Box) -> None:
    open_box.tmux("new-window", "-d", "-t", "=w:", "while [ ! -e go ]; do sleep 0.1; done")
    open_box.wait(idle="own", timeout=60)  # the other window is busy during the whole wait
    running = open_box.waiting(idle="all", timeout=60)
    with pytest.raises(AssertionError):
        running.result(0.6)
    (open_box.home / "go").touch()
    running.result()


def test_idle_fails_when_a_background_step_failed_once(open_box: Box) -> None:
    open_box.run("sleep 0.2; echo last words; exit 6", background=True, step="bad")
    with pytest.raises(TrainError) as caught:
        open_box.wait(idle="own", timeout=60)
    data = caught.value.data
    assert (caught.value.code, data["step"], data["status"], data["tail"]) == (
        "background_failed",
        "bad",
        6,
        ["last words"],
    )
    assert "exit 6\n  last words" in caught.value.message
    open_box.wait(idle="own", timeout=60)


@pytest.mark.parametrize("options", [{"pattern": "never"}, {"file": "/never"}, {"port": 1}, {"idle": "own"}])
@pytest.mark.parametrize("how", ["exit", "kill-session", "kill -9"])
def test_a_wait_ends_when_its_session_does(open_box: Box, how: str, options: dict[str, object]) -> None:
    open_box.run("sleep 100", background=True)
    running = open_box.waiting(timeout=60, **options)
    open_box.watched()
    if how == "exit":
        open_box.start("exit 3")
    elif how == "kill-session":
        open_box.tmux("kill-session", "-t", "=w")
    else:
        pid = int((open_box.session() / "pid").read_text().split()[0])
        os.kill(pid, signal.SIGKILL)
    with pytest.raises(TrainError) as caught:
        running.result()
    # The failed step is the one that ended with its session.
    assert caught.value.code == ("session_gone" if "pattern" in options else "lost")


def test_waits_of_sessions_that_are_not_there(open_box: Box) -> None:
    for options in ({"pattern": "x"}, {"file": "x"}, {"port": 1}, {"idle": "own"}):
        with pytest.raises(TrainError) as caught:
            open_box.wait("nosuch", timeout=60, **options)
        assert caught.value.code == "session_not_found"
    open_box.call(cli.close, "w")
    for options in ({"pattern": "x"}, {"file": "x"}, {"port": 1}, {"idle": "own"}):
        with pytest.raises(TrainError) as caught:
            open_box.wait("w", timeout=60, **options)
        assert caught.value.code == "session_gone"


def test_a_wait_can_be_cancelled(open_box: Box) -> None:
    running = open_box.waiting(file="/never", timeout=100)
    time.sleep(0.3)
    running.client.cancel()
    with pytest.raises(Cancelled):
        running.result()


def test_many_waits_at_once_delay_nothing(open_box: Box) -> None:
    waits = [open_box.waiting(file=f"/tmp/never-{n}", timeout=3) for n in range(30)]
    for n in range(5):
        assert open_box.text(f"echo {n}") == f"{n}\n"
    for wait in waits:
        with pytest.raises(TimedOut):
            wait.result()


def test_nothing_of_a_wait_is_left(open_box: Box) -> None:
    with pytest.raises(TimedOut):
        open_box.wait(file="/never", timeout=0.3)
    waits = open_box.home / ".local/state/tmux-trainsh/waits"
    wait_until(lambda: not [path for path in waits.rglob("*") if path.is_file()], "no file of it")
    open_box.forget()
    wait_until(lambda: not list(waits.iterdir()), "no folder of it")


def test_idle_notices_a_background_step_that_vanished(open_box: Box) -> None:
    open_box.run("sleep 100", background=True, step="b")
    group = int((open_box.session() / "steps" / "b.pid").read_text().split()[0])
    assert group > 1
    running = open_box.waiting(idle="own", timeout=60)
    os.killpg(group, signal.SIGKILL)
    with pytest.raises(TrainError) as caught:
        running.result()
    assert (caught.value.code, caught.value.data["step"], caught.value.data["status"]) == ("lost", "b", None)
