"""Ctrl-C, signals and the background: a run is left, continued, watched, cancelled."""

import re
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from trainsh_base.testing import Terminal

if TYPE_CHECKING:
    from conftest import Place

BIN = Path(sys.executable).parent
HEAD = "host h = local\ntmux.open @h as w\n"
# Each of these steps runs until the test ends it. There is one of each kind.
KINDS = {
    "execute": "@w > until [ -e go ]; do sleep 0.05; done; echo done >> ran\n",
    "wait": "wait @w file={work}/go timeout=1m\n@w > echo done >> ran\n",
    "pattern": "@w > (until [ -e go ]; do sleep 0.05; done; echo rea''dy) &\nwait @w \"ready\" timeout=1m\n@w > echo done >> ran\n",
    "sleep": "sleep 5s\n@w > echo done >> ran\n",
    "transfer": "./big -> @h:{work}/copied/ bwlimit=4M\n@w > echo done >> ran\n",
    "retry": "@w retry=3 retry_delay=1h > [ -e go ] && echo done >> ran\n",
    "parallel": "tmux.open @h as v\nparallel\n@w > until [ -e go ]; do sleep 0.05; done\n@v > true\nend\n@w > echo done >> ran\n",
}  # fmt: skip
AT = {"pattern": "3", "parallel": "3.1"}


def begun(place: "Place", kind: str, after: str = "finally\n@w > echo finally $JOB_STATUS >> ran\n") -> str:
    """A recipe with a step of that kind."""
    if kind == "transfer":
        (place.work / "big").write_bytes(bytes(16_000_000))
    return place.recipe(HEAD + KINDS[kind].replace("{work}", str(place.work)) + after)


def underway(place: "Place", kind: str) -> None:
    """Wait until the step of that kind runs. A `retry` must be in its pause."""
    if kind == "retry":
        place.finished("2")
    else:
        place.started(AT.get(kind, "2"))


def test_the_time_of_a_step_counts_from_its_start_in_an_earlier_process(place: "Place") -> None:
    runner = place.start("run", begun(place, "execute"))
    underway(place, "execute")
    began = time.time()
    runner.send_signal(signal.SIGTERM)
    runner.communicate(timeout=60)
    place.until(lambda: time.time() > began + 1.5, "time passes")
    (place.work / "go").touch()
    assert place.run("resume").returncode == 0
    step = next(each for each in place.json("status", place.job().name)[0]["steps"] if each["id"] == "2")
    assert 1.5 <= step["seconds"] <= time.time() - began + 10


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("number", "status"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)],
    ids=["INT", "TERM", "HUP"],
)
def test_without_a_terminal_a_signal_leaves(place: "Place", kind: str, number: signal.Signals, status: int) -> None:
    runner = place.start("run", begun(place, kind))
    underway(place, kind)
    runner.send_signal(number)
    _, err = runner.communicate(timeout=60)
    assert runner.returncode == status
    assert f"train recipe resume {place.job().name[-4:]}" in err
    assert place.lines() == []
    assert place.json("status")[0]["state"] == "interrupted"
    (place.work / "go").touch()
    assert place.run("resume").returncode == 0
    assert place.lines() == ["done", "finally ok"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_running_job_is_cancelled(place: "Place", kind: str) -> None:
    runner = place.start("run", begun(place, kind))
    underway(place, kind)
    assert place.run("cancel").returncode == 0
    runner.communicate(timeout=60)
    assert place.json("jobs")[0]["state"] == "cancelled"
    assert place.lines() == ["finally cancelled"]
    assert place.run("resume").returncode == 3


def test_an_interrupted_job_is_cancelled_too(place: "Place") -> None:
    runner = place.start("run", begun(place, "execute"))
    place.started("2")
    runner.kill()
    runner.communicate()
    nothing = place.run("cancel")
    assert nothing.returncode == 3 and "no job is running" in nothing.stderr
    assert f"train recipe cancel {place.job().name[-4:]}" in nothing.stderr
    assert place.run("cancel", place.job().name).returncode == 0
    assert place.lines() == ["finally cancelled"]
    assert place.json("jobs")[0]["state"] == "cancelled"
    assert place.run("cancel", place.job().name).returncode == 5


def test_a_failed_job_is_not_cancelled_and_stays_resumable(place: "Place") -> None:
    assert place.run("run", place.recipe(HEAD + "@w > [ -e go ]\n")).returncode == 1
    assert place.run("cancel").returncode == 3
    assert place.run("cancel", place.job().name).returncode == 5
    (place.work / "go").touch()
    assert place.run("resume").returncode == 0


def test_detached_it_outlives_us_and_can_be_watched(place: "Place") -> None:
    report = place.json("run", begun(place, "execute"), "--detach")
    assert report["state"] == "running"
    place.started("2")
    assert place.json("status")[0]["last_step"].startswith("2 ")
    watcher = place.start("watch")
    assert watcher.stdout is not None and watcher.stderr is not None
    out = watcher.stdout.readline()
    (place.work / "go").touch()
    out += watcher.stdout.read()
    assert watcher.wait(timeout=60) == 0, watcher.stderr.read()
    assert "finally" in out and f"job {report['id'][-4:]} ok" in out
    assert place.lines() == ["done", "finally ok"]
    assert place.json("jobs")[0]["state"] == "ok"


def test_logs_are_followed(place: "Place") -> None:
    place.json(
        "run", place.recipe(HEAD + "@w > echo one; until [ -e go ]; do sleep 0.05; done; echo two\n"), "--detach"
    )
    place.started("2")
    follower = place.start("logs", "--follow")
    (place.work / "go").touch()
    out, _ = follower.communicate(timeout=60)
    assert out == "one\ntwo\n"


PROMPT = "d, p, c or Enter: "


class Front:
    """A run in the foreground, on a terminal."""

    def __init__(self, place: "Place", *words: str) -> None:
        self.terminal = Terminal(
            ["sh", "-c", f'cd "{place.work}" && exec train-recipe "$@"', "sh", *words], place.env
        )


@pytest.mark.parametrize(
    ("answers", "status", "ran"),
    [(["p\n"], 130, []), (["c\n"], 130, ["finally cancelled"]), (["\x03"], 130, []), (["x\n", "p\n"], 130, [])],
    ids=["pause", "cancel", "again", "nonsense first"],
)
@pytest.mark.parametrize("view", ["--visual", "--no-visual"])
def test_ctrl_c_on_a_terminal_asks(
    place: "Place", answers: list[str], status: int, ran: list[str], view: str
) -> None:
    front = Front(place, "run", begun(place, "execute"), view).terminal
    place.started("2")
    front.type("\x03")
    for answer in answers:
        front.expect(PROMPT)
        front.text = front.text.rpartition(PROMPT)[2]
        front.type(answer)
    assert front.wait() == status
    assert place.lines() == ran


def test_ctrl_c_in_watch_says_that_the_job_continues(place: "Place") -> None:
    report = place.json("run", begun(place, "execute"), "--detach")
    place.started("2")
    front = Front(place, "watch").terminal
    front.expect("Ctrl-C: stop")
    front.type("\x03")
    assert front.wait() == 130
    assert f"train recipe watch {report['id'][-4:]}" in front.text
    (place.work / "go").touch()
    place.until(lambda: place.json("jobs")[0]["state"] == "ok", "it ends")


def test_a_watched_job_shows_its_own_times(place: "Place") -> None:
    begun_at = place.json("run", place.recipe(HEAD + "@w > true\n"), "--detach")
    place.until(lambda: place.json("jobs")[0]["state"] == "ok", "it ends")
    path = place.job() / "events.jsonl"
    path.write_text(re.sub(r"\d{4}-\d\d-\d\dT\d\d", "2020-01-01T00", path.read_text()))
    told = place.run("watch", begun_at["id"], "--no-visual").stdout
    minutes = {line[3:5] for line in told.splitlines()[1:]}
    assert minutes <= {event["t"][14:16] for event in place.events()}


def test_the_end_of_a_successful_run_shows_what_the_last_step_printed(place: "Place") -> None:
    front = Front(place, "run", place.recipe(HEAD + "@w > echo hello there\n")).terminal
    assert front.wait() == 0
    assert "| hello there" in front.text.rpartition("2/2 steps")[2]


def test_ctrl_c_and_on(place: "Place") -> None:
    front = Front(place, "run", begun(place, "execute")).terminal
    place.started("2")
    front.type("\x03")
    front.expect(PROMPT)
    front.type("\n")
    (place.work / "go").touch()
    assert front.wait() == 0
    assert place.lines() == ["done", "finally ok"]


def test_ctrl_c_and_into_the_background(place: "Place") -> None:
    front = Front(place, "run", begun(place, "execute")).terminal
    place.started("2")
    front.type("\x03")
    front.expect(PROMPT)
    front.type("d\n")
    assert front.wait() == 0
    (place.work / "go").touch()
    place.until(lambda: place.json("jobs")[0]["state"] == "ok", "it ends")
    assert place.lines() == ["done", "finally ok"]


def test_the_live_view_shows_the_steps_and_their_output(place: "Place") -> None:
    text = "@w > for i in 1 2 3; do echo line $i; done; until [ -e go ]; do sleep 0.05; done\n@w > (exit 3)\n"
    front = Front(place, "run", place.recipe(HEAD + text)).terminal
    front.expect("line 3")
    (place.work / "go").touch()
    assert front.wait() == 1
    assert "r.recipe:4:" in front.text and "exit 3" in front.text and "failed" in front.text


COUNTING = """@w > (for n in 1 2 3 4 5 6 7 8; do echo "line $n."; until [ -e go$n ]; do sleep 0.02; done; done; echo o''ver; touch ended) &
wait @w "line 2" timeout=1m
@w > echo between
wait @w "over" timeout=1m
"""


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGKILL])
def test_what_is_printed_while_no_runner_lives_is_in_the_logs(place: "Place", number: signal.Signals) -> None:
    runner = place.start("run", place.recipe(HEAD + COUNTING))

    def printed() -> str:
        return "".join(path.read_text() for path in sorted(place.config.glob("jobs/*/steps/*.log")))

    for seen in (1, 2, 3):
        place.until(lambda seen=seen: f"line {seen}." in printed(), f"line {seen}")
        (place.work / f"go{seen}").touch()
    place.until(lambda: "line 4." in printed(), "line 4")
    runner.send_signal(number)
    runner.communicate(timeout=60)
    for later in range(4, 9):
        (place.work / f"go{later}").touch()
    place.until(lambda: (place.work / "ended").exists(), "the end of the training")
    done = place.run("resume")
    assert done.returncode == 0, done.stdout + done.stderr
    assert [printed().count(f"line {n}.") for n in range(1, 9)] == [1] * 8
    assert printed().count("over") == 1
