"""The output of a run cannot be shown: its reader has ended, the disk behind it is full, it is closed.

That never becomes the end of a step: a job is interrupted and can be resumed, and an exec ends its command.
"""

import subprocess
from typing import TYPE_CHECKING

import pytest

from trainsh_recipe.engine.outside.cancellation import Leave
from trainsh_recipe.engine.outside.view import GuardedView, View

if TYPE_CHECKING:
    from conftest import Place

STEP = "until [ -e go ]; do echo tick; sleep 0.05; done; echo done >> ran"
ONE = f"host h = local\ntmux.open @h as w\n@w > {STEP}\nfinally\n@w > echo finally >> ran\n"
SIDE_BY_SIDE = ONE.replace(f"@w > {STEP}\n", f"tmux.open @h as v\nparallel\n@w > {STEP}\n@v > {STEP}\nend\n")
KINDS = {
    "lines": (ONE, [], ["done", "finally"]),
    "output": (ONE, ["--output"], ["done", "finally"]),
    "events": (ONE, ["--jsonl"], ["done", "finally"]),
    "parallel": (SIDE_BY_SIDE, ["--output"], ["done", "done", "finally"]),
}


def shell(place: "Place", line: str) -> subprocess.CompletedProcess[str]:
    """Run a line of sh in the place."""
    return subprocess.run(
        ["sh", "-c", line], env=place.env, cwd=place.work, capture_output=True, text=True, timeout=60, check=False
    )


def interrupted(place: "Place", ran: list[str]) -> None:
    """The newest job is interrupted, no step of it has failed, and a resume completes it."""
    assert place.json("status")[0]["state"] == "interrupted"
    ends = {event["status"] for event in place.events() if event["event"] == "step.finished"}
    assert ends <= {"ok"}
    assert place.events()[-1]["event"] == "job.left"
    (place.work / "go").touch()
    assert place.run("resume").returncode == 0
    assert place.lines() == ran


@pytest.mark.parametrize("kind", KINDS)
def test_a_reader_that_ends_interrupts_the_job_in_silence(place: "Place", kind: str) -> None:
    text, words, ran = KINDS[kind]
    runner = place.start("run", place.recipe(text), *words)
    assert runner.stdout is not None and runner.stderr is not None
    assert runner.stdout.readline()
    place.started("3.1" if kind == "parallel" else "2")
    runner.stdout.close()
    if kind == "lines":  # a line is next written when the step ends
        (place.work / "go").touch()
    assert runner.wait(timeout=60) == 141
    assert runner.stderr.read() == ""
    interrupted(place, ran)


@pytest.mark.parametrize(
    ("to", "status", "says"), [(">/dev/full", 5, "No space left"), (">&-", 1, "standard output is closed")]
)
def test_output_that_cannot_be_written_is_told_and_the_job_can_be_resumed(
    place: "Place", to: str, status: int, says: str
) -> None:
    place.recipe(ONE)
    done = shell(place, f"train-recipe run ./r.recipe {to}")
    assert done.returncode == status, done.stderr
    assert says in done.stderr and "run the command again" not in done.stderr
    assert f"train recipe resume {place.job().name[-4:]}" in done.stderr
    interrupted(place, ["done", "finally"])


def test_an_exec_whose_reader_ends_ends_its_command(place: "Place") -> None:
    line = "@local > echo $BASHPID > pid; while :; do echo tick; sleep 0.05; done"
    runner = place.start("exec", line)
    assert runner.stdout is not None and runner.stderr is not None
    assert runner.stdout.readline() == "tick\n"
    runner.stdout.close()
    assert runner.wait(timeout=60) == 141
    assert runner.stderr.read() == ""
    pid = int((place.work / "pid").read_text())
    place.until(lambda: not place.alive(pid), "the shell of the command ends")
    place.until(lambda: not place.sockets(), "the session's server ends")
    assert place.json("jobs", "--exec")[0]["state"] == "cancelled"


def test_a_job_is_cancelled_though_nothing_can_be_shown(place: "Place") -> None:
    (place.work / "go").touch()
    runner = place.start("run", place.recipe(ONE.replace("until [ -e go ]", "while :")))
    place.started("2")
    runner.terminate()
    runner.communicate(timeout=60)
    shell(place, f"train-recipe cancel {place.job().name} >/dev/full")
    assert place.lines() == ["finally"]
    assert place.json("status", "--all")[0]["state"] == "cancelled"


class Broken(View):
    """A view with a bug."""

    def log(self, message: str) -> None:
        """Raise an error that nobody expects."""
        raise KeyError(message)


def test_a_bug_of_a_view_ends_the_run_once(monkeypatch: pytest.MonkeyPatch, tmp_path: "object") -> None:
    monkeypatch.setenv("TRAINSH_HOME", str(tmp_path))
    left: list[Leave] = []
    view = GuardedView(Broken(), left.append)
    view.log("one")
    view.log("two")
    assert [leave.status for leave in left] == [70]
    assert "KeyError" in left[0].reason
