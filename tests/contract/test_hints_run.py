"""Every command that a message tells people to type runs, in a home that has everything that the message names.

The commands come from the sources. What a message inserts (a job, a host) comes from the prepared home. The program
must exist, its options must parse, and it must not end as a usage error, unless it asks on a terminal.
"""

import json
import shlex
import subprocess
from collections.abc import Iterator

import pytest
from trainsh_commands import ROOT, aliases, commands, texts, tools
from trainsh_world import World, new_world

from trainsh_base.tool.declare import Arg, Param

MESSAGES = sorted({
    " ".join(command.split())
    for file in ROOT.glob("packages/*/src/**/*.py")
    for _, text in texts(file)
    for command in commands(text)
    if command.startswith("train ")
})  # fmt: skip
# Messages in which a placeholder stands for options or a whole command: the text that is printed in its place.
PRINTED = {
    "train recipe resume X X": "train recipe resume JOB --retry-lost",
    "train recipe resume XX": "train recipe resume JOB",
    "train recipe resume X --host X=SPEC": "train recipe resume JOB --host here=local",
    "train tmux listX": "train tmux list --host box",
    "train vast X X": "train vast show ID",
    "train host run X --": "train host run box -- true",
    "train host forward X X:X": "train host forward box 18081:8081",
    "train host forward X X --stop": "train host forward box 18081 --stop",
    "train recipe run ./X": "train recipe run ./here.recipe",
    "train storage edit X X=VALUE": "train storage edit out path=/tmp",
    "train host run X -- apt-get install -y rsync": "train host run box -- true",
    "train host run X -- ls X": "train host run box -- ls /tmp",
    "train plugin check X --no-rent": "train plugin check train-sandbox --no-rent",
    "train recipe run ...": "train recipe run fails",
    "train help COMMAND": "train help host",
    "train help TOPIC": "train help recipes",
    "train storage add X rclone:REMOTE": "train storage add fresh rclone:REMOTE:",
    "train dsl check my.recipe": "train dsl check here.recipe",
}
GROUPS = {
    "train help completions",
    "train secrets",
    "train exec",
    "train recipe run",
    "train sandbox fault",
    "train plugin locked acme-JOB -- COMMAND",
}  # names, not commands
KINDS = {
    "host": "box", "job": "JOB", "recipe": "fails", "storage": "out", "session": "work", "secret": "HF_TOKEN",
    "instance": "1", "command": "true", "setting": "tmux.grace", "file": "here.recipe", "duration": "1m",
}  # fmt: skip
NAMES = {
    "code": "E101",
    "name": "another",
    "from_": "1",
    "ports": "18081",
    "host": "box",
    "path": "/tmp",
    "spec": "me@192.0.2.9",
    "keys": "path=/tmp",
}
LASTING = {("host", "forward"), ("recipe", "watch")}  # they run until Ctrl-C
LIMIT = 200.0  # seconds for a command
WRONG = (2, 70, 126, 127)
RECIPE = "host here = local\ntmux.open @here as w\n@w > false\n"


def is_blank(word: str) -> bool:
    """Whether a word stands for a value: X, NAME, KEY=VALUE, PORT..."""
    bare = word.strip("[].").replace("KEY=", "").replace("_", "")
    return word == "..." or (bare.isalpha() and bare.isupper() and bare not in ("RTX",))


def filled(command: str) -> list[str]:
    """The argv of a command in a message, with values in place of the placeholders."""
    words = shlex.split(PRINTED.get(command, command))
    head = aliases().get(words[1], [words[1]])
    tool, rest = tools().get(head[0]), [*head[1:], *words[2:]]
    declared = tool.commands.get(rest[0]) if tool and rest else None
    if declared is None:
        return words
    arguments = [param for param in declared.params if isinstance(param.spec, Arg)]
    options = {param.flag: param for param in declared.params if not isinstance(param.spec, Arg)}
    made, place, option = ["train", head[0], rest[0]], 0, None
    for word in rest[1:]:
        if option is None and word.startswith("-"):
            option = options.get(word) if word in options and options[word].kind is not bool else None
            made.append(word)
            continue
        param = option or (arguments[min(place, len(arguments) - 1)] if arguments else None)
        place += option is None
        option = None
        if not is_blank(word):
            made.append(word)
        elif param is not None and word != "...":
            made.append(value(param, rest[0]))
    return made


def value(param: Param, command: str) -> str:
    """A value for the parameter that exists in the prepared home."""
    if command in ("add", "new", "connect") and param.name == "name":
        return "fresh"
    return KINDS.get(param.spec.kind) or NAMES.get(param.name) or "1"


@pytest.fixture(scope="module")
def person() -> Iterator[tuple[World, str]]:
    """A person with a host, a storage, a secret, a session, recipes, and a job that has failed."""
    with new_world() as world:
        world.extra = {
            "EDITOR": "true", "TRAINSH_PASSPHRASE": "a phrase of this test", "TRAINSH_SECRETS_AGENT_TIME": "off",
            "HF_TOKEN": "hf_abc", "TRAINSH_SANDBOX": str(world.folder / "sandbox"),
        }  # fmt: skip
        world.host(world.sshd("box"))
        (world.config / "storages.toml").write_text(
            f'[[storages]]\nname = "out"\ntype = "local"\n[storages.config]\npath = "{world.home}"\n'
        )
        (world.config / "recipes").mkdir()
        for file in (world.config / "recipes/fails.recipe", world.home / "here.recipe"):
            file.write_text(RECIPE)
        world.run("train", "tmux", "open", "local", "work")
        world.run("train", "run", "fails", check=False)
        yield world, json.loads(world.run("train", "jobs", "--json").out)[0]["id"]
        for words in (["sandbox", "down"], ["tmux", "kill"]):
            world.run("train", *words, check=False)


def refused(world: World, words: list[str]) -> str:
    """Why a message cannot have meant this command, or "" if it can."""
    try:
        done = world.run(*words, check=False, timeout=3 if tuple(words[1:3]) in LASTING else LIMIT)
    except subprocess.TimeoutExpired:
        return "" if tuple(words[1:3]) in LASTING else f"did not end within {LIMIT:g} seconds"
    if done.status == 2 and ("not interactive" in done.err or "terminal" in done.err):
        return ""
    if tuple(words[1:3]) == ("host", "run") and not done.err.startswith("error: "):
        return ""  # the status is that of the command on the host
    return f"{done.status}: {done.err.strip()}" if done.status in WRONG else ""


def order(command: str) -> tuple[bool, str]:
    """A key to sort commands by: commands that remove something come last."""
    return any(f" {word}" in command for word in ("rm", "down", "destroy", "disconnect", "--stop", "kill")), command


def test_they_run(person: tuple[World, str]) -> None:
    world, job = person
    wrong = []
    for command in sorted(set(MESSAGES) - GROUPS, key=order):
        words = [job if word == "JOB" else word for word in filled(command)]
        if said := refused(world, words):
            wrong.append(f"{command} ({' '.join(words)}): {said}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("train recipe resume X --from X", "train recipe resume JOB --from 1"),
        ("train host edit X --host ADDRESS", "train host edit box --host box"),
        ("train storage edit X KEY=VALUE", "train storage edit out path=/tmp"),
        ("train logs X", "train recipe logs JOB"),
    ],
)
def test_what_a_message_leaves_open_is_filled(command: str, words: str) -> None:
    assert " ".join(filled(command)) == words
