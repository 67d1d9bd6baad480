"""Running recipes: statuses, the language's control flow, and what a person sees."""

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Place

HEAD = "host h = local\ntmux.open @h as w\n"


def test_a_failing_step_ends_the_run_and_finally_comes(place: "Place") -> None:
    path = place.recipe(
        HEAD + "@w > echo first; (exit 3)\n@w > echo no >> ran\nfinally\n@w > echo f $JOB_STATUS >> ran\n"
    )
    done = place.run("run", path)
    assert done.returncode == 1
    assert place.lines() == ["f failed"]
    assert "r.recipe:3: step 2 failed: exit 3\n  @w > echo first; (exit 3)" in done.stderr
    assert "  | first\n" in done.stderr
    assert "3  @w" not in done.stdout


def test_false_is_status_one(place: "Place") -> None:
    report = place.json("run", place.recipe(HEAD + "@w > false\n"), status=1)
    assert (report["state"], report["steps"][1]["exit"], report["reason"]) == (
        "failed",
        1,
        "step 2 failed: exit 1",
    )


def test_a_background_step_that_nothing_waits_for_is_not_called_ok(place: "Place") -> None:
    path = place.recipe(
        HEAD + "@w > (exit 3) &\n@w > sleep 60 &\n@w > true &\n@w > sleep 0.3\nfinally\ntmux.close @w\n"
    )
    done = place.run("run", path)
    assert done.returncode == 0 and " 2  failed in the background: exit 3\n" in done.stdout
    assert "step 2 failed in the background (exit 3), and no wait noticed: train logs " in done.stderr
    steps = place.json("logs", "--last")
    assert [each["state"] for each in steps][1:4] == ["failed", "background", "ok"]
    told = place.run("logs", "--last").stdout
    assert "step 2  failed: exit 3, in the background" in told and "step 3  in the background" in told
    folder = steps[2]["more"].partition("~/")[2].rpartition("/")[0]
    assert (place.home / folder / "log.0").is_file()


def test_a_timeout_is_status_one_whatever_the_step_says(place: "Place") -> None:
    report = place.json("run", place.recipe(HEAD + "@w timeout=2s > sleep 100\n"), status=1)
    assert report["steps"][1]["state"] == "timeout"


def test_what_is_set_in_a_session_lasts(place: "Place") -> None:
    text = (
        "@w > cd /usr\n@w > export A=1; declare B=2; alias c='echo three'\n@w > echo $PWD $A $B > {0}; c >> {0}\n"
    )
    assert place.run("run", place.recipe(HEAD + text.format(place.work / "out"))).returncode == 0
    assert place.lines("out") == ["/usr 1 2", "three"]


def test_a_here_document_arrives_byte_for_byte(place: "Place") -> None:
    body = "".join(f"{number} 'it''s' \"q\" `b` $HOME \\n ✓ ü \t\n" for number in range(2500))
    text = f"@w > cat > {place.work}/out <<'EOF'\n{body}EOF\n"
    assert place.run("run", place.recipe(HEAD + text)).returncode == 0
    assert (place.work / "out").read_text() == body


def test_values_from_the_command_line(place: "Place") -> None:
    path = place.recipe(
        "var A = a\nvar B = $A-b\nhost h = nowhere.invalid\ntmux.open @h as w\n@w > echo $A $B > ran\n"
    )
    assert place.run("run", path, "A=x", "--host", "h=local").returncode == 0
    assert place.lines() == ["x x-b"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--var", "MODLE=1"], "did you mean MODEL"), (["MODLE=1"], "did you mean MODEL"),
        (["--host", "gpo=local"], "did you mean gpu"), (["--storage", "ouput=file:/x"], "did you mean output"),
        (["nonsense"], "not VAR=value"),
    ],
)  # fmt: skip
def test_an_override_that_names_nothing_is_refused(place: "Place", words: list[str], said: str) -> None:
    text = "var MODEL = m\nhost gpu = local\nstorage output = file:/tmp\ntmux.open @gpu as w\n@w > echo $MODEL\n./a -> @output:/b\n"
    done = place.run("run", place.recipe(text), *words)
    assert done.returncode == 2
    assert said in done.stderr
    assert not (place.config / "jobs").exists()


def test_a_wrong_recipe_makes_no_job(place: "Place") -> None:
    done = place.run("run", place.recipe("host h = local\n@w > echo hi\nnonsense\n"))
    assert done.returncode == 2
    assert "E" in done.stderr and "r.recipe:3" in done.stderr
    assert not (place.config / "jobs").exists()


def test_retries_wait_twice_as_long_each_time(place: "Place") -> None:
    text = '@w retry=2 retry_delay=0.1s > echo t >> ran; [ "$(grep -c t ran)" = 3 ]\n'
    assert place.run("run", place.recipe(HEAD + text)).returncode == 0
    starts = [event for event in place.events() if event["event"] == "step.started" and event["step"] == "2"]
    assert [event["attempt"] for event in starts] == [1, 2, 3]
    assert place.lines() == ["t", "t", "t"]


def test_a_step_that_may_fail_does_not_end_the_run(place: "Place") -> None:
    assert (
        place.run("run", place.recipe(HEAD + "@w allow_fail=true > false\n@w > echo on >> ran\n")).returncode == 0
    )
    assert place.lines() == ["on"]


def test_captured_output_is_a_variable(place: "Place") -> None:
    text = "@w capture=N > echo ' 42 '; echo noise >&2\n@w > echo [$N] >> ran\nnotify \"n $N\"\n"
    done = place.run("run", place.recipe(HEAD + text))
    assert place.lines() == ["[42]"]
    assert "notify: n 42" in done.stdout


def test_a_block_ends_before_it_fails(place: "Place") -> None:
    text = (
        "tmux.open @h as v\nparallel\n@w > (exit 4)\n@v > sleep 0.3; echo slow >> ran\nend\n@w > echo no >> ran\n"
    )
    report = place.json("run", place.recipe(HEAD + text), status=1)
    assert place.lines() == ["slow"]
    assert {step["id"]: step["state"] for step in report["steps"]} == {
        "1": "ok",
        "2": "ok",
        "3.1": "failed",
        "3.2": "ok",
    }


def test_a_background_step_that_fails_fails_the_wait_for_it(place: "Place") -> None:
    done = place.run("run", place.recipe(HEAD + "@w > (sleep 0.1; exit 5) &\nwait @w idle timeout=2m\n"))
    assert done.returncode == 1
    assert "background step 2 (line 3) failed: exit 5" in done.stderr


def test_the_time_a_job_may_take(place: "Place") -> None:
    path = place.recipe(HEAD + "@w > sleep 30\nfinally\n@w > echo $JOB_STATUS >> ran\n")
    report = place.json("run", path, "--max-time", "4s", status=1)
    assert report["state"] == "cancelled" and "--max-time" in report["reason"]
    assert place.lines() == ["cancelled"]


def test_transfers_and_sleep_have_timeouts_too(place: "Place") -> None:
    report = place.json("run", place.recipe("sleep 20 timeout=0.2s\n"), status=1)
    assert report["steps"][0]["state"] == "timeout"


def test_relative_paths_are_relative_to_the_folder_of_the_call(place: "Place") -> None:
    (place.work / "a:b").write_text("x")
    text = f"host h = local\nstorage s = file:{place.work}/store\n./a:b -> @h:{place.work}/c/\n@h:{place.work}/c/ -> @s:/d/\n"
    assert place.run("run", place.recipe(text)).returncode == 0
    assert (place.work / "c" / "a:b").read_text() == (place.work / "store" / "d" / "a:b").read_text() == "x"


def test_a_storage_that_nothing_fills_is_asked_for(place: "Place") -> None:
    from trainsh_base.testing import Terminal

    path = place.recipe("storage s = placeholder\n./r.recipe -> @s:/x/\n")
    done = place.run("run", path)
    assert done.returncode == 2 and "--storage s=SPEC" in done.stderr
    assert not (place.config / "jobs").exists()
    terminal = Terminal(["sh", "-c", f'cd "{place.work}" && exec train-recipe run {path}'], place.env)
    terminal.expect("What is storage s")
    terminal.type(f"file:{place.work}/store\n")
    assert terminal.wait() == 0
    assert (place.work / "store" / "x" / "r.recipe").exists()


def test_a_secret_is_seen_nowhere(place: "Place") -> None:
    place.extra = {"TOKEN": "hunter2-hunter2"}
    text = '@w > echo "t ${secret:TOKEN}"; export T="${secret:TOKEN}"\n@w > echo later $T\n'
    text += (
        '@w capture=C > echo "${secret:TOKEN}"\nnotify "it is ${secret:TOKEN}"\n@w > [ "$C" = "${secret:TOKEN}" ]\n'
    )
    done = place.run("run", place.recipe(HEAD + text), "--output")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "later ***" in done.stdout and "it is ***" in done.stdout
    seen = (
        done.stdout
        + done.stderr
        + "".join(path.read_text(errors="replace") for path in place.job().rglob("*") if path.is_file())
    )
    assert "hunter2" not in seen


def test_a_secret_by_a_plain_name_is_in_the_environment_of_no_other_step(place: "Place") -> None:
    place.extra = {"DEPLOY_X": "hunter2-hunter2"}
    text = '@w > : "${secret:DEPLOY_X}"\n@w > printenv DEPLOY_X; cat /proc/$PPID/environ | tr -d "\\0" | grep -c hunter2\n'
    done = place.run("run", place.recipe(HEAD + text.replace("-c hunter2", "-c hunter2 || true")), "--output")
    assert done.returncode == 0 and "***" not in done.stdout, done.stdout + done.stderr
    assert "| 0" in done.stdout


SECRETS = (
    "var T = ${secret:NO_VAR}\nvar U = ${secret:UNUSED}\nstorage s = file:/${secret:NO_PLACE}\n" + HEAD
    + '@w > echo a >> ran\n@w > echo "$T ${secret:NO_STEP}"\n./ran -> @s:/x exclude="${secret:NO_OPTION}"\n'
    + 'finally\nnotify "${secret:NO_END} ${secret:THERE}"\n'
)  # fmt: skip


@pytest.mark.parametrize("options", [[], ["--detach"], ["--dry-run"]])
def test_missing_secrets_are_all_told_before_the_job_begins(place: "Place", options: list[str]) -> None:
    place.extra = {"THERE": "hunter2"}
    place.recipe(SECRETS)
    done = place.run("run", "./r.recipe", *options)
    assert done.returncode == (4 if options == ["--dry-run"] else 2), done.stderr
    for name in ("VAR", "STEP", "OPTION", "END", "PLACE"):
        assert f"\n  train secrets set NO_{name}\n" in done.stderr
    assert "THERE" not in done.stderr and "UNUSED" not in done.stderr
    assert not place.lines() and not (place.config / "jobs").exists()


def test_secrets_are_kept_from_before_the_first_step(place: "Place") -> None:
    """A helper that answers once stands for an encrypted file whose agent has forgotten the passphrase."""
    place.tool("once", f"#!/bin/sh\n[ ! -e {place.work}/locked ] && touch {place.work}/locked && echo hunter2-$1\n")
    (place.config / "config.toml").write_text('[secrets]\nhelper = "train-once {name}"\n')
    text = HEAD + "@w > echo ${secret:LATE} >> ran\n"
    assert place.run("run", place.recipe(text), "--detach").returncode == 0
    place.until(lambda: place.lines() == ["hunter2-LATE"], "the runner in the background has the secret")
    place.until(lambda: any(each["event"] == "job.finished" for each in place.events()), "it ends")
    assert "hunter2" not in (place.job() / "events.jsonl").read_text()


def test_a_passphrase_is_typed_once_before_the_run_leaves_the_terminal(place: "Place") -> None:
    from trainsh_base.testing import Terminal

    place.extra = {"TRAINSH_SECRETS_AGENT_TIME": "off"}
    for name in ("ONE", "TWO"):
        place.shell(
            f"echo hunter-{name} | TRAINSH_PASSPHRASE=pass train-secrets set {name} --to file --from-file -"
        )
    path = place.recipe(HEAD + "@w > echo ${secret:ONE} ${secret:TWO} >> ran\n")
    terminal = Terminal(["sh", "-c", f'cd "{place.work}" && exec train-recipe run {path} --detach'], place.env)
    terminal.expect("Passphrase of")
    terminal.type("pass\n")
    assert terminal.wait() == 0
    place.until(lambda: place.lines() == ["hunter-ONE hunter-TWO"], "the runner in the background has both")
    place.until(lambda: any(each["event"] == "job.finished" for each in place.events()), "it ends")


def test_a_resume_needs_the_secrets_of_the_steps_to_run_alone(place: "Place") -> None:
    place.extra = {"ONE": "hunter2", "TWO": "hunter3"}
    text = "@w > echo ${secret:ONE} >> ran\n@w > [ -e go ]\n@w > echo ${secret:TWO} >> ran\n"
    assert place.run("run", place.recipe(HEAD + text)).returncode == 1
    (place.work / "go").touch()
    events, place.extra = place.events(), {}
    refused = place.run("resume")
    assert refused.returncode == 2 and "train secrets set TWO\n" in refused.stderr and "ONE" not in refused.stderr
    assert place.events() == events, "nothing was recorded"
    place.extra = {"TWO": "hunter3"}
    assert place.run("resume").returncode == 0
    assert place.lines() == ["hunter2", "hunter3"]


def test_an_edited_text_is_taken_over_only_if_the_resume_is_not_refused(place: "Place") -> None:
    place.run("run", place.recipe(HEAD + "@w > false\n"))
    kept = place.job() / "recipe"
    before = kept.read_text()
    place.recipe(HEAD + "@w > echo ${secret:NO_SUCH_THING} >> ran\n")
    assert place.run("resume", "--edited").returncode == 2
    assert kept.read_text() == before


def test_dry_run_resolves_everything_and_touches_nothing(place: "Place") -> None:
    text = "var A = a\n" + HEAD + "@w > echo $A >> ran\n./r.recipe -> @h:/tmp/$A\nfinally\ntmux.close @w\n"
    steps = place.json("run", place.recipe(text), "--dry-run", "A=b")
    assert [step["text"] for step in steps] == [
        "tmux.open @h as w",
        "echo b >> ran",
        "./r.recipe -> local:/tmp/b",
        "tmux.close @w",
    ]
    assert not (place.config / "jobs").exists() and not place.sockets()
    place.extra = {}
    secret = place.recipe(HEAD + '@w > echo "${secret:NO_SUCH_THING}"\n', "s")
    assert place.run("run", secret, "--dry-run").returncode == 4


def test_json_is_the_job_and_jsonl_its_events(place: "Place") -> None:
    path = place.recipe(HEAD + "@w > echo hi\n")
    assert place.json("run", path)["state"] == "ok"
    lines = [json.loads(line) for line in place.run("run", path, "--jsonl").stdout.splitlines()]
    kinds = [line["event"] for line in lines]
    assert kinds[0] == "step.started" and kinds[-2:] == ["job.finished", "result"]
    assert any(line["event"] == "output" and "hi" in line["data"] for line in lines)
    assert lines[-1]["result"]["state"] == "ok"


def test_output_has_no_escapes_in_a_pipe(place: "Place") -> None:
    done = place.run("run", place.recipe(HEAD + "@w > printf '\\033[31mred\\033[0m\\n'; false\n"), "--output")
    assert "\x1b" not in done.stdout + done.stderr and "| red" in done.stdout


def test_sessions_left_open_are_shells_that_a_person_can_use(place: "Place") -> None:
    assert place.run("run", place.recipe(HEAD + "@w > cd /usr; false\n")).returncode == 1
    argv = place.json("attach")["argv"]
    assert argv[-2:] == ["-t", "=w"]


def test_where_a_recipe_is_looked_for(place: "Place") -> None:
    place.recipe(HEAD, "here")
    assert place.run("run", "here").returncode == 0
    done = place.run("run", "nowhere")
    assert done.returncode == 3
    assert str(place.config / "recipes" / "nowhere.recipe") in done.stderr and "in this folder" in done.stderr
    assert place.run("run", "./hre.recipe").stderr.count("did you mean here.recipe?") == 1
    (place.config / "recipes").mkdir()
    (place.config / "recipes" / "named.recipe").write_text(HEAD)
    assert place.run("run", "named").returncode == 0
    assert [row["name"] for row in place.json("list")] == ["named", "here"]


def test_notify_goes_to_the_targets_and_its_failure_is_no_failure(place: "Place") -> None:
    place.extra = {"TRAINSH_NOTIFY_TARGETS": "nonsense-target"}
    done = place.run("run", place.recipe('notify "hello"\n'))
    assert done.returncode == 0 and "notify: hello" in done.stdout
    assert "notify: " in done.stderr
