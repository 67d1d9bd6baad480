"""Steps on this machine: what lasts after a step, what ends a step, what steps print."""

import hashlib
import os
from pathlib import Path

import pytest

from tmux_box import Box
from trainsh_base.errors import TrainError
from trainsh_tmux.step.failures import NotStarted


@pytest.fixture
def open_box(box: Box) -> Box:
    """A session `w` is open."""
    box.open()
    return box


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("cd /usr", "pwd", "/usr\n"),
        ("export A=1", "sh -c 'echo $A'", "1\n"),
        ("A='x y'", 'echo "$A"', "x y\n"),
        ("alias hi='echo hello'", "hi there", "hello there\n"),
        ("declare B=2", 'echo "$B"', "2\n"),
        ("declare -A M=([k]=v)", 'echo "${M[k]}"', "v\n"),
        ("f() { echo f$1; }", "f 1", "f1\n"),
        ("set -o pipefail", "false | true; echo $?", "1\n"),
        ("shopt -s nullglob", "echo /nowhere/*", "\n"),
        ("umask 027", "umask", "0027\n"),
        ("trap 'echo usr1' USR1", "kill -USR1 $$; :", "usr1\n"),
        ("set -- a b", "echo $#", "2\n"),
        ("IFS=:", "x=a:b; set -- $x; echo $2", "b\n"),
        ("IFS=0123456789", "echo fine", "fine\n"),
        ("set -u", "echo ${A-unset}; echo $-| grep -c u", "unset\n1\n"),
        ("set -f", "echo *", "*\n"),
        ("set -C", "echo $- | grep -c C", "1\n"),
        ("exec 3>three; echo x >&3", "echo y >&3; cat three", "x\ny\n"),
        ("break", "echo fine", "fine\n"),
        ("while :; do break 5; done", "echo fine", "fine\n"),
        ("continue 3", "echo fine", "fine\n"),
        ("exec 9<&-", "echo fine", "fine\n"),
        ("printf() { echo mine; }", "printf x", "mine\n"),
        (
            "alias printf='echo aliased' read='echo r' .='echo dot' set='echo s' eval='echo e'",
            "echo fine",
            "fine\n",
        ),
        ("command() { echo mine; }; test() { echo mine; }; builtin() { :; }", "echo fine", "fine\n"),
        ("POSIXLY_CORRECT=1", "echo fine", "fine\n"),
        ("TMOUT=1; sleep 0.1", "sleep 1.5; echo fine", "fine\n"),
        ("readonly PROMPT_COMMAND", "echo fine", "fine\n"),
        ("trap 'echo debug' DEBUG; trap - DEBUG", "echo fine", "fine\n"),
        ("stty -echo -icanon", "echo fine", "fine\n"),
    ],
    ids=lambda value: value.replace("\n", "|") if isinstance(value, str) else None,
)
def test_lasts(open_box: Box, first: str, second: str, expected: str) -> None:
    open_box.run(first)
    assert open_box.text(second) == expected


@pytest.mark.parametrize(
    ("command", "status", "text"),
    [
        ("true", 0, ""),
        ("false", 1, ""),
        ("(exit 7)", 7, ""),
        ("return 5", 5, ""),
        ("nosuchprogram-x 2>/dev/null", 127, ""),
        ("(kill -KILL $BASHPID)", 137, "Killed\n"),
        ("sh -c 'kill -SEGV $$'", 139, "Segmentation fault\n"),
        ("echo a; echo b >&2", 0, "a\nb\n"),
        ("printf 'no newline'", 0, "no newline"),
        ("", 0, ""),
        ("# nothing", 0, ""),
        ("cat", 0, ""),
        ("echo 'it''s' \"q\\\"q\" `echo b` $((6*7)) \\\\", 0, 'its q"q b 42 \\\n'),
        ("case x in x) echo y;; esac", 0, "y\n"),
        ("cat <<'E'\n$HOME `x` ' \"\nE", 0, "$HOME `x` ' \"\n"),
        ("echo 'ü→☃'", 0, "ü→☃\n"),
        ("if true; then", 2, None),
    ],
)
def test_status_and_output(open_box: Box, command: str, status: int, text: str | None) -> None:
    if command == "cat":  # it waits for the end of file of a terminal
        running = open_box.start(command)
        open_box.began(running)
        open_box.keys("C-d")
        outcome = running.result()
        assert (outcome.exit, running.client.text.strip("\n")) == (0, "")
        return
    outcome = open_box.run(command)
    assert outcome.exit == status
    assert outcome.state == ("ok" if status == 0 else "failed")
    if text is not None:
        assert open_box.client.text == text
    assert open_box.text("echo next") == "next\n"


def test_killed_by_a_signal_says_which(open_box: Box) -> None:
    outcome = open_box.run("sh -c 'kill -SEGV $$'")
    assert outcome.reason == "killed by SIGSEGV"
    outcome = open_box.run("sh -c 'kill -STOP $$'")
    assert (outcome.exit, outcome.reason) == (147, "stopped by SIGSTOP (exit 147)")


@pytest.mark.parametrize("command", ["exit 3", "exec sh -c 'exit 3'", "set -e; (exit 3)", "kill -KILL $$"])
def test_what_ends_the_session(open_box: Box, command: str) -> None:
    outcome = open_box.run(command)
    expected = 137 if "KILL" in command else 3
    assert (outcome.state, outcome.exit) == ("session_ended", expected)
    with pytest.raises(NotStarted) as caught:
        open_box.run("echo more")
    assert "is not running" in caught.value.data["reason"]
    assert open_box.open().fresh
    assert open_box.text("echo again") == "again\n"


def test_exit_in_a_step_before_set_e(open_box: Box) -> None:
    open_box.run("set -e")
    assert open_box.text("true") == ""
    assert open_box.run("false").exit == 1
    with pytest.raises(TrainError):
        open_box.run("true")


def test_a_here_document_of_100_kilobytes(open_box: Box) -> None:
    lines = [f"line {n}: ' \" ` $HOME ${{x}} $(rm) \\ \\n ! # & | ; ü→☃ \t end" for n in range(1900)]
    body = "\n".join(lines) + "\n"
    assert len(body.encode()) > 100_000
    open_box.run(f"cat >file <<'END OF IT'\n{body}END OF IT")
    assert hashlib.sha256((open_box.home / "file").read_bytes()).digest() == hashlib.sha256(body.encode()).digest()
    assert open_box.text("wc -l <file").strip() == "1900"


def test_binary_and_escapes_come_through(open_box: Box) -> None:
    outcome = open_box.run(r"printf '\033[31mred\033[0m \001\002 50%%\r60%%\r\n'")
    assert open_box.client.text == "\x1b[31mred\x1b[0m \x01\x02 50%\r60%\r\n"
    assert outcome.tail[-1] == "60%" or "60%" in outcome.tail


def test_output_that_looks_like_marks_is_no_mark(open_box: Box) -> None:
    assert "after" in open_box.text(r"printf '\033]7770;e;other;0\007'; echo after")


def test_the_end_of_a_background_step_leaves_no_gap_in_a_later_steps_output(open_box: Box) -> None:
    open_box.run("until [ -e go ]; do sleep 0.02; done; exit 3", background=True, step="b")
    text = open_box.text(
        "echo one; touch go; while kill -0 $!; do sleep 0.02; done 2>/dev/null; sleep 0.2; echo two"
    )
    assert text == "one\ntwo\n"


def test_tail_is_the_end_of_the_output(open_box: Box) -> None:
    outcome = open_box.run("seq 1000; (exit 4)")
    assert outcome.tail == [str(n) for n in range(981, 1001)]
    assert outcome.bytes == sum(len(str(n)) + 2 for n in range(1, 1001))


def test_capture(open_box: Box) -> None:
    outcome = open_box.run("echo ' a b'; echo err >&2; cd /usr", capture=True)
    assert outcome.captured == "a b"
    assert "a b" in open_box.client.text and "err" in open_box.client.text
    assert open_box.text("pwd") == "/usr\n"


def test_capture_of_much_and_of_bytes(open_box: Box) -> None:
    outcome = open_box.run("seq 20000; printf 'ü\\n'", capture=True)
    assert outcome.captured == "\n".join(str(n) for n in range(1, 20001)) + "\nü"


def test_ctrl_c_ends_the_step_and_not_the_session(open_box: Box) -> None:
    open_box.run("cd /usr; A=1")
    running = open_box.start("sleep 100; echo rest")
    open_box.began(running)
    open_box.keys("C-c")
    outcome = running.result()
    assert (outcome.state, outcome.exit, outcome.reason) == ("failed", 130, "killed by SIGINT")
    assert "rest" not in running.client.text
    assert open_box.text("pwd; echo $A") == "/usr\n1\n"


def test_ctrl_c_between_steps_does_nothing(open_box: Box) -> None:
    for _ in range(3):
        open_box.ctrl_c()
        assert open_box.text("echo on") == "on\n"


def test_ctrl_z_does_nothing(open_box: Box) -> None:
    open_box.keys("C-z")
    running = open_box.start("read -t 30 -r line </dev/tty; echo got $line")
    open_box.began(running)
    open_box.keys("C-z", "go", "Enter")
    assert running.result().state == "ok"
    assert "got" in running.client.text
    assert open_box.text("echo on") == "on\n"


@pytest.mark.parametrize(
    "typed", [("touch typed", "Enter"), ("touch typed",), ("touch typed", "Enter", "echo half")]
)
def test_what_was_typed_before_is_no_input_and_never_runs(open_box: Box, typed: tuple[str, ...]) -> None:
    open_box.keys(*typed)
    outcome = open_box.run('read -t 0.3 -r line </dev/tty; echo "got<$line>"')
    assert "got<>" in open_box.client.text, outcome
    open_box.run('read -t 0.3 -n 1 c </dev/tty; echo "got<$c>"')
    assert "got<>" in open_box.client.text
    running = open_box.start("sleep 0.3")
    open_box.began(running)
    open_box.keys(*typed)
    running.result()
    open_box.ctrl_c()
    assert open_box.text("ls") == ""


def test_copy_mode_is_no_hindrance(open_box: Box) -> None:
    open_box.tmux("copy-mode", "-t", "=w:")
    assert open_box.text("echo on") == "on\n"


def test_a_step_may_read_what_is_typed_meanwhile(open_box: Box) -> None:
    running = open_box.start('read -r line; echo "got $line"')
    open_box.began(running)
    open_box.keys("an answer", "Enter")
    assert running.result().state == "ok"
    assert "got an answer" in running.client.text


def test_stdin_of_a_step_is_the_terminal(open_box: Box) -> None:
    assert open_box.text("[ -t 0 ] && [ -t 1 ] && [ -t 2 ] && echo tty") == "tty\n"


def test_the_fifo_is_not_inherited(open_box: Box) -> None:
    text = open_box.text("ls -l /proc/self/fd; sh -c 'ls -l /proc/self/fd'; (exec ls -l /proc/self/fd) & wait")
    assert "pts" in text and "w/fifo" not in text


def test_standard_output_elsewhere(open_box: Box) -> None:
    open_box.run("exec 4>&1 >out.txt 2>&1")
    assert open_box.text("echo hidden") == ""
    open_box.run("exec >&4 2>&4")
    assert open_box.text("cat out.txt") == "hidden\n"


def test_set_x_shows_the_step_only(open_box: Box) -> None:
    open_box.run("set -x")
    open_box.run("echo a")
    assert open_box.client.text.replace("\r", "").splitlines()[-1] == "a"
    assert "__train" not in open_box.client.text
    open_box.run("set +x")
    assert open_box.text("echo b") == "b\n"


def test_debug_traps_and_err_traps(open_box: Box) -> None:
    open_box.run("trap 'echo dbg' DEBUG; trap 'echo err' ERR")
    assert open_box.run("false").exit == 1
    assert open_box.run("true").exit == 0
    assert "on\n" in open_box.text("echo on")


def test_a_step_without_a_session(box: Box) -> None:
    outcome = box.call(lambda: __import__("trainsh_tmux").cli.run("echo alone; exit 4"))
    assert (outcome.exit, box.client.text) == (4, "alone\n")
    assert not list((box.home / ".local/state/tmux-trainsh/sessions").rglob("log.*"))


def test_many_steps_in_order(open_box: Box) -> None:
    for n in range(100):
        assert open_box.text(f"echo {n}") == f"{n}\n"


def test_output_is_complete_when_a_step_is_over(open_box: Box) -> None:
    for _ in range(20):
        open_box.run("seq 3000")
        assert open_box.client.text == "".join(f"{n}\n" for n in range(1, 3001))


def test_two_sessions_side_by_side(box: Box) -> None:
    box.open("a")
    box.open("b")
    slow = box.start("while [ ! -e go ]; do sleep 0.05; done; echo slow", "a")
    box.began(slow)
    assert box.text("echo quick", "b") == "quick\n"
    assert slow.running
    (box.home / "go").touch()
    assert slow.result().state == "ok"


def test_steps_of_one_session_queue(open_box: Box) -> None:
    first = open_box.start("sleep 0.5; echo first >>order")
    open_box.began(first)
    second = open_box.start("echo second >>order")
    assert second.result().state == "ok" and first.result().state == "ok"
    assert (open_box.home / "order").read_text() == "first\nsecond\n"


def test_folders_are_private_and_files_of_steps_have_the_mode_of_the_account(open_box: Box) -> None:
    mask = os.umask(0o077)  # the machine's sshd was started by this process
    os.umask(mask)
    assert open_box.text("umask; : >made") == f"{mask:04o}\n"
    assert (open_box.home / "made").stat().st_mode & 0o777 == 0o666 & ~mask
    for path in [open_box.session(), *(each for each in open_box.session().rglob("*") if each.is_dir())]:
        assert path.stat().st_mode & 0o077 == 0, path
    assert Path(open_box.home / ".local/state/tmux-trainsh").stat().st_mode & 0o077 == 0
