"""What the tools show on a real terminal (a pane of tmux), at 80x24 and at 200x50, compared with golden pictures.

If a picture changed on purpose, `SCREENS=write pytest tests/screens` writes it again. Look at it before you commit
it. Versions, times and the folder of this world are replaced by fixed texts before the comparison.
"""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from trainsh_world import new_world, wait_until

from trainsh_base import VERSION

if TYPE_CHECKING:
    from trainsh_world import World

HERE = Path(__file__).parent
SIZES = ["80x24", "200x50"]
HOSTS = """
[[hosts]]
name = "gpu"
hostname = "gpu-box.example.org"
username = "me"
is_favorite = true
tags = ["a100", "paris"]
notes = "the big one in the second rack, which is switched off at weekends; ask before long runs"

[[hosts]]
name = "a-host-with-a-long-name-that-people-type-into-commands"
hostname = "a-very-long-host-name.with-a-very-long-domain.example.org"
port = 41022
username = "somebody"
jump_host = "gateway.example.org"

[[hosts]]
name = "broken"
port = 99999
"""
RECIPE = "# Train the model, and bring it home.\nvar WORKDIR = ~/run\nhost gpu = local\ntmux.open @gpu as work\n"
RECIPE += "@work > cd $WORKDIR && pip install -r requirements.txt\n@work > python train.py &\nwait @work idle timeout=1h\n"
WRONG = "host gpu = me@gpu-box\ntmux.open @gpu as work\n@wrok > python train.py\nwiat @work idle\n"
JOBS = [
    ("20260301-101500-120-7c1e", "llama-finetune-with-a-long-name", "ok", ["ok", "ok", "ok"], ""),
    ("20260301-113000-300-5f01", "train", "failed", ["ok", "failed"], "step 2 failed: exit 1"),
    ("20260301-120000-007-9a3b", "evaluate", "interrupted", ["ok"], ""),
]
# (name of the picture, what is typed)
COMMANDS = [
    ("host-list", "train host list --no-providers"),
    ("host-show", "train host show gpu"),
    ("host-none", "train host show gpx"),
    ("recipe-list", "train recipe list"),
    ("jobs", "train jobs"),
    ("status", "train status"),
    ("logs", "train logs 5f01"),
    ("config-get", "train config get recipe.timeout"),
    ("secrets", "train secrets list"),
    ("storage-list", "train storage list"),
    ("check", "train check wrong.recipe"),
    ("explain", "train dsl explain E701"),
    ("dry-run", "train run train --dry-run"),
    ("help-of-a-command", "train host add --help"),
    ("no-command", "train hots list"),
    ("no-subcommand", "train host lst"),
    ("no-option", "train host list --chek"),
    ("missing-argument", "train transfer ./data"),
    ("bad-value", "train jobs -n -1"),
    ("bad-file", "train config get recipe.timeout --input nosuch.json"),
]
EMPTY = [
    ("host-list", "train host list --no-providers"),
    ("recipe-list", "train recipe list"),
    ("jobs", "train jobs"),
    ("status", "train status"),
    ("logs", "train logs --last"),
    ("resume", "train resume"),
    ("storage-list", "train storage list"),
    ("tmux-list", "train tmux list"),
    ("cancel", "train cancel"),
]


class Terminal:
    """A pane of a tmux server of its own, in a world. Commands are run in it one after the other."""

    def __init__(self, world: "World", size: str) -> None:
        self.world = world
        self.env = world.env | {
            "TERM": "screen-256color", "LC_ALL": "C.UTF-8", "TZ": "UTC", "TRAINSH_PAGER": "cat", "HOSTNAME": "here",
        }  # fmt: skip
        width, height = size.split("x")
        self.tmux("-f", "/dev/null", "new-session", "-d", "-x", width, "-y", height, "exec cat")
        self.tmux("set-option", "-g", "remain-on-exit", "on")

    def tmux(self, *words: str) -> str:
        done = subprocess.run(
            ["tmux", "-L", "screens", *words], env=self.env, capture_output=True, text=True, check=False, timeout=60,
            cwd=self.world.home,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    def run(self, command: str) -> None:
        """Start a command on the empty screen."""
        self.tmux("respawn-pane", "-k", f"clear; echo '$ {command}'; {command}; printf '[exit %s]' $?; exec cat")

    def shows(self, words: str) -> str:
        """Wait until the screen shows `words`, and return the whole screen."""
        try:
            wait_until(lambda: words in self.text(), words, 60)
        except AssertionError:
            raise AssertionError(f"{words!r} did not appear:\n{self.text()}") from None
        return self.text()

    def asks(self, question: str, reason: str) -> None:
        """Wait until the screen shows `reason` and, last, the question without an answer."""

        def asked() -> bool:
            text = self.text().rstrip()
            return reason in text and text.endswith(":") and text.splitlines()[-1].startswith(question)

        wait_until(asked, question)

    def type(self, text: str) -> None:
        """Type text and Enter."""
        self.tmux("send-keys", "-l", text)
        self.tmux("send-keys", "Enter")

    def text(self) -> str:
        lines = self.tmux("capture-pane", "-p").splitlines()
        return "\n".join(line.rstrip() for line in lines).rstrip() + "\n"


@pytest.fixture(scope="module", params=SIZES)
def size(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def terminal(size: str) -> Iterator[Terminal]:
    """A terminal in a world with hosts, a recipe and jobs."""
    yield from terminal_in(size, filled)


@pytest.fixture(scope="module")
def empty(size: str) -> Iterator[Terminal]:
    """A terminal in a world in which nothing was set up."""
    yield from terminal_in(size, lambda world: None)


def terminal_in(size: str, prepare: "object") -> Iterator[Terminal]:
    with new_world() as world:
        prepare(world)  # type: ignore[operator]
        made = Terminal(world, size)
        yield made
        made.tmux("kill-server")


def filled(world: "World") -> None:
    (world.config / "hosts.toml").write_text(HOSTS)
    (world.config / "recipes").mkdir()
    (world.config / "recipes" / "train.recipe").write_text(RECIPE)
    (world.home / "wrong.recipe").write_text(WRONG)
    for id, name, status, steps, reason in JOBS:
        folder = world.config / "jobs" / id
        (folder / "steps").mkdir(parents=True)
        (folder / "recipe").write_text(RECIPE)
        (folder / "events.jsonl").write_text(journal(id, name, status, steps, reason))
        for number, _ in enumerate(steps, 1):
            (folder / "steps" / f"{number:03d}.log").write_text(
                "Collecting torch\nERROR: no space left on device\n"
            )
        if status in ("failed", "interrupted"):
            (world.config / "jobs" / "open").mkdir(exist_ok=True)
            (world.config / "jobs" / "open" / id).touch()


def journal(id: str, name: str, status: str, steps: list[str], reason: str) -> str:
    """The events of a job as the runner writes them."""
    import json

    stamp = f"{id[:4]}-{id[4:6]}-{id[6:8]}T{id[9:11]}:{id[11:13]}:{id[13:15]}.000Z"
    later = stamp.replace(":00.000Z", ":42.500Z")
    events: list[dict[str, object]] = [
        {"event": "job.started", "job": id, "name": name, "kind": "recipe", "steps": 3, "file": f"{name}.recipe"}
    ]
    for number, end in enumerate(steps, 1):
        about = {"step": str(number), "attempt": 1}
        text = "@work > pip install -r requirements.txt"
        events.append({"event": "step.started", "kind": "execute", "text": text, "line": 4 + number, **about})
        exit = 0 if end == "ok" else 1
        events.append({"event": "step.finished", "status": end, "exit": exit, "seconds": 12.5, **about})
    if status != "interrupted":
        events.append({"event": "job.finished", "status": status, "reason": reason})
    lines = [{"t": stamp if event is events[0] else later, **event} for event in events]
    return "".join(json.dumps(line) + "\n" for line in lines)


def picture(folder: str, name: str, text: str, world: "World") -> None:
    """Compare a screen with its golden picture."""
    text = text.replace(str(world.folder), "/tmp/tw-0000")
    text = re.sub(r"\btw-\w+", "tw-0000", text).replace(VERSION, "VERSION")
    file = HERE / folder / f"{name}.txt"
    if os.environ.get("SCREENS") == "write":
        file.parent.mkdir(exist_ok=True, parents=True)
        file.write_text(text)
    assert file.exists(), f"no picture {file}; SCREENS=write makes it:\n{text}"
    assert text == file.read_text(), f"the screen is another than {file}:\n{text}"


@pytest.mark.parametrize(("name", "command"), COMMANDS, ids=[name for name, _ in COMMANDS])
def test_screen(terminal: Terminal, size: str, name: str, command: str) -> None:
    terminal.run(command)
    picture(size, name, terminal.shows("[exit "), terminal.world)


@pytest.mark.parametrize(("name", "command"), EMPTY, ids=[name for name, _ in EMPTY])
def test_nothing_yet(empty: Terminal, size: str, name: str, command: str) -> None:
    empty.run(command)
    picture(f"{size}/empty", name, empty.shows("[exit "), empty.world)


def test_prompts(empty: Terminal, size: str) -> None:
    """`host add` on a terminal: after a wrong answer, the question is asked again with the reason."""
    empty.run("train host add")
    for reason, question, answer in [
        ("", "What kind of machine?", ""),
        ("", "Address (user@host", "me@box:99999"),
        ("not a port", "Address (user@host", "me@gpu-box.example.org -p 2222"),
        ("", "Key file", "/no/such/key"),
        ("there is no key file", "Key file", ""),
        ("", "Name [", "bad name"),
        ("not a name", "Name [", "box"),
        ("", "Test it now?", "n"),
    ]:
        empty.asks(question, reason)
        empty.type(answer)
    picture(size, "host-add", empty.shows("[exit "), empty.world)
