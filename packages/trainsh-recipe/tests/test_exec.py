"""`train exec` prints the command's output and returns its status, and does nothing else."""

import os
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Place


@pytest.mark.parametrize(
    ("text", "status"), [("@local > exit 7", 7), ("@local > (exit 3)", 3), ("@local > true", 0)]
)
def test_the_exit_status_is_the_commands(place: "Place", text: str, status: int) -> None:
    assert place.run("exec", text).returncode == status


def test_the_output_is_the_commands_with_plain_newlines(place: "Place") -> None:
    done = place.run("exec", "@local > echo one; printf '\\033[1mtwo\\033[0m\\n'")
    assert (done.stdout, done.stderr) == ("one\ntwo\n", "")


def test_a_host_and_a_command_get_one_error(place: "Place") -> None:
    done = place.run("exec", "gpu", "--", "hostname")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("error") == 1 and "\n  train host run gpu -- hostname\n" in done.stderr


def test_several_lines_share_a_session(place: "Place") -> None:
    done = place.run("exec", "@local > cd /usr\n@local > A=5", "@local > echo $PWD $A")
    assert done.stdout == "/usr 5\n"
    assert place.run("exec", "-", input="@local > cat <<'E'\n  here\nE\n").stdout == "  here\n"


def test_it_stops_at_the_first_failure(place: "Place") -> None:
    done = place.run("exec", "@local > (exit 4)", "@local > echo no")
    assert (done.returncode, done.stdout) == (4, "")


def test_nothing_is_left_behind(place: "Place") -> None:
    place.run("exec", "@local > true")
    assert place.json("resume", status=3)["error"]["code"] == "nothing_to_resume"
    assert not list((place.config / "jobs" / "open").iterdir())
    assert place.json("status") == []
    # The session is closed in the background, once the job has recorded that.
    ends = [event.get("state") for event in place.events() if event["event"] == "session"]
    assert ends == ["open", "closing"] and place.events()[-1]["event"] == "job.finished"
    place.until(lambda: not place.sockets(), "the session's server ends")


def test_what_a_command_left_ends_with_its_session(place: "Place") -> None:
    assert place.run("exec", "@local > (sleep 600 & echo $! >left)").returncode == 0
    pid = (place.work / "left").read_text().strip()
    place.until(lambda: subprocess.run(["kill", "-0", pid], check=False, capture_output=True).returncode, "it ends")


def test_transfers(place: "Place") -> None:
    (place.work / "a").write_text("x")
    assert place.run("exec", f"./a -> @local:{place.work}/b/c").returncode == 0
    assert (place.work / "b" / "c").read_text() == "x"


def test_our_own_errors_are_told_apart(place: "Place") -> None:
    report = place.json("exec", "@no-such-host-anywhere.invalid > true", status=2)
    assert report["error"]["code"] == "recipe_invalid"
    report = place.json("exec", '@local > echo "${secret:NO_SUCH_THING}"', status=4)
    assert report["error"]["code"] == "no_secret"
    assert place.run("exec", "nonsense").returncode == 2


def test_a_timeout_is_six(place: "Place") -> None:
    done = place.run("exec", "@local timeout=2s > sleep 100")
    assert done.returncode == 6 and "timed out" in done.stderr


def test_ctrl_c_goes_to_the_command(place: "Place") -> None:
    (place.work / "trap.sh").write_text(
        "trap 'echo caught; exit 5' INT\ntouch ready\nwhile :; do sleep 0.1; done\n"
    )
    runner = place.start("exec", "@local > sh trap.sh")
    place.until((place.work / "ready").exists, "it begins")
    runner.send_signal(signal.SIGINT)
    out, _ = runner.communicate(timeout=120)
    assert (runner.returncode, out) == (5, "caught\n")


@pytest.mark.parametrize("more", [[], ["--json"]])
def test_ctrl_c_ends_what_the_command_is_part_of(place: "Place", more: list[str]) -> None:
    text = 'sh -c "touch ready; exec sleep 600"; echo $((77777 * 77777))'
    script = f"train-recipe exec {' '.join(more)} '@local > {text}'; echo next"
    runner = subprocess.Popen(
        ["bash", "-c", script], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, env=place.env,
        cwd=place.work, start_new_session=True,
    )  # fmt: skip
    place.until((place.work / "ready").exists, "it begins")
    os.killpg(runner.pid, signal.SIGINT)
    out, _ = runner.communicate(timeout=60)
    assert runner.returncode == -signal.SIGINT and "6049261729" not in out and "next" not in out


def test_a_command_in_the_background_keeps_its_session(place: "Place") -> None:
    done = place.run("exec", "@local > sleep 60 &")
    assert done.returncode == 0 and "the command still runs in session local" in done.stderr
    assert place.json("attach")["argv"][-1] == "=local"
