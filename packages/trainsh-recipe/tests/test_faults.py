"""Kill -9 any process at any time, then resume: every command has run exactly once, and the result is the same.

TRAINSH_FAULTS sets the number of times (default 200), TRAINSH_FAULTS_SEED the seed.
"""

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import Place

INSTANTS = int(os.environ.get("TRAINSH_FAULTS", "200"))
SEED = int(os.environ.get("TRAINSH_FAULTS_SEED", "20261124"))
SIDE_BY_SIDE = 3
MOST_KILLS = 8  # kills of one job; after them it runs undisturbed

PROVIDER = """#!/bin/sh
# A provider: `make` rents a thing, once for each job, however often it is asked; `count` is what it really did.
[ "$1" = schema ] && exec cat "${0%/*}/provider.schema"
[ "$1" = make ] || exit 2
input=$(cat)
# The thing is its note: a link, which is there whole or not at all, whenever this is killed.
echo made >"${0%/*}/made.$$"
ln "${0%/*}/made.$$" "${0%/*}/made-times" 2>/dev/null || :
printf '{"vars": {"THING": "thing-1"}, "message": "there is a thing"}'
"""
SCHEMA = """{"commands": {"make": {"ensures": false, "params": {"properties": {
"name": {"type": "string", "x-positional": true}, "_job": {"type": "string"},
"_resuming": {"type": "boolean"}}}}}}"""

RECIPE = """var WORK = {work}
var WORD = word
host here = local
storage store = file:{work}/store
provider.make thing
tmux.open @here as a
tmux.open @here as b
@a > cd $WORK
@a > export COUNT=1
@a > echo "one $COUNT $THING" >> ran
@b > cd {work}; (sleep 0.2; echo background >> ran; echo ready; touch flag) &
wait @b "rea.y" timeout=2m
wait @b file={work}/flag timeout=2m
wait @b idle timeout=2m
@a capture=SAID > echo captured | tee -a ran
@a retry=1 retry_delay=0.05s > echo try >> ran; [ "$(grep -c try ran)" = 2 ]
@a allow_fail=true > echo allowed >> ran; false
parallel
@a > sleep 0.1; echo left >> ran
@b > sleep 0.1; echo right >> ran
sleep 0.1
end
sleep 0.1
./source/ -> @here:{work}/copied/
@here:{work}/copied/ -> @store:/kept/
notify "it is $SAID"
@a > echo "two $COUNT $WORD $SAID" >> ran
finally
@b > echo "finally $JOB_STATUS" >> ran
tmux.close @b
tmux.close @a
"""
EXPECTED = sorted(
    ["one 1 thing-1", "background", "captured", "try", "try", "allowed", "left", "right", "two 1 word captured",
     "finally ok"]
)  # fmt: skip


def prepare(place: "Place") -> "Place":
    """Put the recipe, its data and its provider into a place."""
    place.tool("provider", PROVIDER)
    (place.bin / "provider.schema").write_text(SCHEMA)
    (place.work / "source").mkdir()
    (place.work / "source" / "data").write_text("data\n" * 1000)
    place.recipe(RECIPE.replace("{work}", str(place.work)))
    return place


def family(pid: int) -> dict[str, list[int]]:
    """The processes below a runner: `tools` (its children) and `links` (their children: channels, rsync)."""
    found = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True)
    children: dict[int, list[int]] = {}
    for line in found.stdout.splitlines():
        child, parent = line.split()
        children.setdefault(int(parent), []).append(int(child))
    tools = children.get(pid, [])
    return {"tools": tools, "links": [each for tool in tools for each in children.get(tool, [])]}


def strike(runner: "subprocess.Popen[str]", choice: random.Random) -> bool:
    """Kill -9 the runner, one of its tools or one of their links. Return False if it had already ended."""
    if runner.poll() is not None:
        return False
    around = family(runner.pid)
    kind = choice.choice(["runner", "runner", "tools", "links"])
    victims = [runner.pid] if kind == "runner" else around[kind] or [runner.pid]
    try:
        os.kill(choice.choice(victims), signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def ended(place: "Place") -> str:
    """The job's status so far, or "" if there is no job yet."""
    jobs = place.json("jobs")
    return str(jobs[0]["state"]) if jobs else ""


def torment(make: "Callable[[], Place]", seed: int) -> tuple[int, dict[str, Any]]:
    """Run one job that is killed several times. Return how often it was killed, and the outcome."""
    choice = random.Random(seed)
    place = prepare(make())
    try:
        strikes, told = 0, []
        words = ["run", "./r.recipe", "--no-visual"]
        for _ in range(40):
            runner = place.start(*words)
            if strikes < MOST_KILLS:
                time.sleep(choice.uniform(0.0, 1.8))
                strikes += strike(runner, choice)
            out, err = runner.communicate(timeout=300)
            told.append(f"$ {' '.join(words)} -> {runner.returncode}\n{out}{err}")
            status = ended(place)
            if status in ("ok", "failed", "cancelled"):
                break
            words = ["resume", "--no-visual"] if status else words
        return strikes, outcome(place, status, "\n".join(told))
    finally:
        place.close()


def outcome(place: "Place", status: str, told: str) -> dict[str, Any]:
    """What must be the same after a run without kills and a run with kills. `told` is for the message."""
    place.until(lambda: not place.sockets() or not alive(place), "the sessions go")
    job = place.json("jobs")[0]["id"]
    assert all(each["id"] == job for each in place.json("status")), "a job that never began is not one"
    report = place.json("resume", job, "--check", status=3) if status == "ok" else {}
    return {
        "ran": sorted(place.lines()),
        "status": status,
        "copied": (place.work / "copied" / "data").exists() and (place.work / "store" / "kept" / "data").exists(),
        "made": (place.bin / "made-times").read_text() if (place.bin / "made-times").exists() else "",
        "refused": report.get("error", {}).get("code"),
        "open": sorted(path.name for path in (place.config / "jobs" / "open").iterdir()),
        "told": told,
    }


def alive(place: "Place") -> list[Path]:
    """The tmux servers that answer."""
    asked = ((path, ["tmux", "-S", str(path), "list-sessions"]) for path in place.sockets())
    return [
        path for path, words in asked if subprocess.run(words, capture_output=True, check=False).returncode == 0
    ]


WANTED = {
    "ran": EXPECTED, "status": "ok", "copied": True, "made": "made\n", "refused": "nothing_to_resume", "open": [],
}  # fmt: skip


def check(seed: int, found: dict[str, Any]) -> None:
    """Check that the outcome is that of a run without faults."""
    told = found.pop("told")
    assert found == WANTED, f"seed {seed}:\n{told}"


def test_undisturbed(place: "Place") -> None:
    done = prepare(place).run("run", "./r.recipe", "--no-visual")
    check(0, outcome(place, ended(place), done.stdout + done.stderr))


@pytest.mark.slow
def test_killed_at_any_instant(make_place: "Callable[[], Place]") -> None:
    strikes, seed = 0, SEED
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        while strikes < INSTANTS:
            batch = range(seed, seed + 2 * SIDE_BY_SIDE)
            seed += len(batch)
            for number, (struck, found) in zip(batch, pool.map(partial(torment, make_place), batch), strict=True):
                check(number, found)
                strikes += struck
