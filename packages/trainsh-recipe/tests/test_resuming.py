"""Resuming a job: which steps run again and which do not."""

import contextlib
import json
import os
import signal
from typing import TYPE_CHECKING

import pytest

from trainsh_recipe.store.journal import seconds_of, stamp

if TYPE_CHECKING:
    from conftest import Place

HEAD = "host h = local\ntmux.open @h as w\n"
UNTIL = "until [ -e go ]; do sleep 0.05; done"


def kill_at(place: "Place", path: str, step: str, *words: str) -> None:
    """Run a recipe, and kill its runner after it has started a step."""
    runner = place.start("run", path, *words)
    place.started(step)
    runner.kill()
    runner.communicate()


def test_a_running_step_is_waited_for_and_its_output_shown(place: "Place") -> None:
    path = place.recipe(
        HEAD
        + "@w > echo a >> ran\n@w > echo begun; until [ -e go ]; do sleep 0.1; done; echo b >> ran; echo over\n@w > echo c >> ran\n"
    )
    kill_at(place, path, "3")
    place.until(lambda: place.lines() == ["a"], "the step before has run")
    expected = {row["id"]: row["action"] for row in place.json("resume", "--check")}
    assert expected == {"1": "done", "2": "done", "3": "next", "4": "run"}
    resumed = place.start("resume", "--output")
    place.until(lambda: place.events()[-1].get("resumed"), "it asks for the step")
    (place.work / "go").touch()
    out, err = resumed.communicate(timeout=60)
    assert resumed.returncode == 0, err
    assert "| begun" in out and "| over" in out
    assert place.lines() == ["a", "b", "c"]


def test_a_step_that_ended_meanwhile_gives_its_status(place: "Place") -> None:
    path = place.recipe(HEAD + f"@w > {UNTIL}; echo out; echo b >> ran; (exit 9)\nfinally\n@w > echo f >> ran\n")
    kill_at(place, path, "2")
    (place.work / "go").touch()
    place.until(lambda: place.lines() == ["b"], "the command ends")
    report = place.json("resume", status=1)
    assert report["steps"][1]["exit"] == 9 and place.lines() == ["b", "f"]
    assert "out" in place.run("logs", "--step", "2").stdout


def test_two_rounds_do_the_remaining_steps(place: "Place") -> None:
    text = "@w > echo one >> ran\n@w > [ -e go1 ]\n@w > echo two >> ran\n@w > [ -e go2 ]\n@w > echo three >> ran\n"
    path = place.recipe(HEAD + text + "finally\n@w > echo f >> ran\ntmux.close @w\n")
    assert place.run("run", path).returncode == 1
    (place.work / "go1").touch()
    done = place.run("resume")
    assert done.returncode == 1
    assert "--from" not in done.stderr
    (place.work / "go2").touch()
    assert place.run("resume").returncode == 0
    assert place.lines() == ["one", "f", "two", "f", "three", "f"]
    assert place.run("resume").returncode == 3


def test_a_session_that_the_recipe_closed_is_not_opened_again(place: "Place") -> None:
    text = "tmux.open @h as v\ntmux.close @v\n@w > [ -e go ]\n"
    assert place.run("run", place.recipe(HEAD + text)).returncode == 1
    (place.work / "go").touch()
    report = place.json("resume")
    assert {step["id"]: step["attempt"] for step in report["steps"]} == {"1": 2, "2": 1, "3": 1, "4": 2}


def test_from_a_step_by_hand(place: "Place") -> None:
    path = place.recipe(HEAD + "@w > echo a >> ran\n@w > echo b >> ran\n@w > [ -e go ]\n@w > echo c >> ran\n")
    assert place.run("run", path).returncode == 1
    (place.work / "go").touch()
    assert place.run("resume", "--from", "3").returncode == 0
    assert place.lines() == ["a", "b", "b", "c"]
    assert place.run("resume", place.job().name, "--from", "99").returncode == 3


def test_from_a_later_step_leaves_others_out(place: "Place") -> None:
    assert (
        place.run("run", place.recipe(HEAD + "@w > false\n@w > echo no >> ran\n@w > echo yes >> ran\n")).returncode
        == 1
    )
    assert place.run("resume", "--from", "7").returncode == 2
    assert place.run("resume", "--from", "4").returncode == 0
    assert place.lines() == ["yes"]


def test_variables_and_overrides_are_remembered(place: "Place") -> None:
    text = "var A = a\nhost h = nowhere.invalid\ntmux.open @h as w\n@w capture=C > echo c\n@w > [ -e go ]\n@w > echo $A $C >> ran\n"
    assert place.run("run", place.recipe(text), "A=b", "--host", "h=local").returncode == 1
    (place.work / "go").touch()
    assert place.run("resume").returncode == 0
    assert place.lines() == ["b c"]


def test_an_edited_recipe_goes_on_as_it_was_or_as_it_is(place: "Place") -> None:
    path = place.recipe(HEAD + "@w > echo a >> ran\n@w > false\n@w > echo old >> ran\n")
    assert place.run("run", path).returncode == 1
    place.recipe(HEAD + "@w > echo changed >> ran\n@w > true\n")
    refused = place.run("resume", "--edited")
    assert refused.returncode == 5 and "echo a >> ran" in refused.stderr
    place.recipe(HEAD + "@w > echo a >> ran\n@w > true\n@w > echo new >> ran\n")
    assert place.run("resume").returncode == 1  # it uses the text with which the job began
    assert place.run("resume", "--edited").returncode == 0
    assert place.lines() == ["a", "new"]


def test_a_lost_step_fails_until_it_is_told_to_run_again(place: "Place") -> None:
    path = place.recipe(HEAD + "@w > echo a >> ran; [ -e go ] || sleep 60\n@w > echo b >> ran\n")
    kill_at(place, path, "2")
    place.until(lambda: place.lines() == ["a"], "the command begins")
    (place.work / "go").touch()
    reboot(place)
    report = place.json("resume", status=1)
    assert report["steps"][1]["state"] == "lost"
    assert place.json("resume", status=1)["steps"][1]["state"] == "lost"
    assert place.run("resume", "--retry-lost").returncode == 0
    assert place.lines() == ["a", "a", "b"]


def reboot(place: "Place") -> None:
    """Make the host go down at once: everything in its sessions is killed, and nothing records how it ended."""
    for folder in (place.home / ".local/state/tmux-trainsh/sessions").glob("*/*"):
        pids = [int((folder / name).read_text().split()[0]) for name in ("pid", "shell")]
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):  # the hangup may have ended the shell already
                os.kill(pid, signal.SIGKILL)
        place.until(lambda pids=pids: not any(map(place.alive, pids)), "the shell is gone")


def test_killed_in_finally_it_is_finished_and_the_job_ends_as_it_would_have(place: "Place") -> None:
    path = place.recipe(
        HEAD + f"@w > echo a >> ran; false\nfinally\n@w > echo f >> ran\n@w > {UNTIL}; echo g >> ran\n"
    )
    kill_at(place, path, "4")
    (place.work / "go").touch()
    assert place.run("resume").returncode == 1
    assert place.lines() == ["a", "f", "g"]
    assert place.json("jobs")[0]["state"] == "failed"


def test_a_sleep_goes_on_with_what_is_left_of_it(place: "Place") -> None:
    path = place.recipe("sleep 10m\n")
    kill_at(place, path, "1")
    events = place.events()
    for event in events:  # as if it had begun ten minutes ago, but for a second
        event["t"] = stamp(seconds_of(event["t"]) - 599)
    (place.job() / "events.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events))
    assert place.run("resume").returncode == 0
    assert place.events()[-1]["event"] == "job.finished"


def test_one_job_has_one_runner(place: "Place") -> None:
    path = place.recipe(HEAD + "@w > sleep 20\n")
    runner = place.start("run", path)
    place.started("2")
    done = place.run("resume", place.job().name)
    assert done.returncode == 5 and f"process {runner.pid} on {os.uname().nodename}" in done.stderr
    runner.kill()
    runner.communicate()


def test_nothing_to_resume_is_three(place: "Place") -> None:
    assert place.run("resume").returncode == 3
    assert place.run("run", place.recipe(HEAD)).returncode == 0
    assert place.run("resume").returncode == 3
    assert place.run("resume", place.job().name).returncode == 3


@pytest.mark.parametrize("torn", ["", '{"t":"2026-01-01T00:00:00.000Z","event":"step.fin'])
def test_a_torn_journal_is_taken_up(place: "Place", torn: str) -> None:
    path = place.recipe(HEAD + "@w > echo a >> ran\n@w > " + UNTIL + "; echo b >> ran\n")
    kill_at(place, path, "3")
    (place.work / "go").touch()
    with (place.job() / "events.jsonl").open("a") as file:
        file.write(torn)
    assert place.run("resume").returncode == 0
    assert place.lines() == ["a", "b"]
    assert all(json.loads(line) for line in (place.job() / "events.jsonl").read_text().splitlines())


def test_a_newer_versions_journal_can_be_listed_and_resumed(place: "Place") -> None:
    assert place.run("run", place.recipe(HEAD + "@w > [ -e go ]\n")).returncode == 1
    with (place.job() / "events.jsonl").open("a") as file:
        file.write('{"t":"2026-01-01T00:00:00.000Z","event":"crystal.ball","step":"2","sees":{"a":[1]}}\n')
    assert place.json("jobs")[0]["state"] == "failed"
    (place.work / "go").touch()
    assert place.run("resume").returncode == 0
