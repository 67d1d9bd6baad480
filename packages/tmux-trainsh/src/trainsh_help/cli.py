"""train-help: answers `train` without arguments, `train help COMMAND`, and a command that does not exist."""

import sys
from typing import Annotated, Any, Literal

import msgspec

from trainsh_base import VERSION
from trainsh_base.errors import NotFound
from trainsh_base.tool.declare import Arg, Handover, Tool
from trainsh_base.tool.program import run
from trainsh_help.catalog import Entry, dispatcher, entries, near, shortcuts
from trainsh_help.page import render
from trainsh_help.schemas import everyone, of, of_command
from trainsh_help.topics import Topic, shell_file, topics

tool = Tool("help", summary="Show the commands of train, and what each one does")


class NoSuchCommand(NotFound):
    """The error for an unknown command. Its exit status is the one that shells use for this."""

    exit_status = 127
    default_code = "no_command"


class Stranger(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A program on PATH that is not part of this installation.

    It has its own summary, and the command that shows its help.
    """

    name: str
    summary: str
    path: str
    help: str


class Script(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The script by which a shell completes train's commands."""

    shell: str
    path: str
    text: str


def _print_about(found: Stranger | Topic) -> None:
    if isinstance(found, Topic):
        _print_text(found)
        return
    print(f"train {found.name}: {found.summary}\n  {found.path}\n  its own help: {found.help}")


def _print_page(found: list[Entry]) -> None:
    sys.stdout.write(render(found, shortcuts(), topics()))


def _print_text(found: "Topic | Script") -> None:
    sys.stdout.write(found.text)


@tool.command(show=_print_page)
def commands() -> list[Entry]:
    """List the commands, grouped by purpose.

    No command is run: the names come from the dispatcher, the summaries from one-line manifests."""
    return entries()


@tool.command(show=_print_about)
def about(
    words: Annotated[
        list[str], Arg("a command, optionally with its subcommand; or a topic", metavar="COMMAND", kind="command")
    ],
) -> Any:
    """Show the help of one command, or a topic.

    Runs the command with --help. For a shortcut, the help of the command behind it is shown. A program on PATH that
    is not part of this installation is not run: only its summary is shown, and the command that shows its help.
    """
    found = {entry.name: entry for entry in entries()}
    if words and words[0] not in [*found, *(word.name for word in shortcuts())]:
        explained = {topic.name: topic for topic in topics()}
        if words[0] not in explained:
            raise _unknown(words[0], list(explained))
        return explained[words[0]]
    entry = found.get(words[0]) if words else None
    if entry and entry.on_path and entry.summary:
        return Stranger(name=entry.name, summary=entry.summary, path=entry.path, help=f"train {entry.name} --help")
    return Handover(argv=[dispatcher(), *words, "--help"])


@tool.command(show=_print_text)
def completions(
    shell: Annotated[Literal["bash", "zsh", "fish"], Arg("the shell", metavar="SHELL")],
) -> Script:
    """Print the script with which a shell completes train: source <(train help completions bash)

    \b
    bash   source <(train help completions bash)                       in ~/.bashrc
    zsh    train help completions zsh >~/.zfunc/_train                 with ~/.zfunc in fpath, before compinit
    fish   train help completions fish >~/.config/fish/completions/train.fish

    install.sh already sets this up."""
    path = shell_file(shell)
    return Script(shell=shell, path=str(path), text=path.read_text(encoding="utf-8"))


@tool.command()
def unknown(word: Annotated[str, Arg("a word that names no command", metavar="WORD")]) -> None:
    """Print that there is no such command, and suggest similar names (the dispatcher calls this)."""
    raise _unknown(word)


@tool.command(show=lambda found: print(msgspec.json.format(msgspec.json.encode(found), indent=2).decode()))
def schemas(
    name: Annotated[str | None, Arg("one tool only", metavar="TOOL")] = None,
    command: Annotated[str | None, Arg("only this command of the tool", metavar="COMMAND")] = None,
) -> dict[str, Any]:
    """Print the schemas of all tools as one JSON document: train schema

    The tools of this installation are asked in parallel; another program on PATH is asked only if it is named.

    \b
    train schema | jq '.tools | keys'
    train schema host list
    """
    if name is None:
        return {"version": VERSION, "tools": everyone()}
    found = of(name)
    return found if command is None else of_command(found, command)


def _names() -> list[str]:
    return [*(entry.name for entry in entries()), *(word.name for word in shortcuts())]


def _unknown(word: str, more: list[str] | None = None) -> NoSuchCommand:
    names = near(word, [*_names(), *(more or [])])
    hint = f"did you mean {' or '.join(names)}?" if names else "train --help lists those it has"
    return NoSuchCommand(f"train has no command {word!r}", hint, data={"near": names})


def main() -> None:
    """Run train-help. Without arguments it lists the commands; `train-help COMMAND` shows help for a command."""
    words = sys.argv[1:]
    own = (*tool.commands, "schema", "serve")
    if not words:
        words = ["commands", "--no-pager"]  # as git without arguments, it leaves the terminal to the shell
    elif words[0].startswith("-") and words[0] not in ("-h", "--help", "--version"):
        words = ["commands", *words]
    elif not words[0].startswith("-") and words[0] not in own:
        words = ["about", *words]
    run(tool, words)
