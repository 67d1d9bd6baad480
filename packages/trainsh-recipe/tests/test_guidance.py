"""What a run, a failure and a resume tell a person who has read only the README."""

import re
from typing import TYPE_CHECKING

import pytest

from trainsh_recipe.plan.document import Execute, Span, Wait
from trainsh_recipe.plan.numbering import Numbered
from trainsh_recipe.store.fold import apply
from trainsh_recipe.store.state import State, StepState
from trainsh_recipe.ui.views.live import Live

if TYPE_CHECKING:
    from conftest import Place

HEAD = "host h = local\ntmux.open @h as w\n"


def test_a_recipe_edited_after_a_failure_is_not_passed_over(place: "Place") -> None:
    path = place.recipe(HEAD + "@w > flase\n")
    failed = place.run("run", path)
    id = place.job().name[-4:]
    assert f"once you have edited the recipe: train recipe resume {id} --edited" in failed.stdout
    assert "changed" not in place.run("resume", "--check").stderr
    place.recipe(HEAD + "@w > true\n")
    said = f"r.recipe has changed since this job began; to use the new text: train recipe resume {id} --edited\n"
    for words in (["--check"], ["--no-visual"]):
        assert said in place.run("resume", *words).stderr
    assert f"job {id}, r.recipe:\n" in place.run("resume", "--check").stderr
    edited = place.run("resume", "--edited")
    assert edited.returncode == 0 and "changed" not in edited.stderr


def test_a_background_step_that_failed_may_be_edited_with_the_wait_behind_it(place: "Place") -> None:
    path = place.recipe(HEAD + "@w > echo a >> ran\n@w > pyhton x &\n@w > echo b >> ran\nwait @w idle\n")
    assert place.run("run", path).returncode == 1
    place.recipe(HEAD + "@w > echo a >> ran\n@w > echo x >> ran &\n@w > echo c >> ran\nwait @w idle\n")
    refused = place.run("resume", "--edited")
    assert refused.returncode == 5 and "step 4 has run as: @w > echo b >> ran" in refused.stderr
    place.recipe(HEAD + "@w > echo a >> ran\n@w > echo x >> ran &\n@w > echo b >> ran\nwait @w idle timeout=2m\n")
    assert place.run("resume", "--edited").returncode == 0
    assert place.lines() == ["a", "b", "x"]


@pytest.mark.parametrize("edited", ["", 'wait @w "other"\n', "@w > echo x >> ran\n"])
def test_a_wait_that_was_interrupted_may_be_edited(place: "Place", edited: str) -> None:
    text = HEAD + "@w > echo a >> ran; echo other\n{}@w > echo b >> ran\n"
    runner = place.start("run", place.recipe(text.format('wait @w "epoch 10"\n')))
    place.started("3")
    runner.terminate()
    runner.communicate(timeout=60)
    place.recipe(text.format(edited).replace("echo a", "echo c"))
    refused = place.run("resume", "--edited")
    assert refused.returncode == 5 and "step 2 has run as: @w > echo a" in refused.stderr
    place.recipe(text.format(edited))
    assert place.run("resume", "--edited").returncode == 0
    assert place.lines() == (["a", "x", "b"] if "x" in edited else ["a", "b"])


def test_a_command_that_was_interrupted_may_be_edited_once_it_has_failed(place: "Place") -> None:
    text = HEAD + "@w > echo begun >> ran; while [ ! -e go ]; do sleep 0.05; done; false\n"
    runner = place.start("run", place.recipe(text))
    place.until(lambda: place.lines() == ["begun"], "the command begins")
    runner.terminate()
    runner.communicate(timeout=60)
    place.recipe(HEAD + "@w > echo other >> ran\n")
    for options in ([], ["--from", "2"]):
        refused = place.run("resume", "--edited", *options)
        assert refused.returncode == 5 and "step 2 still runs as: @w > echo begun" in refused.stderr
    (place.work / "go").touch()
    place.until(lambda: place.run("resume", "--edited").returncode == 0, "the command fails, and the new one runs")
    assert place.lines() == ["begun", "other"]


def test_steps_from_from_on_may_be_edited(place: "Place") -> None:
    assert place.run("run", place.recipe(HEAD + "@w > echo a >> ran\n@w > echo b >> ran\n@w > false\n")).returncode
    place.recipe(HEAD + "@w > echo a >> ran\n@w > echo c >> ran\n@w > true\n")
    refused = place.run("resume", "--edited", "--from", "4")
    assert refused.returncode == 5 and f"{place.job().name[-4:]} --from 3 --edited" in refused.stderr
    assert place.run("resume", "--edited", "--from", "3").returncode == 0
    assert place.lines() == ["a", "b", "c"]


def test_a_bare_resume_takes_no_older_job(place: "Place") -> None:
    assert place.run("run", place.recipe(HEAD + "@w > false\n", "typo")).returncode == 1
    failed = place.job().name
    assert [row["id"] for row in place.json("status")] == [failed], "right after the failure it is shown"
    assert place.run("run", place.recipe(HEAD + "@w > true\n", "fine")).returncode == 0
    assert place.json("status") == []
    refused = place.run("resume")
    assert refused.returncode == 3
    assert f"nothing to resume: {place.job().name[-4:]} (fine), the last job, went well" in refused.stderr
    assert f"an older job, typo, failed: train recipe resume {failed[-4:]}" in refused.stderr
    assert place.run("resume", failed[-4:]).returncode == 1


def test_attempts_are_told_apart(place: "Place") -> None:
    text = "@w retry=1 retry_delay=1 > echo x >> n; for i in 1 2 3; do echo try $(wc -l < n) part $i; done; false\n"
    failed = place.run("run", place.recipe(HEAD + text))
    assert "| try 2 part 3" in failed.stderr and "try 1" not in failed.stderr
    assert place.run("resume").returncode == 1
    lines = place.run("logs", "--last").stdout.splitlines()
    assert [line for line in lines if "attempt" in line] == [f"-- attempt {number}" for number in (1, 2, 3, 4)]
    assert lines.index("-- attempt 3") + 1 == lines.index("try 3 part 1")
    assert place.run("logs", "--last", "--tail", "20").stdout.count("\ntry") == 3
    assert "attempt" not in place.run("logs", "--step", "2").stdout
    assert place.json("logs", "--last", "--tail", "1")[1]["text"] == "try 4 part 3\n"


def test_the_last_lines_of_a_background_step_are_of_its_last_attempt(place: "Place") -> None:
    text = "@w > echo x >> n; echo try $(wc -l < n) of it; exit 3 &\nwait @w idle timeout=2m\n"
    text = text.replace("echo x", "(echo x").replace("exit 3 &", "exit 3) &")
    assert "| try 1 of it" in place.run("run", place.recipe(HEAD + text)).stderr
    again = place.run("resume").stderr
    assert "| try 2 of it" in again and "try 1" not in again


def test_the_number_of_an_attempt_is_shown_after_a_failure_alone(place: "Place") -> None:
    assert place.run("run", place.recipe(HEAD + "@w > [ -e go ]\n@w > true\n")).returncode == 1
    (place.work / "go").touch()
    lines = place.run("resume").stdout.splitlines()
    assert [re.sub(r"^\S+ ", "", line) for line in lines if "attempt" in line][1:] == [
        "2  @w > [ -e go ] (attempt 2)"
    ]


def test_a_lost_step_has_its_number_in_the_recipe(place: "Place") -> None:
    runner = place.start("run", place.recipe(HEAD + "@w > sleep 50\n"), "--no-visual")
    place.started("2")
    place.crash()
    out, err = runner.communicate(timeout=60)
    assert "step 2 lost" in err
    assert "002" not in out + err


def test_the_file_name_of_a_kept_recipe_will_do(place: "Place") -> None:
    assert place.run("new", "first").returncode == 0
    assert place.run("show", "first.recipe").stdout == place.run("show", "first").stdout


@pytest.mark.parametrize("command", ["true", "false"])
def test_quiet_shows_failures_alone(place: "Place", command: str) -> None:
    done = place.run("run", place.recipe(HEAD + f"@w > {command}\n"), "-q")
    assert done.stdout == "" and ("step 2 failed" in done.stderr) == (command == "false")
    assert (done.stderr == "") == (command == "true")


def test_a_host_that_does_not_exist_is_told_before_the_run(place: "Place") -> None:
    (place.config / "hosts.toml").write_text('[[hosts]]\nname = "gpu"\ntype = "ssh"\nhostname = "10.0.0.1"\n')
    path = place.recipe("host g = gpuu\ntmux.open @g as w\n@w > true\n")
    dry = place.run("run", path, "--dry-run")
    assert dry.returncode == 0 and "warning: host g: there is no host 'gpuu'\n  did you mean gpu?" in dry.stderr
    refused = place.run("run", path, "--detach")
    assert refused.returncode == 3 and "did you mean gpu?" in refused.stderr
    assert not (place.config / "jobs").exists(), "no job was begun"
    assert "warning" not in place.run("run", path, "--dry-run", "--host", "g=gpu").stderr


def test_the_live_view_marks_background_steps_and_forgets_finally_of_the_round_before() -> None:
    view, span = Live(), Span(line=1)
    steps = [
        Numbered("1", Execute(text="x &", span=span, session="w", command="x", background=True), False),
        Numbered("2", Wait(text="wait @w idle", span=span, session="w", condition="idle", value=""), False),
        Numbered("3", Execute(text="y", span=span, session="w", command="y"), True),
    ]
    state = State(round=2, steps={"3": StepState(id="3", status="ok", closing=True, round=1)})
    view._draw = lambda: None  # type: ignore[method-assign]
    view.begin(state, steps, "r")

    def marks(**event: object) -> list[str]:
        apply(state, {"t": "2026-01-01T00:00:00.000Z", **event})
        view.event({"t": "2026-01-01T00:00:00.000Z", **event})
        return [view._status(row) for row in view._rows.values()]

    begun = {"event": "step.started", "attempt": 1}
    assert marks(**begun, step="1") == ["running", "", ""]
    assert marks(event="step.finished", step="1", attempt=1, status="ok")[0] == "background"
    failed = {"event": "step.finished", "step": "2", "attempt": 1, "status": "failed"}
    assert marks(**failed, cause="1") == ["failed", "failed", ""]
