"""The command line that is made from a declaration: parsing, --input, formats, help, prompts, and how it looks."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from trainsh_base.testing import Terminal
from trainsh_base.tool.type_errors import in_words

EXAMPLE = [sys.executable, str(Path(__file__).with_name("example_tool.py"))]
Run = Callable[..., subprocess.CompletedProcess[bytes]]
PLAIN: dict[str, Any] = {
    "word": "hi", "times": 1, "size": None, "mode": "plain", "wait": 0.0, "tags": [], "pairs": {},
    "loud": False, "colour": True,
}  # fmt: skip


@pytest.mark.parametrize(
    ("words", "changed"),
    [
        pytest.param([], {}, id="defaults"),
        pytest.param(["--times", "3"], {"times": 3}, id="int"),
        pytest.param(["-n", "3"], {"times": 3}, id="short"),
        pytest.param(["--size", "1.5"], {"size": 1.5}, id="float"),
        pytest.param(["--mode", "fancy"], {"mode": "fancy"}, id="choice"),
        pytest.param(["--wait", "1m30s"], {"wait": 90.0}, id="duration"),
        pytest.param(["--wait", "5"], {"wait": 5.0}, id="duration-number"),
        pytest.param(["--tag", "a", "--tag", "b"], {"tags": ["a", "b"]}, id="list"),
        pytest.param(["--pair", "K=V", "--pair", "E=a=b"], {"pairs": {"K": "V", "E": "a=b"}}, id="pairs"),
        pytest.param(["--loud"], {"loud": True}, id="flag"),
        pytest.param(["--no-colour"], {"colour": False}, id="flag-off"),
    ],
)
def test_words_become_typed_parameters(example: Run, words: list[str], changed: dict[str, Any]) -> None:
    done = example("echo", "hi", "--json", *words)
    assert json.loads(done.stdout) == PLAIN | changed


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(["echo"], b"echo needs WORD", id="missing"),
        pytest.param(
            ["echo", "a", "b"], b"error: unexpected argument: b\n  usage: train-example echo WORD", id="too-many"
        ),
        pytest.param(["echo", "a", "--times", "x"], b"--times takes a whole number, not 'x'", id="int"),
        pytest.param(["echo", "a", "--size", "x"], b"--size takes a number, not 'x'", id="float"),
        pytest.param(["echo", "a", "--mode", "odd"], b"'odd' is not one of", id="choice"),
        pytest.param(["echo", "a", "--wait", "soon"], b"not a duration: 'soon'", id="duration"),
        pytest.param(["echo", "a", "--pair", "x"], b"--pair takes NAME=VALUE, got 'x'", id="pair"),
        pytest.param(["echo", "a", "--tims", "3"], b"no such option", id="option"),
        pytest.param(["ecko"], b"did you mean echo?", id="command"),
        pytest.param(["echo", "a", "--json", "--jsonl"], b"exclude each other", id="formats"),
        pytest.param(["--nonsense"], b"no such option", id="tool-option"),
    ],
)
def test_wrong_usage_is_2_and_says_what(example: Run, words: list[str], said: bytes) -> None:
    done = example(*words)
    assert done.returncode == 2
    assert said.lower() in (done.stdout if "--jsonl" in words else done.stderr).lower()
    assert b"Traceback" not in done.stderr and ("--jsonl" in words or done.stdout == b"")


def test_parameters_come_from_input_and_words_win(example: Run, tmp_path: Path) -> None:
    document = json.dumps({"word": "from input", "times": 5, "wait": "2m", "pair": {"a": "b"}}).encode()
    done = example("echo", "--input", "-", "--json", "--times", "7", input=document)
    assert json.loads(done.stdout) == PLAIN | {"word": "from input", "times": 7, "wait": 120.0, "pairs": {"a": "b"}}
    (tmp_path / "file.json").write_bytes(document)
    done = example("echo", "mine", "--input", str(tmp_path / "file.json"), "--json")
    assert json.loads(done.stdout)["word"] == "mine"


@pytest.mark.parametrize(
    ("text", "status", "said"),
    [
        pytest.param(b'{"word": "a", "time": 1}', 2, b"did you mean times?", id="unknown-key"),
        pytest.param(b'{"word": 5}', 2, b"word: expected text, got a whole number", id="wrong-type"),
        pytest.param(b'{"word": "a", "wait": "soon"}', 2, b"not a duration: 'soon'", id="duration"),
        pytest.param(b'{"word": "a", "mode": "odd"}', 2, b"mode: invalid", id="choice"),
        pytest.param(b"[1]", 2, b"holds a list, not a JSON object", id="list"),
        pytest.param(b"garbage", 2, b"--input - is not JSON", id="garbage"),
        pytest.param(b"\xff\x00", 2, b"--input - is not JSON", id="bytes"),
        pytest.param(b"", 2, b"--input - is not JSON", id="empty"),
        pytest.param(b"{}", 2, b"echo needs WORD", id="missing"),
        pytest.param(b'{"word": "a", "_step": 1}', 0, b"", id="runners-key"),
    ],
)
def test_input_is_checked(example: Run, text: bytes, status: int, said: bytes) -> None:
    done = example("echo", "--input", "-", input=text)
    assert done.returncode == status
    assert said in done.stderr and b"Traceback" not in done.stderr


def test_an_input_file_that_is_not_there_is_3_and_a_folder_2(example: Run, tmp_path: Path) -> None:
    assert example("echo", "--input", str(tmp_path / "none")).returncode == 3
    assert example("echo", "--input", str(tmp_path)).returncode == 2


def test_a_list_is_plain_columns_in_a_pipe_and_an_empty_one_nothing(example: Run) -> None:
    lines = example("rows", "--count", "2").stdout.decode().splitlines()
    assert lines[0].split()[:2] == ["WORD", "TIMES"] and lines[1].startswith("word-0  0")
    assert not any("\x1b" in line or line != line.rstrip() for line in lines)
    assert example("rows", "--count", "0").stdout == b""
    assert example("rows", "--count", "0", "--json").stdout == b"[]\n"


def test_a_list_is_a_table_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    screen = Terminal([*EXAMPLE, "rows"])
    assert screen.wait() == 0
    assert "word-1" in screen.text and "\x1b[" in screen.text


@pytest.mark.parametrize("how", ["NO_COLOR", "--no-color", "dumb"])
def test_colours_can_be_turned_off(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb" if how == "dumb" else "xterm-256color")
    if how == "NO_COLOR":
        monkeypatch.setenv("NO_COLOR", "1")
    words = ["--no-color"] if how == "--no-color" else []
    for command in (["rows", *words], ["fail", "NotFound", *words]):
        screen = Terminal([*EXAMPLE, *command])
        screen.wait()
        colours = [part for part in screen.text.split("\x1b[")[1:] if part.split("m")[0] not in ("0", "1", "")]
        assert not any(part.startswith(("3", "9", "1;3")) for part in colours), screen.text


def test_json_is_one_line_in_a_pipe_and_laid_out_on_a_terminal(example: Run) -> None:
    assert example("echo", "hi", "--json").stdout.count(b"\n") == 1
    screen = Terminal([*EXAMPLE, "echo", "hi", "--json"])
    screen.wait()
    assert '\n  "word": "hi"' in screen.text


def test_jsonl_is_an_event_a_line_and_the_last_is_the_result(example: Run) -> None:
    lines = [json.loads(line) for line in example("events", "--jsonl").stdout.splitlines()]
    assert [line["event"] for line in lines] == ["progress", "log", "output", "result"]
    assert lines[-1]["result"] == "done"


def test_json_prints_no_events_on_stdout(example: Run) -> None:
    done = example("events", "--json")
    assert done.stdout == b'"done"\n'
    assert done.stderr == b"a line\n"


def test_progress_is_shown_on_a_terminal_only(example: Run) -> None:
    assert b"half" not in example("events").stderr
    screen = Terminal([*EXAMPLE, "events"])
    screen.wait()
    assert " 50% 1.0 KiB  half" in screen.text


def test_a_progress_line_is_gone_when_something_else_is_printed() -> None:
    screen = Terminal([*EXAMPLE, "events"])
    screen.wait()
    lines = [line.rpartition("\r")[2] for line in screen.text.replace("\x1b[K", "").split("\r\n")]
    assert lines[0] == "a line" and not any("half" in line for line in lines), screen.text


def test_a_long_text_is_broken_at_words_on_a_terminal_alone() -> None:
    program = "from trainsh_base.tool.display import folded; print('x  ' + folded('one two ' * 12, 3))"
    screen = Terminal([sys.executable, "-c", program], {**os.environ, "COLUMNS": "40"})
    screen.wait()
    assert screen.text.splitlines()[:2] == [
        "x  one two one two one two one two one",
        "   two one two one two one two one two",
    ]
    piped = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert piped.stdout == "x  " + "one two " * 12 + "\n"


@pytest.mark.parametrize(
    ("kind", "keys", "answer"),
    [
        ("confirm", "y\r", "yes"), ("confirm", "n\r", "no"), ("confirm", "\r", "no"),
        ("text", "some words\r", "some words"),
        ("choose", "blue\r", "blue"), ("secret", "hush\r", "hush"),
    ],
)  # fmt: skip
def test_a_question_is_asked_on_the_terminal(kind: str, keys: str, answer: str) -> None:
    screen = Terminal([*EXAMPLE, "question", kind])
    screen.expect("Well")
    screen.type(keys)
    assert screen.wait() == 0
    assert screen.text.rstrip().endswith(answer)
    assert screen.text.count("hush") <= 1, "a secret is not echoed: it is there as the answer only"


def test_another_answer_than_yes_or_no_is_asked_again() -> None:
    screen = Terminal([*EXAMPLE, "question", "confirm"])
    screen.expect("Well [y/N]: ")
    screen.type("what\r")
    screen.expect("answer y or n\r\nWell [y/N]: ")
    screen.type("Y\r")
    assert screen.wait() == 0 and screen.text.rstrip().endswith("yes")


def test_end_of_input_at_a_question_is_2_as_without_a_terminal() -> None:
    screen = Terminal([*EXAMPLE, "question", "text"])
    screen.expect("Well")
    screen.type("\x04")
    assert screen.wait() == 2


def test_a_question_without_a_terminal_is_2_and_names_the_flag(example: Run) -> None:
    for words in ([], ["--json"]):
        done = example("question", "confirm", *words, input=b"y\n")
        assert done.returncode == 2
        assert b"not interactive: pass --x" in done.stderr and b"Well" in done.stderr


def test_help_has_every_option_its_default_and_the_arguments(example: Run) -> None:
    text = example("echo", "--help").stdout.decode()
    for words in (
        "Say a word, as often as wanted.",
        "WORD  what to say",
        "-n, --times",
        "[default: 1]",
        "--colour / --no-colour",
        "--json",
    ):
        assert words in text
    listing = example("--help").stdout.decode()
    assert "Show what the framework does." in listing
    assert all(name in listing for name in ("echo", "kill-me", "schema", "serve"))
    assert example().stdout.decode() == listing


def test_the_version_is_one_line(example: Run) -> None:
    done = example("--version")
    assert done.returncode == 0 and done.stdout.count(b"\n") == 1
    assert done.stdout.split()[1][:1].isdigit()


def test_the_schema_describes_every_parameter_and_answer(example: Run) -> None:
    schema = json.loads(example("schema").stdout)
    echo = schema["commands"]["echo"]
    properties = echo["params"]["properties"]
    assert echo["params"]["required"] == ["word"] and echo["params"]["additionalProperties"] is False
    assert properties["word"]["x-positional"] is True and properties["word"]["description"] == "what to say"
    assert (
        properties["times"] | {"type": "integer", "default": 1, "x-flag": "--times", "x-short": "-n"}
        == properties["times"]
    )
    assert properties["wait"]["x-kind"] == "duration"
    assert properties["mode"]["enum"] == ["fancy", "plain"]
    assert echo["returns"] == {"$ref": "#/$defs/Said"} and "Said" in schema["$defs"]
    assert schema["commands"]["rows"]["returns"]["items"] == {"$ref": "#/$defs/Said"}
    assert schema["commands"]["hidden"]["returns"]["additionalProperties"]["x-kind"] == "secret"


HEAVY = ("rich", "requests", "keyring", "tomlkit", "sh", "textual", "asyncio", "tenacity", "pyrage")


@pytest.mark.parametrize("words", [["--help"], ["echo", "hi"], ["echo", "hi", "--json"], ["fail", "NotFound"]])
def test_a_command_starts_without_anything_heavy(words: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *EXAMPLE[1:], *words], capture_output=True, text=True, check=False
    )
    loaded = {
        line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")
    }
    assert ("click" in loaded) == (words == ["--help"])  # a simple command line does not need click
    assert not loaded & set(HEAVY)


@pytest.mark.parametrize(
    ("typed", "shortcut", "usage"),
    [
        ("train example", "", "train example echo"),
        ("train say", "echo", "train say"),
        ("", "", "train-example echo"),
    ],
)
def test_usage_names_what_was_typed(example: Run, typed: str, shortcut: str, usage: str) -> None:
    given = {"TRAINSH_TYPED": typed, "TRAINSH_SHORTCUT": shortcut}
    env = os.environ | {key: value for key, value in given.items() if value}
    assert f"Usage: {usage} [OPTIONS] WORD" in example("echo", "--help", env=env).stdout.decode()
    assert f"usage: {usage} WORD" in example("echo", env=env).stderr.decode()
    assert f"usage: {usage} --help" in example("echo", "a", "--nope", env=env).stderr.decode()
    assert example("--version", env=env).stdout.startswith(b"train-example ")


def test_quiet_leaves_the_answer_and_debug_shows_what_is_run(example: Run) -> None:
    assert example("hostile", "log", input=b'"a note"').stderr == b"a note\n"
    assert example("hostile", "log", "-q", input=b'"a note"').stderr == b""
    assert example("process", "echo hi", "--debug").stderr == b"+ sh -c 'echo hi'\n"
    assert example("process", "echo hi").stderr == b""


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("Expected `int | null`, got `str` - at `$.port`", "port: expected a whole number or nothing, got text"),
        ("Expected `array`, got `object` - at `$.tags[0].x`", "tags[0].x: expected a list, got an object"),
        ("Invalid enum value 'odd' - at `$.mode`", "mode: invalid enum value 'odd'"),
        ("Expected `int` >= 1", "expected a whole number >= 1"),
    ],
)
def test_type_errors_are_in_words(said: str, words: str) -> None:
    assert in_words(said) == words


def test_input_reads_what_another_command_printed(example: Run) -> None:
    rows = json.loads(example("rows", "--json").stdout)
    printed = {**rows[1], "wait": 5, "tags": ["a"]}
    done = example("echo", "--input", "-", "--json", input=json.dumps(printed).encode())
    assert (json.loads(done.stdout)["times"], json.loads(done.stdout)["tags"]) == (
        1,
        ["a"],
    )  # `pairs` is left out
    done = example("echo", "--input", "-", input=json.dumps({**printed, "colours": True}).encode())
    assert done.returncode == 2 and b"no parameter 'pairs'" in done.stderr
    done = example("echo", "--input", "-", input=json.dumps(rows).encode())
    assert done.returncode == 2 and b"jq '.[0]'" in done.stderr


@pytest.mark.parametrize(
    ("env", "words", "paged"),
    [
        pytest.param({"PAGER": "sed s/^/paged:/"}, ["--count", "60"], True, id="long"),
        pytest.param({"PAGER": "sed s/^/paged:/"}, ["--count", "5"], False, id="short"),
        pytest.param({"PAGER": "sed s/^/paged:/"}, ["--count", "60", "--no-pager"], False, id="option"),
        pytest.param({"PAGER": "sed s/^/paged:/"}, ["--count", "60", "--json"], True, id="json"),
        pytest.param({"PAGER": "sed s/^/paged:/", "TRAINSH_PAGER": ""}, ["--count", "60"], False, id="none"),
        pytest.param({"PAGER": "no", "TRAINSH_PAGER": "sed s/^/paged:/"}, ["--count", "60"], True, id="ours"),
        pytest.param({"PAGER": "cat"}, ["--count", "60"], False, id="cat"),
        pytest.param({"PAGER": "/no/such/pager"}, ["--count", "60"], False, id="missing"),
        pytest.param({"PAGER": "'"}, ["--count", "60"], False, id="unreadable"),
        pytest.param({"PAGER": "sed s/^/paged:/", "TERM": "dumb"}, ["--count", "60"], False, id="dumb"),
        pytest.param({"PAGER": "true"}, ["--count", "60000"], None, id="left"),
    ],
)
def test_a_long_answer_is_paged(env: dict[str, str], words: list[str], paged: bool | None) -> None:
    screen = Terminal([*EXAMPLE, "rows", *words], {**os.environ, "TERM": "xterm-256color", **env})
    assert screen.wait() == 0
    assert "Traceback" not in screen.text
    if paged is not None:
        assert ("paged:" in screen.text) is paged and "word-4" in screen.text
        # 1 for the word alone, 11 if word-30 to word-39 of a long list are there too
        assert screen.text.count("word-3") in (1, 11)


def test_less_shows_a_long_answer_with_its_colours() -> None:
    env = {**os.environ, "TERM": "xterm-256color"}
    for name in ("PAGER", "TRAINSH_PAGER", "LESS"):
        env.pop(name, None)
    screen = Terminal([*EXAMPLE, "rows", "--count", "60"], env)
    screen.expect("word-20")
    assert "\x1b[1m" in screen.text and "word-50" not in screen.text
    screen.type("q")
    assert screen.wait() == 0
