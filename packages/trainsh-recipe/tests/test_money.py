"""Money: limits and what providers get of them, machines that are kept, the last line, estimates."""

import contextlib
import json
import random
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import Place

TEXT: dict[str, Any] = {"type": "string"}
HOST = {**TEXT, "x-positional": True, "x-kind": "host"}
LIMIT = {"x-limits": True}
PICK = {
    "host": HOST, "gpu": TEXT, "timeout": {**TEXT, "x-kind": "duration", "default": "10m"},
    "hold": {**TEXT, "x-kind": "duration", "x-holds": True},
    "max_cost": {"type": "number", **LIMIT}, "max_time": {"type": ["number", "string"], **LIMIT},
    "idle_stop": {**TEXT, **LIMIT},
}  # fmt: skip


def verb(properties: dict[str, Any], **effects: Any) -> dict[str, Any]:
    return {"summary": "-", "params": {"type": "object", "properties": properties}, **effects}


SCHEMA = {
    "name": "shed",
    "provides": ["hosts"],
    "commands": {
        "pick": verb(PICK, ensures=True, fills="host", rents=True),
        "stop": verb({"ref": HOST}, ensures=True, releases="billing"),
        "destroy": verb({"ref": HOST}, ensures=True, releases="disk"),
        "offers": verb({"gpu": TEXT}, estimates="pick"),
    },
}
# A provider of one machine, which is this machine. It costs $3600 an hour, so one dollar a second. `given` has the
# parameters of each verb's call.
SHED = """#!/bin/sh
case $1 in
schema) cat "$SHED/schema.json" ;;
pick) cat >>"$SHED/given"; echo >>"$SHED/given"; : >"$SHED/machine"
  echo '{"hosts": {"gpu": "local"}, "instance": {"id": 7, "state": "running", "price_per_hour": 3600,
    "storage_per_hour": 36, "end": "train shed stop 7"}}' | tr '\\n' ' ' ;;
stop) cat >/dev/null; echo '{}' ;;
destroy) cat >/dev/null; rm -f "$SHED/machine"; echo '{}' ;;
offers) cat >>"$SHED/asked"; echo '{"offers": 3, "price_per_hour": 2.0, "storage_per_hour": 0.01, "disk": 40,
  "description": "a fast one"}' | tr '\\n' ' ' ;;
*) exit 2 ;;
esac
"""
START = "host gpu = placeholder\nshed.pick @gpu\ntmux.open @gpu as w\n"


@pytest.fixture
def shed(place: "Place") -> "Place":
    """A place with a provider that has one expensive machine."""
    place.tool("shed", SHED)
    folder = place.folder / "shed"
    folder.mkdir()
    (folder / "schema.json").write_text(json.dumps(SCHEMA))
    place.extra = {"SHED": str(folder)}
    return place


def machine(place: "Place") -> Path:
    return place.folder / "shed" / "machine"


def given(place: "Place") -> list[dict[str, Any]]:
    """The parameters of each call of `pick`."""
    return [json.loads(line) for line in (place.folder / "shed" / "given").read_text().splitlines() if line]


def held(place: "Place") -> dict[str, Any]:
    """The event of the present hold."""

    def found() -> dict[str, Any] | None:
        with contextlib.suppress(OSError, ValueError):
            return next((each for each in place.events() if each["event"] == "hold.started"), None)
        return None

    event: dict[str, Any] = place.until(found, "a hold begins")
    return event


# Limits


def test_a_job_ends_itself_when_its_money_is_used_up_and_finally_runs(shed: "Place") -> None:
    text = START + "@w > sleep 60\nfinally\n@w > touch cleaned\nshed.destroy\n"
    done = shed.run("run", shed.recipe(text), "--max-cost", "5")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "--max-cost $5.00 is used up" in done.stdout and "job" in done.stdout
    assert not machine(shed).exists() and (shed.work / "cleaned").exists()
    assert f"train recipe resume {shed.job().name[-4:]} --max-cost 10" in done.stdout
    report = shed.json("jobs")[0]
    assert report["spend"][0]["spent"] >= 5 and report["spend"][0]["per_hour"] == 0
    finished = next(each for each in shed.events() if each["event"] == "step.finished" and each["step"] == "3")
    assert finished["status"] == "cancelled" and finished["seconds"] > 0


NOTHING = """echo '{"error": {"code": "no_instance", "message": "no such machine", "exit": 3}}' >&2; exit 3 ;;"""


@pytest.mark.parametrize(
    ("pick", "options", "status"),
    [
        ("exit 4 ;;", "", "ok"),
        ("exec sleep 1 ;;", " timeout=0.3s", "failed"),  # it may have rented one
        ("""echo '{"instance": {"id": 7, "state": "running"}}' ;;""", "", "failed"),
    ],
)
def test_a_stop_in_finally_is_ok_when_nothing_was_rented(
    shed: "Place", pick: str, options: str, status: str
) -> None:
    shed.tool(
        "shed", SHED.replace("pick) ", f"pick) {pick}\nnever) ").replace("stop) ", f"stop) {NOTHING}\nnever) ")
    )
    text = f"host gpu = placeholder\nshed.pick @gpu{options}\ntmux.open @gpu as w\nfinally\nshed.stop\n"
    done = shed.run("run", shed.recipe(text))
    assert done.returncode == 1, done.stdout + done.stderr
    last = [each for each in shed.events() if each["event"] == "step.finished"][-1]
    assert (last["status"], "nothing was held" in last.get("reason", "")) == (status, status == "ok"), last


def test_a_limit_holds_for_a_client_of_serve_too(shed: "Place") -> None:
    shed.recipe(START + "@w > sleep 60\nfinally\nshed.destroy\n")
    request = {"jsonrpc": "2.0", "id": 1, "method": "run", "params": {"name": "./r.recipe", "max_time": 1}}
    done = shed.run("serve", input=json.dumps(request) + "\n")
    assert "--max-time 1.0s is over" in done.stdout and not machine(shed).exists()


def test_a_limit_ends_every_step_of_a_block(shed: "Place") -> None:
    text = "host h = local\ntmux.open @h as w\nparallel\n@w > sleep 60\nsleep 60\n@h:{work}/none -> {work}/o retry=9\nend\n"
    text += "finally\n@w > touch cleaned\n"
    done = shed.run("run", shed.recipe(text.format(work=shed.work)), "--max-time", "5s")
    assert done.returncode == 1 and (shed.work / "cleaned").exists(), done.stdout + done.stderr
    report = shed.json("jobs")[0]
    assert report["state"] == "cancelled" and report["seconds"] < 50
    finished = {each["step"]: each["status"] for each in shed.events() if each["event"] == "step.finished"}
    assert finished["2.1"] == finished["2.2"] == "cancelled"


def test_verbs_are_handed_what_is_left_and_the_recipe_wins(shed: "Place") -> None:
    (shed.config / "config.toml").write_text('[run]\nmax_time = "2h"\nidle_stop = "off"\n')
    text = START + "@w > [ -e go ]\nfinally\nshed.stop\n"
    assert shed.run("run", shed.recipe(text), "--max-cost", "5000").returncode == 1
    first = given(shed)[0]
    assert first["max_cost"] == 5000 and 7100 < float(first["max_time"]) <= 7200 and first["idle_stop"] == "off"
    (shed.work / "go").touch()
    assert shed.run("resume").returncode == 0
    again = given(shed)[1]
    assert 4900 < again["max_cost"] < 5000 and float(again["max_time"]) < float(first["max_time"])
    text = START.replace("@gpu\n", "@gpu idle_stop=1h\n", 1) + "finally\nshed.stop\n"
    assert shed.run("run", shed.recipe(text)).returncode == 0
    assert given(shed)[-1]["idle_stop"] == "1h" and "max_cost" not in given(shed)[-1]


def test_a_limit_that_is_none_is_refused(shed: "Place") -> None:
    for words in (["--max-cost", "0"], ["--max-cost", "-1"], ["--max-time", "0"]):
        done = shed.run("run", shed.recipe("sleep 1s\n"), *words)
        assert done.returncode == 2 and "Traceback" not in done.stderr, done.stderr
    assert not (shed.config / "jobs").exists()


# Messages about money


def test_a_job_that_is_left_says_what_it_costs_last(shed: "Place") -> None:
    runner = shed.start("run", shed.recipe(START + "@w > sleep 60\nfinally\nshed.stop\n"))
    shed.started("3")
    status = shed.run("status")
    assert "/h" in status.stdout and "Spending $3600.00 an hour now." in status.stderr
    runner.send_signal(signal.SIGTERM)
    _, errors = runner.communicate(timeout=60)
    last = "shed 7 is still running at $3600.00 an hour: train shed stop 7"
    assert runner.returncode == 143 and errors.splitlines()[-1] == last
    report = shed.json("jobs", "--open")[0]
    machines = [(each["provider"], each["id"], each["state"], each["hosts"]) for each in report["instances"]]
    assert machines == [("shed", "7", "running", ["gpu"])]
    assert "left shed 7 running" in shed.run("status").stderr
    done = shed.run("cancel", report["id"])
    assert done.returncode == 0, done.stderr
    assert "its disk is kept at $36.00 an hour; to delete it: train shed destroy 7" in done.stderr


def test_exec_says_what_it_leaves_running(shed: "Place") -> None:
    done = shed.run("exec", "shed.pick @gpu", "--host", "gpu=local")
    done = done if "still running" in done.stderr else shed.run("exec", "host gpu = placeholder\nshed.pick @gpu")
    assert done.stderr.splitlines()[-1].startswith("shed 7 is still running"), done.stdout + done.stderr


def test_an_estimate_is_asked_of_the_provider_and_rents_nothing(shed: "Place") -> None:
    text = "var KIND = fast\n" + START.replace("@gpu\n", "@gpu gpu=$KIND timeout=1h\n", 1)
    text += "@w timeout=2h retry=1 retry_delay=30s > make\n@w > train &\nwait @w idle timeout=55m\n{more}finally\nshed.stop\n"
    path = shed.recipe(text.format(more="sleep 30s\n"))
    cost = shed.json("show", path, "--cost", "--var", "KIND=slow")["cost"]
    assert json.loads((shed.folder / "shed" / "asked").read_text()) == {"gpu": "slow"}
    (row,) = cost["machines"]
    assert (row["offers"], row["price_per_hour"], row["hosts"]) == (3, 2.0, ["gpu"])
    assert row["longest"] == 3600 + 2 * 7200 + 30 + 3300 + 30 and row["most"] == pytest.approx(
        row["longest"] / 1800
    )
    assert not (shed.folder / "shed" / "given").exists() and cost["unlimited"] == []
    shown = shed.run("show", path, "--cost")
    assert "a fast one" in shown.stdout and "the disk (40 GB) costs $0.0100 an hour" in shown.stdout
    path = shed.recipe(text.format(more="@gpu:~/x -> ./x\n"))
    cost = shed.json("show", path, "--cost")["cost"]
    assert cost["machines"][0].get("most") is None and "step 6 has no timeout=" in cost["unlimited"][0]
    assert shed.json("show", path, "--cost", "--max-time", "1h")["cost"]["machines"][0]["most"] == 2.0


# Machines that are kept

REQUIRED = START + "@w > mkdir -p ckpt && echo model > ckpt/m\n@gpu:{work}/ckpt/ -> {work}/out/safe required=true\n"
REQUIRED += "finally\nshed.destroy\n"


def required(place: "Place") -> str:
    """A recipe whose required upload fails, because a file has the name of the destination folder."""
    (place.work / "out").touch()
    return place.recipe(REQUIRED.format(work=place.work))


def test_a_machine_is_not_destroyed_before_a_required_output_has_arrived(shed: "Place") -> None:
    runner = shed.start("run", required(shed))
    event = held(shed)
    assert event["steps"] == ["4"] and event["hosts"] == ["gpu"] and machine(shed).exists()
    assert "step 4 has not arrived" in shed.run("status").stdout
    assert shed.json("status")[0]["held"]["steps"] == ["4"]
    (shed.work / "out").unlink()  # then the upload is tried again without a command
    output, errors = runner.communicate(timeout=60)
    assert not machine(shed).exists() and (shed.work / "out" / "safe" / "m").exists(), output + errors
    id = shed.job().name[-4:]
    assert f"train recipe abandon {id}" in errors and "shed.destroy waits" in errors
    assert "the required output has arrived" in errors


@pytest.mark.parametrize("how", ["abandon", "cancel", "time"])
def test_a_required_output_is_given_up_by_a_command_a_cancel_or_in_time(shed: "Place", how: str) -> None:
    runner = shed.start("run", required(shed), *(["--hold", "4s"] if how == "time" else []))
    held(shed)
    assert machine(shed).exists()
    if how != "time":
        assert shed.run(how).returncode == 0
    output, _ = runner.communicate(timeout=60)
    assert runner.returncode == 1 and not machine(shed).exists()
    assert "the required output of step 4 was given up" in output
    assert shed.run("abandon").returncode == 5


def test_a_runner_that_is_killed_while_it_holds_goes_on_holding(shed: "Place") -> None:
    runner = shed.start("run", required(shed), "--hold", "10m")
    until = held(shed)["until"]
    runner.kill()
    runner.wait()
    again = shed.start("resume")
    shed.until(lambda: sum(each["event"] == "hold.started" for each in shed.events()) == 2, "the hold goes on")
    assert machine(shed).exists()
    assert [each["until"] for each in shed.events() if each["event"] == "hold.started"] == [until, until]
    assert shed.run("abandon").returncode == 0
    again.communicate(timeout=60)
    assert not machine(shed).exists()


def test_nothing_is_held_where_nothing_can_be_lost(shed: "Place") -> None:
    schema = shed.folder / "shed" / "schema.json"
    # the step's own `timeout=` counts
    schema.write_text(schema.read_text().replace('"timeout": {', '"patience": {'))
    shed.tool("shed", SHED.replace("pick) ", "pick) exit 1; "))
    shed.run("run", required(shed))
    assert not any(each["event"] == "hold.started" for each in shed.events())
    shed.tool("shed", SHED)
    (shed.work / "out").unlink()
    done = shed.run("run", shed.recipe(REQUIRED.format(work=shed.work)))
    assert done.returncode == 0 and not any(each["event"] == "hold.started" for each in shed.events())
    (shed.work / "out" / "safe" / "m").unlink()
    done = shed.run("run", required_again(shed), "--max-cost", "1")
    assert not any(each["event"] == "hold.started" for each in shed.events()) and not machine(shed).exists()
    assert "given up: a limit of the job was reached" in done.stdout


def required_again(place: "Place") -> str:
    """A recipe that a limit ends before its required upload."""
    return place.recipe(REQUIRED.format(work=place.work).replace("@w > mkdir", "@w > sleep 60; mkdir"))


def test_a_failed_job_keeps_its_machine_for_a_look(shed: "Place") -> None:
    text = START.replace("@gpu\n", "@gpu hold=5m\n", 1) + "@w > (exit 3)\nfinally\nshed.destroy\n"
    runner = shed.start("run", shed.recipe(text))
    event = held(shed)
    assert event["reason"] == "failed" and machine(shed).exists()
    assert "the job has failed" in shed.run("status").stdout
    assert shed.run("cancel").returncode == 0
    _, errors = runner.communicate(timeout=60)
    id = shed.job().name[-4:]
    assert "at $3600.00 an hour ($60.00 a minute)" in errors and f"train recipe attach {id}" in errors
    assert runner.returncode == 1 and not machine(shed).exists()
    assert shed.json("jobs")[0]["state"] in ("failed", "cancelled")


@pytest.mark.faults
@pytest.mark.parametrize("seed", range(12))
def test_a_runner_killed_at_any_instant_never_loses_a_required_output(shed: "Place", seed: int) -> None:
    """The runner is killed many times, before, during and after the hold.

    The machine goes only when the output is safe.
    """
    chance = random.Random(seed)
    out = shed.work / "out" / "safe" / "m"
    shed.tool(
        "shed",
        SHED.replace("destroy) ", f'destroy) [ -e {out} ] && echo safe >>"$SHED/end" || echo lost >>"$SHED/end"; '),
    )
    runner = shed.start("run", required(shed), "--hold", "10m")
    shed.until(lambda: list(shed.config.glob("jobs/2*/events.jsonl")), "the job begins")
    for number in range(5):
        with contextlib.suppress(subprocess.TimeoutExpired):
            runner.wait(chance.uniform(0.2, 3.0))
        if number == 3:
            (shed.work / "out").unlink(missing_ok=True)  # from now on the output can arrive
        runner.kill()
        runner.communicate()
        if shed.json("jobs")[0]["state"] not in ("interrupted", "failed"):
            break
        runner = shed.start("resume")
    output, errors = runner.communicate(timeout=120)
    assert "Traceback" not in errors, output + errors
    assert (shed.folder / "shed" / "end").read_text().split() in (["safe"], ["safe", "safe"])
    assert out.exists() and not machine(shed).exists()
