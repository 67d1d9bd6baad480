"""Recipes on another machine: connections are lost and runners end, but the command runs once."""

import json
import random
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from trainsh_world import World

DEADLINE = 60.0
TEXT = """host box = {host}
tmux.open @box as w
@w > cd {work}
@w > echo a >> ran
@w > echo begun; touch began; until [ -e go ]; do sleep 0.05; done; echo b >> ran; echo over
wait @w file={work}/go timeout=1m
./data -> @box:{work}/copied/
@box:{work}/copied/data -> ./back/
@w capture=NAME > echo there
@w > echo c $NAME >> ran
finally
@w > echo f >> ran
tmux.close @w
"""


@pytest.fixture
def work(world: "World", tmp_path: Path) -> Path:
    """A folder that both sides have, because the machine is this machine."""
    folder = Path(world.home) / "work"
    folder.mkdir()
    (Path(world.home) / "data").write_text("data")
    return folder


def start(world: "World", *words: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        ["train-recipe", *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=world.env, cwd=world.home,
    )  # fmt: skip


def lines(work: Path) -> list[str]:
    return (work / "ran").read_text().splitlines() if (work / "ran").exists() else []


def until(true: Any, what: str) -> None:
    deadline = time.monotonic() + DEADLINE
    while not true():
        assert time.monotonic() < deadline, f"in vain: {what}"
        time.sleep(0.02)


def write(world: "World", work: Path, host: str) -> None:
    (Path(world.home) / "r.recipe").write_text(TEXT.format(work=work, host=host))


def status(world: "World") -> str:
    return str(json.loads(world.run("train-recipe", "jobs", "--json").out)[0]["state"])


def test_exec_on_a_configured_host(world: "World", work: Path) -> None:
    world.host(world.sshd("box"))
    done = world.run("train-recipe", "exec", "@box > echo here; (exit 5)", check=False)
    assert (done.status, done.out) == (5, "here\n")
    done = world.run("train-recipe", "exec", f"./data -> @box:{work}/there/")
    assert (work / "there" / "data").read_text() == "data"


def test_a_link_that_goes_and_comes_back(world: "World", work: Path) -> None:
    box = world.sshd("box")
    world.host(box)
    write(world, work, "box")
    runner = start(world, "run", "./r.recipe")
    until((work / "began").exists, "it begins")
    box.drop()
    (work / "go").touch()
    out, err = runner.communicate(timeout=DEADLINE)
    assert runner.returncode == 0, out + err
    assert lines(work) == ["a", "b", "c there", "f"]
    assert (Path(world.home) / "back" / "data").read_text() == "data"


def test_a_runner_that_goes_with_its_link(world: "World", work: Path) -> None:
    box = world.sshd("box")
    world.host(box)
    write(world, work, "box")
    runner = start(world, "run", "./r.recipe")
    until((work / "began").exists, "it begins")
    runner.send_signal(signal.SIGKILL)
    box.drop()
    runner.communicate()
    (work / "go").touch()
    until(lambda: "b" in lines(work), "the command goes on by itself")
    done = world.run("train-recipe", "resume", "--output", check=False)
    assert done.status == 0, done.out + done.err
    assert "| begun" in done.out and "| over" in done.out
    assert lines(work) == ["a", "b", "c there", "f"]


def test_a_host_that_cannot_be_reached_for_a_while(world: "World", work: Path) -> None:
    box = world.sshd("box")
    relay = world.relay(box)
    world.host(box, "far", port=relay.port)
    write(world, work, "far")
    runner = start(world, "run", "./r.recipe")
    until((work / "began").exists, "it begins")
    relay.cut()
    runner.send_signal(signal.SIGTERM)
    _, err = runner.communicate(timeout=60)
    assert runner.returncode == 143 and "train recipe resume" in err
    (work / "go").touch()
    relay.restore()
    done = world.run("train-recipe", "resume", check=False)
    assert done.status == 0, done.out + done.err
    assert lines(work) == ["a", "b", "c there", "f"]


@pytest.mark.slow
@pytest.mark.parametrize("runner_lives", [True, False], ids=["a job that runs", "an interrupted one"])
def test_a_cancel_over_a_black_hole_ends_and_says_what_is_known(
    world: "World", work: Path, runner_lives: bool
) -> None:
    box = world.sshd("box")
    relay = world.relay(box)
    world.host(box, "far", port=relay.port)
    text = f"host far = far\ntmux.open @far as w\n@w grace=1s > touch {work}/began; sleep 300\nfinally\ntmux.close @w\n"
    (Path(world.home) / "r.recipe").write_text(text)
    runner = start(world, "run", "./r.recipe")
    until((work / "began").exists, "it begins")
    if not runner_lives:
        runner.kill()
        runner.communicate()
    relay.cut()
    began = time.monotonic()
    job = json.loads(world.run("train-recipe", "status", "--json").out)[0]["id"]
    done = world.run("train-recipe", "cancel", job, timeout=250)
    assert time.monotonic() - began < 200
    said = done.out + done.err + ("".join(runner.communicate(timeout=120)) if runner_lives else "")
    assert "it is not known whether step 2 has ended on its host: " in said and "step 3 " in said, said
    row = next(
        row for row in json.loads(world.run("train-recipe", "status", "--all", "--json").out) if row["id"] == job
    )
    assert row["state"] == "cancelled"


RENTAL = """#!/bin/sh
# summary: rents a thing that costs money until it is stopped
if [ "$1" = schema ]; then
    printf '{"commands": {"rent": {"params": {"properties": {}}}, "stop": {"params": {"properties": {}}}}}'; exit
fi
[ "$1" = serve ] && exit 2
cat >/dev/null
case $1 in rent) state=running ;; *) state=stopped ;; esac
printf '{"instance": {"id": 1, "state": "%s", "price_per_hour": 1}}' $state
"""


@pytest.mark.slow
@pytest.mark.parametrize("rented", [False, True], ids=["interrupted", "unknown where something costs money"])
def test_a_host_that_stays_away_is_no_failure_of_the_command(world: "World", work: Path, rented: bool) -> None:
    box = world.sshd("box")
    relay = world.relay(box)
    world.host(box, "far", port=relay.port)
    tools = Path(world.home) / "tools"
    tools.mkdir()
    (tools / "train-rental").write_text(RENTAL)
    (tools / "train-rental").chmod(0o755)
    env = world.env | {"PATH": f"{tools}:{world.env['PATH']}"}
    text = "host far = far\ntmux.open @far as w\n" + ("rental.rent\n" if rented else "")
    text += f"@w timeout=7s allow_fail=true > touch {work}/began; sleep 4; echo a >> {work}/ran\n"
    text += f"@w > echo b >> {work}/ran\nfinally\n" + ("rental.stop\n" if rented else "sleep 0.1s\n")
    (Path(world.home) / "r.recipe").write_text(text)
    argv = ["train-recipe", "run", "./r.recipe"]
    runner = subprocess.Popen(
        argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env, cwd=world.home
    )  # fmt: skip
    until((work / "began").exists, "it begins")
    relay.cut()
    relay.drop()
    out, err = runner.communicate(timeout=DEADLINE)
    assert runner.returncode == 1 and status(world) == ("failed" if rented else "interrupted"), out + err
    assert ("finally" in out) is rented
    relay.restore()
    until(lambda: lines(work) == ["a"], "the command goes on by itself")
    done = subprocess.run(
        ["train-recipe", "resume"], capture_output=True, text=True, env=env, cwd=world.home, timeout=DEADLINE, check=False
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert lines(work) == ["a", "b"]


HELD = """host box = box
tmux.open @box as w
./data -> @box:{work}/copied/
@w > cd {work} && export MODEL=llama
@w > greet() {{ echo hello; }}
@w > echo run >> ran; [ -e mended ] &
wait @w idle timeout=2m
@w > echo "$(basename "$PWD") $MODEL $(greet)" >> ran
finally
tmux.close @w
"""


def test_what_holds_is_asked_over_ssh(world: "World", work: Path) -> None:
    world.host(world.sshd("box"))
    (Path(world.home) / "r.recipe").write_text(HELD.format(work=work))
    assert world.run("train-recipe", "run", "./r.recipe", check=False).status == 1
    rows = json.loads(world.run("train-recipe", "resume", "--check", "--json").out)
    assert [row["action"] for row in rows] == [
        "restored", "done", "done", "done", "again (background step failed)", "again (waits for step 5)", "next", "run",
    ]  # fmt: skip
    (work / "mended").touch()
    done = world.run("train-recipe", "resume", check=False)
    assert done.status == 0, done.out + done.err
    assert lines(work) == ["run", "run", "work llama hello"]


def test_another_machine_has_its_copies_again(world: "World", work: Path) -> None:
    world.host(world.sshd("box"))
    text = f"host box = box\n./data -> @box:{work}/copied/\ntmux.open @box as w\n@w > [ -e {work}/go ]\n"
    (Path(world.home) / "r.recipe").write_text(text)
    assert world.run("train-recipe", "run", "./r.recipe", check=False).status == 1
    # Make the job look as if it had begun on another machine: the recorded token is not the host's.
    world.run(
        "sh", "-c", """sed -i 's/"machine":"[0-9a-f]*"/"machine":"another"/' "$TRAINSH_HOME"/jobs/*/events.jsonl"""
    )
    (work / "go").touch()
    (work / "copied" / "data").unlink()
    done = world.run("train-recipe", "resume", check=False)
    assert done.status == 0 and "box is another machine" in done.err, done.out + done.err
    assert (work / "copied" / "data").exists()


def lose(world: "World", work: Path) -> None:
    """Run a job up to a failure on a machine, which then goes away."""
    box = world.sshd("box")
    world.host(box)
    text = f"host gpu = box\ntmux.open @gpu as w\n@w > echo ran >> {work}/ran\n@w > [ -e {work}/go ]\n"
    (Path(world.home) / "r.recipe").write_text(text)
    assert world.run("train-recipe", "run", "./r.recipe", check=False).status == 1
    world.run(
        "sh", "-c", """sed -i 's/"machine":"[0-9a-f]*"/"machine":"another"/' "$TRAINSH_HOME"/jobs/*/events.jsonl"""
    )
    box.stop()
    world.run("train-host", "disconnect", "box", check=False)
    (work / "go").touch()


def test_a_machine_that_is_lost_is_replaced_by_another(world: "World", work: Path) -> None:
    lose(world, work)
    world.host(world.sshd("spare"))
    done = world.run("train-recipe", "resume", "--host", "gpu=spare")
    assert "gpu is another machine" in done.err and lines(work) == ["ran", "ran"]


@pytest.mark.faults  # it waits for 30 seconds
def test_a_machine_that_is_lost_is_named_with_what_to_do(world: "World", work: Path) -> None:
    lose(world, work)
    done = world.run("train-recipe", "resume", check=False)
    assert done.status == 1 and "refuses connections" in done.err and "--host gpu=SPEC\n" in done.err, done.err


@pytest.mark.slow
def test_connections_killed_at_any_instant(world: "World", work: Path) -> None:
    box = world.sshd("box")
    world.host(box)
    write(world, work, "box")
    (work / "go").touch()
    choice = random.Random(16)
    for round in range(1, 9):
        runner = start(world, *(["run", "./r.recipe"]))
        for _ in range(4):
            time.sleep(choice.uniform(0.0, 0.4))
            box.drop()
        out, err = runner.communicate(timeout=DEADLINE)
        for _ in range(5):
            if status(world) in ("ok", "failed"):
                break
            world.run("train-recipe", "resume", check=False)
        assert status(world) == "ok", out + err
        assert lines(work) == ["a", "b", "c there", "f"] * round
