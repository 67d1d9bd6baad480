"""A resume keeps what still holds: background steps that failed, shells that are new, machines that were
replaced.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import Place

HEAD = "host h = local\ntmux.open @h as w\n"
CLOSING = "finally\ntmux.close @w\n"


@pytest.mark.parametrize("closing", ["", CLOSING], ids=["left open", "closed by finally"])
def test_a_background_step_that_failed_runs_again(place: "Place", closing: str) -> None:
    text = '@w > echo run >> ran; [ -e mended ] &\nwait @w idle timeout=2m\nnotify "the model is ready"\n'
    done = place.run("run", place.recipe(HEAD + text + closing))
    assert done.returncode == 1 and "background step 2" in done.stderr
    assert place.check()["2"] == "again (background step failed)"
    again = place.run("resume")
    assert again.returncode == 1 and "ready" not in again.stdout
    assert place.lines() == ["run", "run"]
    (place.work / "mended").touch()
    done = place.run("resume")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "ready" in done.stdout and place.lines() == ["run", "run", "run"]


def test_a_background_step_that_finally_ended_with_its_session_runs_again(place: "Place") -> None:
    text = (
        "@w > echo run >> ran; until [ -e go ]; do sleep 0.05; done &\n"
        "@w > until [ -s ran ]; do sleep 0.05; done; [ -e go ]\n"
        "wait @w idle timeout=2m\n"
    )
    assert place.run("run", place.recipe(HEAD + text + CLOSING)).returncode == 1
    (place.work / "go").touch()
    done = place.run("resume")
    assert done.returncode == 0, done.stdout + done.stderr
    assert place.lines() == ["run", "run"]


@pytest.mark.parametrize("condition", ['"epoch 10"', "file=nothing", "port=1", "idle"])
def test_a_wait_fails_at_once_when_its_background_step_has_failed(place: "Place", condition: str) -> None:
    text = f"@w > sleep 0.3; echo why >&2; exit 7 &\nwait @w {condition} timeout=4h\n"
    done = place.json("run", place.recipe(HEAD + text), status=1)
    wait = done["steps"][2]
    assert wait["state"] == "failed" and wait["exit"] == 7 and wait["seconds"] < 60
    assert "background step 2 (line 3) failed: exit 7" in wait["reason"]


def test_a_session_that_finally_closed_is_given_back_what_it_had(place: "Place") -> None:
    text = "@w > mkdir -p sub\n@w > cd sub && export MODEL=llama\n@w > greet() { echo hello; }\n@w > [ -e ../go ]\n"
    after = '@w > echo "$(basename "$PWD") $MODEL $(greet)" >> ../ran\n'
    assert place.run("run", place.recipe(HEAD + text + after + CLOSING)).returncode == 1
    assert place.check()["1"] == "restored"
    (place.work / "go").touch()
    done = place.run("resume")
    assert done.returncode == 0, done.stdout + done.stderr
    assert place.lines() == ["sub llama hello"]


def test_steps_that_only_set_state_run_again_where_there_is_no_snapshot(place: "Place") -> None:
    text = "@w > mkdir -p sub\n@w > cd sub && export MODEL=llama\n@w > [ -e ../go ]\n"
    after = '@w > echo "$(basename "$PWD") $MODEL" >> ../ran\n'
    assert place.run("run", place.recipe(HEAD + text + after)).returncode == 1
    place.lose_the_shell()
    (place.work / "go").touch()
    assert place.check()["3"] == "again (sets the session's state)"
    done = place.run("resume")
    assert done.returncode == 0, done.stdout + done.stderr
    assert place.lines() == ["sub llama"]


def test_where_state_was_set_beside_other_work_resume_says_where_to_start(place: "Place") -> None:
    text = "@w > mkdir -p sub && cd sub && echo made >> ran\n@w > [ -e ../go ]\n@w > pwd | grep -q sub\n"
    assert place.run("run", place.recipe(HEAD + text)).returncode == 1
    place.lose_the_shell()
    (place.work / "go").touch()
    rows = {row["id"]: row for row in place.json("resume", "--check")}
    assert rows["3"]["action"] == "stop" and "--from 2" in rows["3"]["detail"]
    refused = place.run("resume")
    job = place.job().name
    assert refused.returncode == 1 and f"train recipe resume {job[-4:]} --from 2" in refused.stderr
    done = place.run("resume", job, "--from", "2")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "--from" not in done.stderr and "--from" not in done.stdout


def test_a_failure_names_the_from_that_a_resume_needs(place: "Place") -> None:
    text = "@w > mkdir -p sub && cd sub\n@w > [ -e ../go ] || kill -9 $$\n@w > pwd | grep -q sub\n"
    failed = place.run("run", place.recipe(HEAD + text + CLOSING))
    job = place.job().name
    assert failed.returncode == 1 and failed.stdout.endswith(
        f"to continue: train recipe resume {job[-4:]} --from 2\n"
    )
    assert place.check()["1"] == "again (new shell)"
    (place.work / "go").touch()
    done = place.run("resume", job, "--from", "2")
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_background_step_that_was_lost_is_never_passed(place: "Place") -> None:
    text = "@w > echo run >> ran; until [ -e go ]; do sleep 0.05; done &\nwait @w idle timeout=2m\n@w > echo over >> ran\n"
    runner = place.start("run", place.recipe(HEAD + text))
    place.started("3")
    place.until(lambda: place.lines() == ["run"], "it runs")
    runner.kill()
    runner.communicate()
    place.crash()
    (place.work / "go").touch()
    assert place.check()["2"] == "lost"
    for _ in range(2):
        report = place.json("resume", status=1)
        assert {step["id"]: step["state"] for step in report["steps"]}["2"] == "lost"
        assert place.lines() == ["run"]
    report = place.json("resume", "--retry-lost", "--detach")
    place.until(lambda: place.json("jobs")[0]["state"] in ("ok", "failed"), "it ends")
    assert place.json("jobs")[0]["state"] == "ok"
    assert place.lines() == ["run", "run", "over"]


def test_check_tells_that_the_step_that_ran_is_lost(place: "Place") -> None:
    runner = place.start("run", place.recipe(HEAD + "@w > echo run >> ran; sleep 60\n"))
    place.started("2")
    place.until(lambda: place.lines() == ["run"], "it runs")
    runner.kill()
    runner.communicate(timeout=60)
    place.crash()
    assert place.check()["2"] == "lost"


def test_another_machine_has_its_steps_done_again(place: "Place") -> None:
    text = "./data -> @h:{work}/there/\n@w > echo setup >> ran\n@w > [ -e go ]\n".replace("{work}", str(place.work))
    (place.work / "data").write_text("data")
    recipe = "host h = local\nhost other = local\ntmux.open @other as v\n@v > echo elsewhere >> ran2\ntmux.open @h as w\n"
    assert place.run("run", place.recipe(recipe + text)).returncode == 1
    another_machine(place, "h")
    (place.work / "go").touch()
    rows = place.check()
    assert rows["2"] == "done"
    assert [rows[id] for id in ("3", "4", "5", "6")] == ["again (another machine)"] * 4
    done = place.run("resume")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "h is another machine" in done.stderr
    assert place.lines() == ["setup", "setup"] and place.lines("ran2") == ["elsewhere"]


def another_machine(place: "Place", host: str) -> None:
    """Make the journal look as if it had been written on another machine: its token is not the host's."""
    path = place.job() / "events.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    for row in rows:
        if row["event"] == "session" and row.get("host_name") == host:
            row["machine"] = "another"
        if row["event"] == "machine" and row.get("host") == host:
            row["machine"] = "another"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_check_touches_nothing(place: "Place") -> None:
    assert place.run("run", place.recipe(HEAD + "@w > cd /tmp\n@w > false\n" + CLOSING)).returncode == 1
    before = (place.job() / "events.jsonl").read_bytes()
    rows: list[dict[str, Any]] = place.json("resume", "--check")
    assert [row["action"] for row in rows] == ["restored", "done", "next", "run"]
    assert (place.job() / "events.jsonl").read_bytes() == before
    assert place.json("status", "--all")[0]["state"] == "failed"


def test_allow_fail_does_not_forgive_a_session_that_is_gone(place: "Place") -> None:
    text = "@w > touch one; sleep 0.5\n@w allow_fail=true > echo ran >> ran\n@w > echo after >> ran\n"
    text = text.replace("sleep 0.5", "until [ -e go ]; do sleep 0.05; done; exit 0")
    runner = place.start("run", place.recipe(HEAD + text))
    place.started("2")
    (place.work / "go").touch()
    out, err = runner.communicate(timeout=60)
    assert runner.returncode == 1, out + err
    assert place.lines() == []


def test_a_tool_that_is_killed_while_a_step_runs_is_healed(place: "Place") -> None:
    text = "@w > echo a >> ran; until [ -e go ]; do sleep 0.05; done; echo b >> ran\n@w > echo c >> ran\n" + CLOSING
    runner = place.start("run", place.recipe(HEAD + text))
    place.started("2")
    tools = subprocess.run(
        ["ps", "-A", "-o", "pid=,ppid=,args="], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    for line in tools:
        pid, parent, args = line.split(None, 2)
        if int(parent) == runner.pid and "train-tmux" in args:
            with contextlib.suppress(ProcessLookupError):  # one that was asked a question has answered, and ended
                os.kill(int(pid), signal.SIGKILL)
    (place.work / "go").touch()
    out, err = runner.communicate(timeout=60)
    assert runner.returncode == 0, out + err
    assert place.lines() == ["a", "b", "c"]


def test_what_held_a_secret_is_set_again(place: "Place") -> None:
    """The steps that set such a value run again. The steps that read it or set other values do not."""
    place.extra["TOKEN"] = "very-secret-value"
    text = (
        '@w > export T="${secret:TOKEN}"\n@w > COPY="x-$T"\n@w > echo "$T" | wc -c >> ran; OTHER=1\n@w > [ -e go ]\n'
        '@w > echo "${#T} ${#COPY} $OTHER" >> ran\n'
    )
    assert place.run("run", place.recipe(HEAD + text + CLOSING)).returncode == 1
    rows = place.check()
    (place.work / "go").touch()
    done = place.run("resume")
    assert done.returncode == 0, done.stdout + done.stderr
    assert place.lines() == ["18", "17 19 1"]
    assert "steps 2, 3 set it up again" in done.stderr and "very-secret" not in done.stdout + done.stderr
    assert [rows[id] for id in "234"] == ["again (sets the session's state)"] * 2 + ["done"]


def test_an_open_descriptor_stops_a_resume(place: "Place") -> None:
    text = "@w > exec 3>three\n@w > [ -e go ]\n@w > echo over >&3\n"
    failed = place.run("run", place.recipe(HEAD + text + CLOSING))
    assert failed.returncode == 1 and "--from 2" in failed.stdout
    (place.work / "go").touch()
    assert place.run("resume").returncode == 1
    done = place.run("resume", place.job().name, "--from", "2")
    assert done.returncode == 0 and place.lines("three") == ["over"], done.stdout + done.stderr


def test_a_shell_that_was_opened_and_closed_before_a_step_covers_nothing(place: "Place") -> None:
    """The shell and its snapshot are lost.

    The resume is killed when the new shell is open, and that shell is closed.
    """
    text = "@w > N=5\n@w > [ -e go ]\n@w > echo $N >> ran\n"
    assert place.run("run", place.recipe(HEAD + text)).returncode == 1
    place.lose_the_shell()
    words = ["train-tmux", "open", "local", "w", "--job", place.job().name]
    for command in (words, ["train-tmux", "close", "w", "--job", place.job().name]):
        subprocess.run(command, env=place.env, cwd=place.work, check=True, capture_output=True)
    (place.work / "go").touch()
    assert place.check()["2"] == "again (sets the session's state)"
    done = place.run("resume")
    assert done.returncode == 0 and place.lines() == ["5"], done.stdout + done.stderr


@pytest.mark.parametrize("shell", ["dash", "busybox"])
def test_where_there_is_no_bash_what_sets_state_runs_again(place: "Place", shell: str) -> None:
    few = place.folder / "few"
    few.mkdir()
    for name in os.listdir("/usr/bin"):
        if name not in ("bash", "rbash", "sh"):
            (few / name).symlink_to(f"/usr/bin/{name}")
    (few / "sh").symlink_to(f"/usr/bin/{shell}")
    place.extra["PATH"] = f"{Path(sys.executable).parent}:{few}"
    (place.home / ".profile").write_text(f"PATH={few}\n")
    text = "@w > N=5; cd /usr\n{also}@w > [ -e {work}/go ]\n@w > echo $PWD $N >> {work}/ran\n"
    text = text.replace("{work}", str(place.work))
    assert place.run("run", place.recipe(HEAD + text.replace("{also}", "") + CLOSING)).returncode == 1
    assert place.check()["2"] == "again (sets the session's state)"
    (place.work / "go").touch()
    done = place.run("resume")
    assert done.returncode == 0 and place.lines() == ["/usr 5"], done.stdout + done.stderr
    (place.work / "go").unlink()
    also = text.replace("{also}", "@w > M=6; ls >/dev/null; touch made\n").replace("cd /usr", ":")
    failed = place.run("run", place.recipe(HEAD + also + CLOSING))
    assert failed.returncode == 1 and "--from 3" in failed.stdout
