"""People in a session: their login files, the keys that they press, and a pane that is given to them and taken
back.
"""

import contextlib
import os
import shutil
import time
from pathlib import Path

import pytest

from tmux_box import Box, Running, wait_until
from trainsh_base.errors import Cancelled, TrainError
from trainsh_base.testing import Terminal
from trainsh_tmux import cli

HOSTILE = {
    "prints": "echo Welcome; printf 'no newline'; echo err >&2",
    "exec-zsh": "exec zsh",
    "exec-sh": "exec sh",
    "exit": "exit 3",
    "set-e": "set -e; false",
    "set-u": "set -u",
    "set-C": "set -C -f",
    "set-n-failing": "nosuch-command; return 7",
    "aliases": "alias printf='echo aliased' read='echo r' .='echo dot' source='echo s' [='echo b' echo='echo e'",
    "functions": "command() { builtin echo mine; }; test() { return 1; }; printf() { :; }; read() { :; }; cat() { :; }",
    "prompt-command": "PROMPT_COMMAND='echo prompted'; PS1='\\w> '; PS0=zero",
    "prompt-array": "PROMPT_COMMAND=('echo one' 'echo two')",
    "prompt-readonly": "readonly PROMPT_COMMAND='echo prompted'",
    "trap-debug": "trap 'echo debug' DEBUG; set -T; trap 'echo bye' EXIT",
    "ifs": "IFS=abcdefghijklmnopqrstuvwxyz0123456789/",
    "asks": "read -r -p 'Your name? ' name; read -r other </dev/tty; echo $name",
    "sleeps": "sleep 100",
    "tmout": "readonly TMOUT=1",
    "closes": "exec 9<&- 3>&-",
    "stty": "stty -icanon echo",
    "bind": "set -o vi; bind 'set editing-mode vi'",
    "path": "PATH=/usr/bin:/bin",
    "posix": "set -o posix",
    "history": "HISTCONTROL=; set -o history; shopt -s histappend",
    "syntax": "if then fi",
    "cd": "cd /",
    "tmux": 'command -v tmux >/dev/null && [ -z "$TMUX" ] && exec tmux',
    "loops": "trap 'echo again' ERR; set -E",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_login_files(box: Box, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    falls_back = text in (HOSTILE[name] for name in FALLS_BACK if name in HOSTILE)
    monkeypatch.setenv("TRAINSH_TMUX_LOGIN_LIMIT", "1.5s" if falls_back else "60s")
    (box.home / ".bash_profile").write_text("export SEEN=1\n. ~/.bashrc\n")
    (box.home / ".bashrc").write_text(text + "\n")
    session = box.open()
    outcome = box.run("echo one two; (exit 3)")
    assert outcome.exit == 3, box.client.events
    assert "one two\n" in box.client.text or "mine" in box.client.text or "debug" in box.client.text
    assert box.run("cd /usr").state == "ok"
    box.run("pwd")
    assert "/usr" in box.client.text
    running = box.start("sleep 50; echo rest")
    box.began(running)
    box.keys("C-c")
    assert running.result().exit == 130 and "\nrest" not in running.client.text
    assert box.run("sleep 1.2").state == "ok"
    assert bool(session.notes) == falls_back


FALLS_BACK = ("exec-zsh", "exec-sh", "exit", "set-e", "asks", "sleeps")


def test_a_shell_that_starts_in_a_closed_session_does_not_open_it_again(box: Box) -> None:
    (box.home / ".bash_profile").write_text("until [ -e ~/go ]; do sleep 0.05; done\n")
    opening = Running(lambda: cli.open_(box.host, "w"))
    wait_until(lambda: (box.session() / "began").exists(), "the shell's start")
    opening.client.cancel()
    with pytest.raises(Cancelled):
        opening.result(10)  # sooner than the limit of the login files
    (box.session() / "pid").unlink()  # closing removes it, before tmux ends the shell
    (box.home / "go").touch()
    state = box.session() / "state"
    wait_until(lambda: state.exists() and state.read_text() == "closed\n", "the shell's end")
    assert not (box.session() / "open").exists()


def test_login_files_are_a_login_shells(box: Box) -> None:
    (box.home / ".profile").write_text("export FROM_PROFILE=1\nalias hi='echo hello'\n")
    box.open()
    assert box.text("echo $FROM_PROFILE; hi; case $- in *i*) echo interactive;; esac") == "1\nhello\ninteractive\n"


def test_what_the_login_files_print_is_no_output_of_a_step(box: Box) -> None:
    (box.home / ".bash_profile").write_text("echo Welcome\n")
    box.open()
    assert box.text("echo x") == "x\n"


def test_release_makes_an_ordinary_shell_and_open_takes_it_back(box: Box) -> None:
    box.open()
    box.run("cd /usr; export KEPT=1; local_too=2")
    box.keys("touch typed", "Enter")
    assert box.call(cli.release, "w").done == "released"
    assert box.call(cli.release, "w").done == "released"
    assert not (box.home / "typed").exists()
    box.keys('pwd >$HOME/where; echo "$KEPT$local_too" >>$HOME/where; export BY_HAND=3', "Enter")
    wait_until(lambda: (box.home / "where").exists() and (box.home / "where").read_text().count("\n") == 2)
    assert (box.home / "where").read_text() == "/usr\n12\n"
    session = box.open()
    assert not session.fresh and not session.notes
    assert box.text("pwd; echo $KEPT$local_too$BY_HAND") == "/usr\n123\n"
    assert not list(Path("/usr").glob("typed"))


def test_a_step_takes_a_released_session_back(box: Box) -> None:
    box.open()
    box.run("cd /usr")
    box.call(cli.release, "w")
    box.keys("half a line")
    assert box.text("pwd") == "/usr\n"
    box.call(cli.release, "w")
    box.tmux("copy-mode", "-t", "=w:")
    assert box.text("pwd") == "/usr\n"


def test_a_released_session_that_is_busy_goes_on_in_a_new_window(box: Box) -> None:
    first = box.open()
    box.run("cd /usr; X=1; export Y=2", step="001-1")
    box.call(cli.release, "w")
    box.keys("sleep 300", "Enter")
    wait_until(lambda: "sleep" in box.tmux("list-panes", "-t", "=w:", "-F", "#{pane_current_command}"), "the sleep")
    session = box.open()
    assert session.fresh and "variables that the steps had left" in session.notes[0]
    assert session.restored and session.covers == "001-1" and session.session != first.session
    assert box.text('pwd; echo "<$X$Y>"') == "/usr\n<12>\n"
    assert "sleep" in box.tmux("list-panes", "-s", "-t", "=w", "-F", "#{pane_current_command}")
    # The end of the old window is not the end of the session.
    box.tmux("kill-window", "-t", "=w:0")
    assert box.text("echo on") == "on\n"
    assert box.open().fresh is False


def test_release_while_a_step_runs(box: Box) -> None:
    box.open()
    running = box.start("until [ -e go ]; do sleep 0.05; done; echo over")
    box.began(running)
    assert "when its step ends" in box.call(cli.release, "w").done
    (box.home / "go").touch()
    assert running.result().state == "ok"
    assert box.text("echo on") == "on\n"


def test_a_session_under_another_shell_by_hand(box: Box) -> None:
    box.open()
    box.run("cd /usr")
    box.call(cli.release, "w")
    box.keys("exec zsh -f", "Enter")
    wait_until(lambda: "zsh" in box.tmux("list-panes", "-t", "=w:", "-F", "#{pane_current_command}"), "zsh")
    session = box.open()
    assert session.fresh
    assert box.text("pwd") == "/usr\n"


def test_windows_that_people_open_do_not_matter(box: Box) -> None:
    box.open()
    box.tmux("new-window", "-t", "=w:", "sh")
    assert box.text("echo on") == "on\n"
    assert any("on" in line for line in box.call(cli.capture, "w").lines)
    box.tmux("split-window", "-t", "=w:0", "sh")
    box.tmux("resize-window", "-t", "=w:0", "-x", "40", "-y", "10")
    assert box.text("echo still") == "still\n"


def test_attached_people_see_what_they_type_into_a_step(box: Box) -> None:
    box.open()
    person = Terminal(["tmux", "-L", "train", "attach-session", "-t", "=w"])
    wait_until(lambda: (box.session() / "attached").exists(), "the note that somebody is there")
    running = box.start("read -r line; echo got $line")
    box.began(running)
    person.type("visible\r")
    running.result()
    assert running.client.text.count("visible") == 2
    [row] = box.call(cli.list_, host=["local"])
    assert row.attached
    person.type("\x02d")
    assert person.wait() == 0
    wait_until(lambda: not (box.session() / "attached").exists(), "the note that nobody is there")
    assert box.text("echo on") == "on\n"


def test_attach_hands_over(box: Box) -> None:
    box.open()
    assert box.call(cli.attach, "w").argv[-4:] == ["-L", "train", "attach-session", "-t", "=w"][-4:]
    with pytest.raises(TrainError) as caught:
        box.call(cli.attach, "nosuch")
    assert caught.value.code == "session_not_found"


def test_send_and_capture(box: Box) -> None:
    box.open()
    running = box.start('read -r a; echo "<$a>"')
    box.began(running)
    box.call(cli.send, "w", 'it\'s -x; "quoted" $HOME', enter=True)
    running.result()
    assert '<it\'s -x; "quoted" $HOME>' in running.client.text
    running = box.start("sleep 100")
    box.began(running)
    box.call(cli.send, "w", "C-c", keys=True)
    assert running.result().exit == 130
    assert any("sleep 100" in line for line in box.call(cli.capture, "w").lines)
    with pytest.raises(TrainError):
        box.call(cli.capture, "nosuch")
    with pytest.raises(TrainError):
        box.call(cli.send, "nosuch", "x")


def test_sessions_of_long_ago_go_by_themselves(box: Box) -> None:
    """A session that was closed a week ago is removed. One that ended in another way is kept for a month.

    This is checked once a day.
    """
    for name in ("closed", "ended", "recent"):
        box.open(name)
        box.call(cli.close, name)
    (box.session("ended") / "state").write_text("ended 1\n")
    swept = box.home / ".local/state/tmux-trainsh/swept"
    wait_until(swept.exists, "the first look")
    swept.unlink()
    long_ago = time.time() - 8 * 86400
    for name in ("closed", "ended"):
        for path in (*box.session(name).rglob("*"), box.session(name)):
            with contextlib.suppress(FileNotFoundError):
                os.utime(path, (long_ago, long_ago))
    box.open()
    wait_until(lambda: not box.session("closed").exists(), "the old session to go")
    assert box.session("ended").exists() and box.session("recent").exists()


def test_a_provider_that_cannot_be_asked_is_no_host(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from trainsh_tmux.session import listing

    (tmp_path / "hosts.toml").touch()
    monkeypatch.setenv("TRAINSH_HOME", str(tmp_path))
    rows = [{"name": "gpu", "type": "ssh"}, {"name": "shed:", "type": "shed", "problem": "locked"}]
    # No installed provider refuses to answer on request, so train-host's answer is given here.
    monkeypatch.setattr(listing, "call", lambda *_, **__: rows)
    assert listing.configured() == ["gpu"]


# A tmux that cannot read commands from its input; with HOOKS=no, it does not know the hooks of tmux.conf either.
OLD_TMUX = """#!/bin/sh
for last; do :; done
if [ "$last" = - ]; then
    left=$#
    for word; do
        shift
        [ "$left" -le 3 ] || set -- "$@" "$word"
        left=$((left - 1))
    done
    REAL "$@" </dev/null
    exit 1
fi
case "HOOKS $*" in "no "*tmux.conf*) exit 1 ;; esac
exec REAL "$@"
"""


@pytest.mark.parametrize("hooks", ["yes", "no"])
def test_an_old_tmux(box: Box, monkeypatch: pytest.MonkeyPatch, hooks: str) -> None:
    old, real = box.folder / "old", shutil.which("tmux") or ""
    old.mkdir()
    (old / "tmux").write_text(OLD_TMUX.replace("REAL", real).replace("HOOKS", hooks))
    (old / "tmux").chmod(0o755)
    monkeypatch.setenv("PATH", f"{old}:{os.environ['PATH']}")
    box.forget()
    session = box.open()
    assert (session.fresh, (box.session() / "typed").exists()) == (True, hooks == "no")
    assert box.run("true").state == "ok"
    # The session has its name.
    assert box.call(cli.send, "w", "echo typed", enter=True).done == "sent"
    assert box.call(cli.close, "w").done == "closed"
    assert not box.open().restored
