"""What `train` prints: groups in order, programs of others separately, and suggestions for a wrong name."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from trainsh_help.catalog import Entry, Shortcut, near
from trainsh_help.page import render
from trainsh_help.topics import Topic

BIN = Path(sys.executable).parent


def entry(name: str, group: str = "", summary: str = "", *, on_path: bool = False) -> Entry:
    return Entry(name=name, group=group, summary=summary, path=f"/bin/train-{name}", on_path=on_path)


def test_groups_come_in_the_order_of_use_and_strangers_last() -> None:
    page = render(
        [
            entry("config", "set up", "Settings"),
            entry("zoo", "animals", "Keep animals"),
            entry("foo", on_path=True),
            entry("bar", "animals", "A bar", on_path=True),
            entry("xfer", "move files", "Move files"),
            entry("recipe", "recipes", "Run recipes"),
        ],
        [Shortcut(name="run", means="recipe run")],
        [Topic(name="files", summary="Where things are", text="Where things are\n")],
    )
    assert (
        page.split("\n\n", 2)[2]
        == """\
recipes
  recipe  Run recipes

move files
  xfer    Move files

animals
  zoo     Keep animals

set up
  config  Settings

shortcuts
  run     train recipe run

other commands
  foo     /bin/train-foo
  bar     A bar (/bin/train-bar)

topics
  files   Where things are

For more: train help COMMAND, or train help TOPIC. For programs: train --list.
"""
    )


@pytest.mark.parametrize(
    ("word", "wanted"),
    [("recpie", ["recipe"]), ("XFER", ["xfer"]), ("tmx", ["tmux"]), ("qqqqq", [])],
    ids=["swapped", "case", "missing-letter", "nothing-near"],
)
def test_nearest_names(word: str, wanted: list[str]) -> None:
    assert near(word, ["config", "recipe", "tmux", "xfer", "run"]) == wanted


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    """Three programs of another author: one with a manifest, one with a broken manifest, one without."""
    for name, line in (("good", "good\tpets\tFeeds the cat\n"), ("bad", "no tabs here\n"), ("none", "")):
        program = tmp_path / "bin" / f"train-{name}"
        program.parent.mkdir(exist_ok=True)
        program.write_text("#!/bin/sh\necho ran >&2; exit 1\n")
        program.chmod(0o755)
        if line:
            manifest = tmp_path / "share/trainsh/tools" / name
            manifest.parent.mkdir(parents=True, exist_ok=True)
            manifest.write_text(line)
    return tmp_path


def train(*words: str, path: Path) -> subprocess.CompletedProcess[str]:
    env = os.environ | {"PATH": f"{path}:/usr/bin:/bin"}
    return subprocess.run([str(BIN / "train"), *words], env=env, capture_output=True, text=True, check=False)


def test_strangers_are_listed_with_what_their_manifests_say_and_none_is_run(prefix: Path) -> None:
    done = train(path=prefix / "bin")
    assert done.returncode == 0
    assert done.stderr == ""
    others = done.stdout.split("other commands\n")[1].splitlines()
    assert [" ".join(line.split()) for line in others if str(prefix) in line] == [
        f"bad {prefix}/bin/train-bad",
        f"good Feeds the cat ({prefix}/bin/train-good)",
        f"none {prefix}/bin/train-none",
    ]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["xferr"], "error: train has no command 'xferr'\n  did you mean xfer?\n"),
        (["help", "exit-cods"], "error: train has no command 'exit-cods'\n  did you mean exit-codes?\n"),
        (["help", "confg"], "error: train has no command 'confg'\n  did you mean config?\n"),
        (["rnu"], "error: train has no command 'rnu'\n  did you mean run?\n"),
        (["goood"], "error: train has no command 'goood'\n  did you mean good?\n"),
        (["q-q-q"], "error: train has no command 'q-q-q'\n  train --help lists those it has\n"),
        (["a b"], "error: train has no command 'a b'\n  train --help lists those it has\n"),
    ],
    ids=["tool", "topic", "help-on", "shortcut", "stranger", "nothing-near", "blank"],
)
def test_an_unknown_word_is_127_and_names_what_is_near(words: list[str], says: str, prefix: Path) -> None:
    done = train(*words, path=prefix / "bin")
    assert (done.returncode, done.stdout, done.stderr) == (127, "", says)


def test_help_on_a_stranger_shows_what_it_says_of_itself_and_runs_nothing(prefix: Path) -> None:
    (prefix / "bin/train-script").write_text(
        "#!/bin/sh\n# train-script\n# summary: Waters the plants\necho ran >&2\n"
    )
    (prefix / "bin/train-script").chmod(0o755)
    for name, summary in (("good", "Feeds the cat"), ("script", "Waters the plants")):
        done = train("help", name, path=prefix / "bin")
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.splitlines()[0] == f"train {name}: {summary}"
    assert f"Waters the plants ({prefix}/bin/train-script)" in " ".join(train(path=prefix / "bin").stdout.split())
    done = train("help", "none", path=prefix / "bin")
    assert (done.returncode, done.stderr) == (1, "ran\n"), "one that says nothing of itself is asked"


def test_the_list_as_json_has_what_each_tool_is_for(prefix: Path) -> None:
    rows = json.loads(train("--list", "--json", path=prefix / "bin").stdout)
    summaries = {row["name"]: row["summary"] for row in rows}
    assert summaries["good"] == "Feeds the cat" and summaries["config"] == "Show and change settings"


def test_a_topic_is_its_text(prefix: Path) -> None:
    done = train("help", "exit-codes", path=prefix / "bin")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("What the exit status of every command means\n\nEXIT STATUS\n")
    found = json.loads(train("help", "files", "--json", path=prefix / "bin").stdout)
    assert found["name"] == "files" and found["summary"] and "hosts.toml" in found["text"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_scripts_of_completion_are_printed(shell: str, prefix: Path) -> None:
    done = train("help", "completions", shell, path=prefix / "bin")
    assert done.returncode == 0 and "--complete" in done.stdout
