"""Secrets in steps: where they are while the step runs, and where they never are."""

import contextlib
import os
import signal
import subprocess
from pathlib import Path

import pytest

from tmux_box import Box, holding, wait_until
from trainsh_base.errors import TrainError
from trainsh_tmux import cli

VALUES = {
    "plain": "s3cretValue",
    "lines": "first line s3cretValue\nsecond 'line'\n\nlast",
    "ends in newline": "s3cretValue\n",
    "quotes": "s3cretValue 'single' \"double\" `x` $HOME \\ \\n !",
    "unicode": "s3cretValue ü→☃",
    "dashes": "-n s3cretValue %s\\c",
    "spaces": "  s3cretValue\t ",
}


@pytest.fixture
def open_box(box: Box) -> Box:
    """A session `w` is open."""
    box.open()
    return box


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_the_value_arrives_byte_for_byte(open_box: Box, value: str) -> None:
    open_box.run(
        'printf %s "$TOKEN" >got; printf %s "$(printenv TOKEN)x" >env', secrets={"TOKEN": value, "OTHER": "o"}
    )
    assert (open_box.home / "got").read_bytes() == value.encode()
    assert (open_box.home / "env").read_text().rstrip("x").rstrip("\n") == value.rstrip("\n")
    assert open_box.text('echo "<${TOKEN-unset}${OTHER-unset}>"') == "<unsetunset>\n"


def test_it_is_nowhere_but_in_the_steps_environment(open_box: Box) -> None:
    secret = "s3cretValue-4711"
    running = open_box.start('set -x; : "${TOKEN:?}"; sleep 1; set +x', secrets={"TOKEN": secret}, step="s1")
    open_box.began(running)
    processes = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert secret not in processes
    # Only the command's own `set -x` may show it, and the log is masked after the step.
    wait_until(lambda: holding(open_box.home, secret) <= {open_box.session() / "log.0"}, "the step's copy to go")
    running.result()
    assert secret not in running.client.text
    assert holding(open_box.home, secret) == set()
    assert secret not in open_box.text("history; set; export -p")


@pytest.mark.parametrize(
    "how", ['echo "$TOKEN"', "printf '%s' \"$TOKEN\"; sleep 0.1; echo", 'echo "a${TOKEN}b$TOKEN"']
)
def test_what_a_command_prints_of_it_is_masked(open_box: Box, how: str) -> None:
    outcome = open_box.run(f"{how}; false", secrets={"TOKEN": "s3cretValue"})
    assert "s3cret" not in open_box.client.text and "***" in open_box.client.text
    assert "s3cret" not in "\n".join(outcome.tail)
    log = (open_box.session() / "log.0").read_text()
    assert "s3cret" not in log and "*" * len("s3cretValue") in log


def test_a_background_step_keeps_its_own_copy(open_box: Box) -> None:
    open_box.run('sleep 0.4; printf %s "$TOKEN" >got', background=True, secrets={"TOKEN": "s3cretValue"})
    assert open_box.text('echo "<${TOKEN-unset}>"') == "<unset>\n"
    wait_until(lambda: (open_box.home / "got").exists() and (open_box.home / "got").read_text(), "its end")
    assert (open_box.home / "got").read_text() == "s3cretValue"


def test_a_step_that_never_ran_leaves_no_value_behind(open_box: Box) -> None:
    first = open_box.start("sleep 100", step="s1")
    open_box.began(first)
    second = open_box.start("true", step="s2", secrets={"TOKEN": "s3cretValue"})
    env = open_box.session() / "steps" / "s2.env"
    wait_until(env.exists, "the values to be there")
    assert env.stat().st_mode & 0o077 == 0
    open_box.tmux("kill-session", "-t", "=w")
    wait_until(lambda: not env.exists(), "the values to be removed")
    first.result()
    with contextlib.suppress(TrainError):  # the shell may begin the step before the shell ends
        second.result()
    assert holding(open_box.home, "s3cretValue") == set()


def test_known_secrets_are_not_in_the_environment_of_sessions(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HF_TOKEN", "VAST_API_KEY", "AWS_SECRET_ACCESS_KEY", "OPENAI_API_KEY"):
        monkeypatch.setenv(name, "s3cretValue")
    monkeypatch.setenv("KEPT", "kept")
    box.open()
    assert "s3cretValue" not in box.text("env; cat /proc/$PPID/environ | tr '\\0' '\\n'")
    assert box.text("echo $KEPT") == "kept\n"
    server = box.tmux("display-message", "-p", "#{pid}").strip()
    assert b"s3cretValue" not in Path(f"/proc/{server}/environ").read_bytes()


@pytest.mark.parametrize("how", ["somebody else's", "a link"])
def test_a_folder_of_sockets_that_is_not_ours_is_passed_over(
    box: Box, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    other, place = box.folder / "other", box.folder / "o" / f"tmux-{os.getuid()}"
    place.parent.mkdir()
    other.mkdir()
    if how == "a link":
        place.symlink_to(other)
    elif os.getuid() == 0:
        place.mkdir()
        os.chown(place, 65534, 65534)
    else:
        pytest.skip("NOT TESTED HERE: only root can make a folder of somebody else's")
    monkeypatch.setenv("TMUX_TMPDIR", str(place.parent))
    box.open()
    assert box.text("echo x") == "x\n"
    assert not list(other.iterdir()) and not list(place.iterdir())
    box.call(cli.kill, host=box.host)


def test_the_secrets_are_not_taken_from_a_file_whose_reading_was_interrupted(open_box: Box) -> None:
    """bash gives the rest of such a file to the next `read`, so that the driver would take it for secrets."""
    (open_box.home / "long").write_text("x" * 3_000_000)
    for number in range(3):
        running = open_box.start("while :; do IFS= read -r line <long; done", step=f"s{number}")
        open_box.began(running)
        os.kill(int((open_box.session() / "shell").read_text().split()[0]), signal.SIGINT)
        assert running.result().exit == 130
        assert open_box.run('[ "$KEY" = value ]', secrets={"KEY": "value"}).exit == 0


def test_what_a_later_step_prints_of_a_secret_is_masked_too(open_box: Box) -> None:
    secret = "s3cretValue-4711"
    open_box.run("KEPT=$TOKEN", secrets={"TOKEN": secret})
    assert open_box.text('echo "it is $KEPT"') == "it is " + "*" * 3 + "\n"
    open_box.run('sleep 0.3; echo "$KEPT"', background=True)

    def masked() -> bool:
        # A wait masks what it shows. What comes to the log too late for one is shown by the next.
        open_box.wait(idle="own", output=True)
        log = (open_box.session() / "log.0").read_text(errors="replace")
        return log.count("*" * len(secret)) == 2 and not holding(open_box.home, secret)

    wait_until(masked, "the mask")
