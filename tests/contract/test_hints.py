"""Every command that a message, a help text or a document tells people to type can be parsed by the programs."""

from pathlib import Path

import pytest
from trainsh_commands import ROOT, commands, problem, texts, tools

from trainsh_base.tool.examples import examples_of

PACKAGES = sorted(path.parent for path in ROOT.glob("packages/*/pyproject.toml"))
DOCUMENTS = sorted(
    path.relative_to(ROOT)
    for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("packages/*/README.md")]
)

FOR_PROGRAMS = {"colab proxy"}  # no person types it, because ssh runs it


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: path.name)
def test_messages(package: Path) -> None:
    wrong = [
        f"{file.relative_to(package)}:{line}: {command}: {said}"
        for file in sorted(package.glob("src/**/*.py"))
        for line, text in texts(file)
        for command in commands(text)
        if (said := problem(command))
    ]
    assert wrong == []


@pytest.mark.parametrize("name", sorted(tools()))
def test_help_texts(name: str) -> None:
    wrong = [
        f"{command.name}: {line}: {said}"
        for command in tools()[name].commands.values()
        for line in [*commands(command.help), *(example for example, _ in examples_of(name, command.name))]
        if (said := problem(next(iter(commands(line)), line), line=True))
    ]
    assert wrong == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_documents(document: Path) -> None:
    """The lines of code blocks that begin with train."""
    wrong = []
    for number, line in enumerate((ROOT / document).read_text().splitlines(), 1):
        words = line.strip().removeprefix("$ ")
        if words.startswith(("train ", "train-")) and (line.startswith("    ") or _fenced(document, number)):
            command = next(iter(commands(words.partition("  ")[0])), "")
            if command and (said := problem(command, line=True)):
                wrong.append(f"{number}: {command}: {said}")
    assert wrong == []


def _fenced(document: Path, number: int) -> bool:
    """Whether a line is in a block between ``` lines."""
    lines = (ROOT / document).read_text().splitlines()[: number - 1]
    return sum(line.strip().startswith("```") for line in lines) % 2 == 1


@pytest.mark.parametrize("name", sorted(tools()))
def test_every_command_has_an_example(name: str) -> None:
    without = [f"{name} {command}" for command in tools()[name].commands if not examples_of(name, command)]
    assert set(without) <= FOR_PROGRAMS


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("see: train recipe jobs; train recipe list", []),
        ("fix it: train host edit X", []),
        ("train config set secrets.helper 'pass show train/{name}'", []),
        ("job X continues in the background (process 1): train recipe watch X", []),
        ("what train needs on this machine", []),
        ("try train hosts list", ["train has no command 'hosts'"]),
        ("train host lst", ["train host has no command 'lst'"]),
        ("to continue it: train resume X --fro 3", ["No such option '--fro'."]),
        ("train host show a b", ["unexpected b"]),
    ],
)
def test_a_planted_hint_is_found(text: str, said: list[str]) -> None:
    found = [why.partition(" Did you")[0] for command in commands(text) if (why := problem(command))]
    assert found == said
