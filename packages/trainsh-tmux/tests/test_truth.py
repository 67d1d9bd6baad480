"""What train reports is what ran, also if the user or a step has changed the session's shell, terminal or
environment.

Each row of the matrix is one hostile setting, and every kind of step runs with it. Either the status is that of the
command, or the step is reported as not run. There is no third result.
"""

import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tmux_box import Box, wait_until, without_bash
from trainsh_base.errors import TrainError
from trainsh_tmux import cli

# What a step does to the session's shell. The other steps must work all the same.
HOSTILE = {
    "plain": ":",
    "PATH of nothing": "export PATH=/usr/local/cuda/bin",
    "PATH empty": "PATH=",
    "PATH unset": "unset PATH",
    "TMOUT": "TMOUT=1",
    "TMOUT read-only": "readonly TMOUT=1",
    "IFS of digits": "IFS=0123456789/",
    "IFS of letters": "IFS=abcdefghijklmnopqrstuvwxyz",
    "trap EXIT": "trap 'echo bye >/dev/null' EXIT",
    "trap ERR": "trap 'echo ERR $LINENO' ERR",
    "trap ERR everywhere": "trap 'echo ERR' ERR; set -E",
    "trap DEBUG": "trap 'true' DEBUG",
    "trap DEBUG everywhere": "trap 'true' DEBUG; set -T",
    "trap RETURN": "trap 'true' RETURN; set -T",
    "trap INT ignored": "trap '' INT",
    "trap TERM and HUP": "trap '' TERM HUP",
    "set -u": "set -u",
    "noclobber": "set -C",
    "noglob": "set -f",
    "pipefail and -v": "set -o pipefail; set -v",
    "set -x": "set -x",
    "posix": "set -o posix",
    "POSIXLY_CORRECT": "POSIXLY_CORRECT=1",
    "extdebug": "shopt -s extdebug",
    "failglob": "shopt -s failglob",
    "nullglob": "shopt -s nullglob dotglob",
    "nocasematch": "shopt -s nocasematch extglob; set -E",
    "no history": "set +o history; shopt -u expand_aliases",
    "monitor off": "set +m",
    "functions": "command() { :; }; printf() { :; }; read() { :; }; eval() { :; }; set() { :; }; test() { :; }",
    "more functions": "exit() { :; }; export() { :; }; cat() { :; }; stty() { :; }; rm() { :; }; exec() { :; }",
    "brackets": "[() { return 1; }; .() { :; }; unset() { :; }; shopt() { :; }",
    "builtins off": "enable -n printf read export kill",
    "more builtins off": "enable -n eval set shopt command exec . test '[' unset exit disown builtin",
    "all exported, words anywhere": "set -a; set -k; unset BASH_VERSION",
    "aliases": "alias command=: printf=: read=: eval=: set=: test=: [=: exit=: case=: while=: .=: exec=:",
    "PROMPT_COMMAND": "PROMPT_COMMAND='history -a'",
    "PROMPT_COMMAND array": "PROMPT_COMMAND=(true true)",
    "PROMPT_COMMAND read-only": "readonly PROMPT_COMMAND=true",
    "descriptors": "exec 9<&- 8<&- 7<&- 3<&- 10<&- 11<&-",
    "standard error elsewhere": "exec 2>/dev/null",
    "terminal raw": "stty raw -echo",
    "umask": "umask 777",
    "LC_ALL": "export LC_ALL=C",
    "CDPATH and -e later": "CDPATH=/tmp; ENV=/nowhere BASH_ENV=/nowhere; export ENV BASH_ENV",
    "loop control": "break 3; continue 3",
    "background of its own": "/bin/sleep 30 & :",
}

FINISH = "umask 077; exec 2>/dev/tty"


def statuses(box: Box, name: str = "w") -> None:
    """Run every kind of step. Each must have run, and must have its own status."""
    ran = box.home / f"ran-{name}"

    def did(line: str) -> bool:
        return line in (ran.read_text().split() if ran.exists() else [])

    outcome = box.run(f"echo one >>{ran}; /bin/sh -c 'exit 7'", name)
    assert (outcome.state, outcome.exit, did("one")) == ("failed", 7, True), box.client.events
    outcome = box.run(f"echo two >>{ran}\n\n\nif :; then\n/bin/sh -c 'exit 8'\nfi", name)
    assert (outcome.state, outcome.exit, did("two")) == ("failed", 8, True), box.client.events
    outcome = box.run(f"echo value; echo three >>{ran}; /bin/sh -c 'exit 9'", name, capture=True)
    assert (outcome.state, outcome.exit, did("three")) == ("failed", 9, True), box.client.events
    assert (outcome.captured or "").splitlines()[-1].endswith("value") or "value" in (outcome.captured or "")
    outcome = box.run(f"echo \"$KEY\" >>{ran}; /bin/sh -c 'exit 10'", name, secrets={"KEY": "s3cret"})
    assert (outcome.state, outcome.exit, did("s3cret")) == ("failed", 10, True), box.client.events
    assert (
        box.run(f"echo four >>{ran}; /bin/sh -c 'exit 11'", name, background=True, step=f"b{name}").state
        == "started"
    )
    ended = wait_until(
        lambda: (o := box.run("", name, step=f"b{name}", only_ask=True)).exit is not None and o,
        "the background step",
    )
    assert (ended.exit, did("four")) == (11, True)
    assert box.run(f"echo five >>{ran}; :", name).state == "ok" and did("five")


@pytest.mark.parametrize("setting", HOSTILE.values(), ids=HOSTILE)
def test_bash(box: Box, setting: str) -> None:
    box.open()
    box.run(setting)
    box.run(FINISH)
    statuses(box)


@pytest.mark.parametrize(
    "setting", [text for name, text in HOSTILE.items() if name in (
        "plain", "PATH of nothing", "PATH unset", "IFS of digits", "set -u", "noclobber", "noglob", "set -x", "TMOUT",
        "terminal raw", "trap EXIT", "trap INT ignored",
    )] + ["exec 9<&- 8<&- 7<&- 3<&-", "printf() { :; }; read() { :; }; cat() { :; }; test() { :; }; stty() { :; }"],
)  # fmt: skip
@pytest.mark.parametrize("shell", ["dash", "busybox"])
def test_a_plain_sh(box: Box, monkeypatch: pytest.MonkeyPatch, shell: str, setting: str) -> None:
    """Steps on a machine without bash."""
    without_bash(box, monkeypatch, shell)
    box.open()
    box.run(setting)
    box.run(FINISH)
    statuses(box)


LOGIN = {
    name: HOSTILE[name]
    for name in (
        "TMOUT read-only", "PATH of nothing", "trap ERR everywhere", "trap DEBUG everywhere", "extdebug", "functions",
        "brackets", "aliases", "PROMPT_COMMAND read-only", "descriptors", "posix", "IFS of digits", "set -u", "noclobber",
    )
}  # fmt: skip


@pytest.mark.faults
@pytest.mark.parametrize("setting", LOGIN.values(), ids=LOGIN)
def test_login_files(box: Box, setting: str) -> None:
    (box.home / ".bash_profile").write_text(setting + "\n")
    box.open()
    statuses(box)


def test_pkill_by_a_word_of_our_name_does_not_reach_sessions(box: Box) -> None:
    box.open("train", job="j-train")
    box.run("sleep 100", "train", job="j-train", background=True)
    assert len(box.processes(b"")) >= 4 and not box.processes(b"train")


def test_the_session_is_ended_under_a_step(box: Box) -> None:
    """tmux, pane and logger get TERM. An interactive bash ignores TERM, so it is left without a terminal."""
    box.open()
    shell, _ = (box.session() / "shell").read_text().split()
    server = box.tmux("display-message", "-p", "#{pid}").strip()
    running = box.start(f"(sleep 0.5; kill -KILL $PPID; kill {server}) & sleep 100", step="s1")
    box.began(running)
    assert running.result().state in ("lost", "session_ended")
    with pytest.raises(TrainError) as caught:
        box.run("touch ran; exit 7", step="s2")
    assert caught.value.code in ("not_started", "session_gone"), caught.value.message
    assert not (box.home / "ran").exists()
    wait_until(lambda: not Path(f"/proc/{shell}").exists(), "the shell without a terminal to end")


def test_the_session_and_its_logger_are_ended_under_a_step(box: Box) -> None:
    """Nothing outside the shell can tell then that its terminal is gone."""
    box.open()
    server = box.tmux("display-message", "-p", "#{pid}").strip()
    running = box.start(f"(sleep 0.5; kill $(pgrep -P {server}) {server}) & sleep 2", step="s1")
    assert running.result().state in ("lost", "session_ended")


def test_output_that_the_logger_lost_is_told_and_the_logger_runs_again(box: Box) -> None:
    box.open()
    server = box.tmux("display-message", "-p", "#{pid}").strip()
    box.run(
        f'for p in $(pgrep -P {server}); do [ "$p" = "$PPID" ] || kill -KILL "$p" $(pgrep -P "$p"); done; sleep 0.3; echo x'
    )
    assert any("may be missing" in line and "started again" in line for line in box.client.log), box.client.events
    assert box.text("echo on") == "on\n"


def test_a_background_step_begins_although_stderr_is_closed(box: Box) -> None:
    box.open()
    box.run("exec 2>&-")
    box.run("touch ran; exit 5", background=True, step="b")
    ended = wait_until(lambda: (o := box.run("", step="b", only_ask=True)).exit is not None and o, "its end")
    assert ended.exit == 5 and (box.home / "ran").exists()


def test_a_step_that_uses_up_the_descriptors_ends_the_session(box: Box) -> None:
    """The shell cannot open any file then, so it can begin nothing, and must not try for ever."""
    box.open()
    assert box.run("ulimit -n 3", timeout=60.0).state in ("session_ended", "lost")
    with pytest.raises(TrainError) as caught:
        box.run("touch ran")
    assert caught.value.code == "not_started" and not (box.home / "ran").exists()


def test_a_shell_that_is_left_alone_begins_nothing(box: Box) -> None:
    box.open()
    box.run(":")
    pane = int((box.session() / "pid").read_text().split()[0])
    shell = int((box.session() / "shell").read_text().split()[0])
    os.kill(shell, signal.SIGSTOP)
    step = box.session() / "steps" / "s2"
    step.write_text("touch ~/ran\n")
    with os.fdopen(os.open(box.session() / "fifo", os.O_RDWR), "w") as fifo:
        fifo.write("run s2 run - touch\n")
        fifo.flush()
        os.kill(pane, signal.SIGKILL)
        # Until that process has ended, the step may really begin, and then be ended by the hangup.
        wait_until(lambda: not Path(f"/proc/{pane}").exists(), "the end of the pane's first process")
        # The kernel continues a stopped process group that is orphaned. So the shell may have ended already.
        with suppress(ProcessLookupError):
            os.kill(shell, signal.SIGCONT)
        wait_until(lambda: not Path(f"/proc/{shell}").exists(), "its end")
    assert not (box.home / "ran").exists()
    status = step.with_suffix(".status")
    assert not status.exists() or status.read_text() == "none\n"


@pytest.mark.parametrize("readonly", ["", "readonly "])
def test_tmout_ends_nothing(box: Box, readonly: str) -> None:
    (box.home / ".bash_profile").write_text(f"{readonly}TMOUT=1\n")
    box.open()
    assert box.text("sleep 2.5; echo THE REST") == "THE REST\n"
    box.ctrl_c()
    time.sleep(1.5)
    assert box.text("sleep 1.5; echo on") == "on\n"


@pytest.mark.parametrize(
    "replaced", ["PROMPT_COMMAND='history -a'", "PROMPT_COMMAND=(a b)", "unset PROMPT_COMMAND"]
)
def test_ctrl_c_after_prompt_command_was_replaced_in_the_step(box: Box, replaced: str) -> None:
    (box.home / ".bashrc").write_text(f"{replaced}\nPS1='mine> '\n")
    box.open()
    running = box.start("source ~/.bashrc && sleep 100")
    box.began(running)
    wait_until(lambda: box.processes(b"sleep\x00100"), "the command behind the file")
    box.keys("C-c")
    assert running.result().exit == 130
    assert box.text("echo on") == "on\n"


def test_ctrl_c_where_words_of_the_shell_are_aliases(box: Box) -> None:
    box.open()
    box.run(HOSTILE["aliases"])
    running = box.start("sleep 100")
    box.began(running)
    box.keys("C-c")
    assert running.result().exit == 130
    assert box.text("echo on") == "on\n"


def test_a_step_that_replaces_the_shell_is_told_at_once(box: Box) -> None:
    box.open()
    began = time.monotonic()
    try:
        outcome = box.run('echo installed && exec "${SHELL:-bash}"')
        assert outcome.state == "session_ended", outcome
    except TrainError as error:
        assert error.code == "session_ended", error
    assert time.monotonic() - began < 50 and "installed" in box.client.text
    assert box.open().fresh
    assert box.text("echo on") == "on\n"


@pytest.mark.parametrize("when", ["in the step", "before the step"])
def test_a_trap_that_skips_every_command_is_told_at_once(box: Box, when: str) -> None:
    """With extdebug, bash runs no command that its DEBUG trap rejects, and so none of train's commands either."""
    box.open()
    trap = "shopt -s extdebug; trap false DEBUG"
    began = time.monotonic()
    outcome = box.run(trap + ("; touch ran" if when == "in the step" else ""), step="s1", timeout=120.0)
    assert outcome.state == "session_ended" and "DEBUG trap" in outcome.reason, outcome
    with pytest.raises(TrainError) as caught:
        box.run("touch ran", step="s2", timeout=120.0)
    assert caught.value.code in ("not_started", "session_gone")
    assert time.monotonic() - began < 100 and not (box.home / "ran").exists()
    assert box.open().fresh and box.text("echo on") == "on\n"


@pytest.mark.parametrize(
    ("command", "status"),
    [("set -u; echo $nosuch; echo rest", 1), ("echo ${x:?none}; echo rest", 1), ("readonly R=1; R=2; echo rest", 1),
     ("shopt -s failglob; echo /nosuch*; echo rest", 1)],
)  # fmt: skip
def test_what_throws_the_shell_to_its_top_level_has_its_own_status(box: Box, command: str, status: int) -> None:
    box.open()
    outcome = box.run(command)
    assert (outcome.state, outcome.exit) == ("failed", status) and "\nrest" not in box.client.text
    box.run("set +u; shopt -u failglob")
    assert box.text("echo on") == "on\n"


def test_an_err_trap_reports_the_users_lines_alone(box: Box) -> None:
    box.open()
    box.run("trap 'echo \"ERR $LINENO ${BASH_SOURCE[0]}\"' ERR")
    box.run("true\nfalse")
    told = [line for line in box.client.text.splitlines() if "ERR" in line]
    assert len(told) == 1 and told[0].startswith("ERR 2 ") and "driver" not in told[0]


def test_the_users_own_tmux_is_what_a_step_reaches(box: Box) -> None:
    box.open()
    assert box.text('echo "<${TMUX-}${TMUX_PANE-}>"') == "<>\n"
    assert box.text("tmux new-session -d -s vllm 'sleep 55'; tmux ls | cut -d: -f1") == "vllm\n"
    seen = subprocess.run(["tmux", "ls"], capture_output=True, text=True, check=True)
    assert seen.stdout.startswith("vllm:")
    assert box.run("tmux kill-server").state == "ok"
    assert box.text("echo on") == "on\n"


def test_pagers_do_not_start_in_a_recipe_but_the_users_do(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    show = 'echo "$PAGER $GIT_PAGER $SYSTEMD_PAGER $DEBIAN_FRONTEND"'
    monkeypatch.setenv("GIT_PAGER", "mine")
    box.open(job="j1")
    assert box.text(show, job="j1") == "cat mine cat noninteractive\n"
    box.call(cli.release, "w", job="j1")
    box.open("hand")
    assert box.text("echo ${PAGER-unset}", "hand") == "unset\n"


def test_half_of_a_virtual_environment_is_not_inherited(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIRTUAL_ENV", "/nowhere/venv")
    monkeypatch.setenv("PATH", f"/nowhere/venv/bin:{os.environ['PATH']}")
    box.open()
    assert box.text('echo "<${VIRTUAL_ENV-}>"; case $PATH in */nowhere/venv/bin*) echo half ;; esac') == "<>\n"


def test_a_secret_by_any_name_of_its_kind_is_not_inherited(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    for name in ("MY_SECRET", "SMTP_PASSWORD", "WANDB_API_KEY", "SLACK_TOKEN"):
        monkeypatch.setenv(name, "s3cretValue\udcff")  # a byte that is not UTF-8
    box.open()
    server = box.tmux("display-message", "-p", "#{pid}").strip()
    assert b"s3cretValue" not in Path(f"/proc/{server}/environ").read_bytes()
    assert "s3cretValue" not in box.text("env")


@pytest.mark.parametrize("ends", ["", "; exit 3"])
def test_printed_sentinels_are_output(box: Box, ends: str) -> None:
    box.open()
    for letter, fields in (("e", "s1;0"), ("n", "abc"), ("x", "0"), ("r", "1"), ("o", "s1"), ("l", "")):
        code = f"printf '\\033]7770;{letter};{fields}\\007\\033]7770;0123456789abcdef;{letter};{fields}\\007'"
        outcome = box.run(f"{code}; sleep 0.2; /bin/sh -c 'exit 4'", step=f"s-{letter}")
        assert (outcome.state, outcome.exit) == ("failed", 4)


def test_a_trainer_has_its_grace_and_its_workers_end_too(box: Box) -> None:
    """A checkpoint takes 0.7 s after INT, and TERM comes 3 s after INT.

    Two workers in sessions of their own ignore all signals; one lacks our mark.
    """
    (box.home / "trainer.py").write_text(
        "import os, signal, subprocess, sys, time\n"
        "worker = 'import signal, time; [signal.signal(n, signal.SIG_IGN) for n in (2, 15)]; time.sleep(300)'\n"
        "for env in (None, {'TRAINSH_WORLD': os.environ['TRAINSH_WORLD']}):\n"
        "    subprocess.Popen([sys.executable, '-c', worker], start_new_session=True, env=env)\n"
        "def save(*_):\n"
        "    time.sleep(0.7); open('saved', 'w').write('whole'); sys.exit(0)\n"
        "signal.signal(signal.SIGINT, save)\n"
        "print('up', flush=True)\n"
        "time.sleep(300)\n"
    )
    box.open()
    for seconds in (1.5, 6.0, 30.0):  # a busy machine may need longer to come to the handler
        outcome = box.run("python3 trainer.py", timeout=seconds, grace=6.0)
        if "up" in box.client.text:
            break
    assert outcome.state == "timeout" and outcome.survived == []
    assert (box.home / "saved").read_text() == "whole"
    assert not box.processes(b"SIG_IGN"), "the step is not over while its workers run"
    assert box.text("echo on") == "on\n"


def test_a_session_opened_again_gets_back_what_it_had(box: Box) -> None:
    box.open()
    box.run(
        "cd /usr; export MODEL='a b' DERIVED; f() { echo \"f $1\"; }; alias hi='echo hello'; set -o pipefail; shopt -s nullglob"
    )
    box.run('DERIVED="x-$TOKEN"; export DERIVED', secrets={"TOKEN": "s3cretValue"}, step="last")
    box.call(cli.close, "w")
    snapshot = (box.session() / "snapshot").read_text()
    assert "s3cretValue" not in snapshot
    session = box.open(restore=True)
    assert session.restored and session.covers == "last" and session.left_out == ["DERIVED"]
    text = box.text('pwd; echo "$MODEL<${DERIVED-}>"; f 1; hi; false | true; echo $?; echo /nosuch*')
    assert text == "/usr\na b<>\nf 1\nhello\n1\n\n"
    box.call(cli.close, "w")
    assert not box.open().restored
    assert box.text('echo "<${MODEL-}>"') == "<>\n"


def test_a_session_that_dies_idle_gets_back_what_it_had(box: Box) -> None:
    box.open()
    box.run("export KEPT=1; cd /usr", step="s1")
    box.covered("s1")
    box.kill_server()
    session = box.open(restore=True)
    assert session.restored and session.covers == "s1"
    assert box.text('echo "$PWD $KEPT"') == "/usr 1\n"
