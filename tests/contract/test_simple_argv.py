"""Command lines that are read without click mean the same as with click, for every command of every tool."""

import random
from typing import Any

import pytest
from trainsh_commands import tools

from trainsh_base.errors import TrainError
from trainsh_base.tool.declare import Arg, Command, Tool
from trainsh_base.tool.faces import people, simple_argv

LINES = 25  # command lines for each command
WORDS = (
    "a",
    "box",
    "-",
    "--",
    "1",
    "2.5",
    "10m",
    "A=b",
    "odd word",
    "",
    "--json",
    "--quiet",
    "-q",
    "-x",
    "--odd",
    "--input",
)


def a_line(rng: random.Random, command: Command) -> list[str]:
    """Arguments and options of the command. Most values fit; sometimes there is a word that does not."""
    words: list[str] = []
    for param in command.params:
        fitting = [*param.choices, "3", "1m", "A=b", "word"]
        if isinstance(param.spec, Arg):
            words += rng.choices(fitting, k=rng.randrange(3 if param.many else 2))
        elif rng.random() < 0.2:
            value = [] if param.kind is bool else [rng.choice(fitting)]
            words[rng.randrange(len(words) + 1) :] += [param.flag, *value]
    if rng.random() < 0.4:
        words.insert(rng.randrange(len(words) + 1), rng.choice(WORDS))
    return [command.name, *words]


@pytest.mark.parametrize("name", tools())
def test_they_are_read_as_click_reads_them(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    tool, rng, simple = tools()[name], random.Random(name), 0
    for command in tool.commands.values():
        for _ in range(LINES):
            words = a_line(rng, command)
            try:
                read = simple_argv.read(tool, words)
            except TrainError as error:
                read = error.message
            if read is not None:
                simple += 1
                assert by_click(tool, words, monkeypatch) == read, words
    assert simple > len(tool.commands) * LINES / 5


def by_click(tool: Tool, words: list[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    """The result of click for the line, or the message of click's error."""
    seen: list[Any] = []
    monkeypatch.setattr(people, "execute", lambda _tool, *found: seen.append(found) or 0)
    try:
        people.invoke(tool, words)
    except TrainError as error:
        return error.message
    return seen[0]
