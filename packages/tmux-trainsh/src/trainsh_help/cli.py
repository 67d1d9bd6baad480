"""train-help: what `train`, `train help COMMAND` and an unknown word answer with."""

import sys
from typing import Annotated

from trainsh_base.errors import NotFound
from trainsh_base.tool.declare import Arg, Handover, Tool
from trainsh_base.tool.program import run
from trainsh_help.catalog import Entry, dispatcher, entries, near, shortcuts
from trainsh_help.page import render

tool = Tool("help", summary="Show the commands of train, and what each does")


class NoSuchCommand(NotFound):
    """The dispatcher's own status for a word that names no command, as a shell has it."""

    exit_status = 127
    default_code = "no_command"


def _print_page(found: list[Entry]) -> None:
    sys.stdout.write(render(found, shortcuts()))


@tool.command(show=_print_page)
def commands() -> list[Entry]:
    """List the commands by what they are for.

    Runs none of them: the names come from the dispatcher, the summaries from one-line manifests."""
    return entries()


@tool.command()
def about(
    words: Annotated[list[str], Arg("a command, and perhaps a command of it", metavar="COMMAND")],
) -> Handover:
    """Show the help of one command.

    Runs the command with --help. A shortcut shows the help of what it stands for."""
    if words and words[0] not in _names():
        raise _unknown(words[0])
    return Handover(argv=[dispatcher(), *words, "--help"])


@tool.command()
def unknown(word: Annotated[str, Arg("a word that names no command", metavar="WORD")]) -> None:
    """Say that there is no such command, and which ones are near: the dispatcher's last resort."""
    raise _unknown(word)


def _names() -> list[str]:
    return [*(entry.name for entry in entries()), *(word.name for word in shortcuts())]


def _unknown(word: str) -> NoSuchCommand:
    names = near(word, _names())
    hint = f"did you mean {' or '.join(names)}?" if names else "train --help lists those it has"
    return NoSuchCommand(f"train has no command {word!r}", hint, data={"near": names})


def main() -> None:
    """`train-help` alone lists the commands, `train-help WORDS` is help on them; else as every tool."""
    words = sys.argv[1:]
    own = (*tool.commands, "schema", "serve")
    if not words or (words[0].startswith("-") and words[0] not in ("-h", "--help", "--version")):
        words = ["commands", *words]
    elif not words[0].startswith("-") and words[0] not in own:
        words = ["about", *words]
    run(tool, words)
