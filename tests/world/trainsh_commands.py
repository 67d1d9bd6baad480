"""Finds commands `train ...` in hints, messages and documents, and parses them as the real programs would."""

import ast
import re
import shlex
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from pkgutil import iter_modules

import click

from trainsh_base.system.configuration import share
from trainsh_base.tool.declare import Tool
from trainsh_base.tool.faces.people import Group

ROOT = Path(__file__).resolve().parents[2]
# Where a command in a sentence ends. After it comes prose, or another command.
WORDS = (
    "and or to for says lists names shows first again there is are has prints with then alone instead removes takes "
    "sets ends on in it does if brings can what adds asks of needs"
)
END = re.compile(rf"""[;,()`|>\n<]|: | - |(?<=\w)\.(?: |$)| # |&& | (?:{"|".join(WORDS.split())}) """)
COMMAND = re.compile(r"(?<![\w/.@$-])train[ -](?=[a-z-])")
# Words that follow `train` in prose, where `train` is the program, the noun or a tool. Also the names in examples.
SENTENCE = (
    "itself needs is has does did would could can cannot and or knows keeps makes uses a the on in of for finds reads "
    "writes process moves began"
)
PROSE = re.compile(
    rf"train[ -](?:(?:[a-z]+ )?(?:resolve )?(?:{'|'.join(SENTENCE.split())})\b|(?:acme|foo)\b|[a-z]+-(?:$|\s))"
)


@cache
def tools() -> dict[str, Tool]:
    """Every tool of this installation, by its name."""
    found = {}
    for entry in entry_points(group="console_scripts"):
        if entry.name.startswith("train-") and entry.module.startswith("trainsh_"):
            module = entry.module.replace(".entry", ".cli")
            found[entry.name.removeprefix("train-")] = import_module(module).tool
            package = entry.module.partition(".")[0]
            if find_spec(f"{package}.commands"):  # some commands are loaded only when one of them is used
                for each in iter_modules(import_module(f"{package}.commands").__path__):
                    import_module(f"{package}.commands.{each.name}")
    return found


@cache
def aliases() -> dict[str, list[str]]:
    """The shortcuts: `run` stands for `recipe run`."""
    return {
        name: (share.read(folder, "aliases", name) or "").split()
        for folder in share.own_folders()
        for name in share.names(folder, "aliases")
    }


def commands(text: str) -> Iterator[str]:
    """The commands in a text. Each begins with `train` and ends where prose follows."""
    for found in COMMAND.finditer(text):
        if PROSE.match(text, found.start()):
            continue
        rest = text[found.start() :]
        yield rest[: _end(rest)].strip().rstrip(":,")


def _end(text: str) -> int:
    """Where the command at the beginning of `text` ends. It does not end inside quotes."""
    shown = re.sub(r"'[^'\n]*'|\"[^\"\n]*\"", lambda found: "q" * len(found[0]), text)
    found = END.search(shown)
    return found.start() if found else len(text)


def problem(command: str, *, line: bool = False) -> str:
    """Why the program would refuse to parse `command`, or "" if it would parse it.

    If `line` is false, the command stands in a sentence: `train-NAME` followed by a word that is not one of its
    commands is prose.
    """
    try:
        words = shlex.split(command)
    except ValueError as error:
        return f"cannot be read as words: {error}"
    first, *rest = words[0].split("-", 1)
    words = [*rest, *words[1:]] if first == "train" and rest else words[1:]
    if rest and not line and len(words) > 1 and words[0] in tools() and words[1] not in tools()[words[0]].commands:
        return ""
    if not words or words[0] in ("COMMAND", "TOOL", "NAME", "..."):
        return ""
    if words[0].startswith("-"):
        known = ("--help", "--version", "--list", "--exec-path", "--aliases", "-h", "--completions")
        return "" if words[0] in known else f"train has no option {words[0]}"
    words = [*aliases().get(words[0], [words[0]]), *words[1:]]
    if words[0] not in tools():
        return "" if words[0].isupper() else f"train has no command {words[0]!r}"
    return _refused(tools()[words[0]], words[1:])


def _refused(tool: Tool, words: list[str]) -> str:
    if not words or words[0] in ("--help", "--version", "-h", "COMMAND", "VERB", "X", "..."):
        return ""
    if words[0] not in tool.commands and words[0].removesuffix("X") in tool.commands:
        words = [words[0].removesuffix("X"), *words[1:]]  # options that may follow
    if tool.name == "help" and words[0] not in tool.commands:
        return ""  # the command train help WORDS
    with click.Context(Group(tool), info_name=tool.program) as context:
        found = Group(tool).get_command(context, words[0])
        if found is None:
            return f"train {tool.name} has no command {words[0]!r}"
        words = [word for word in words[1:] if word not in ("...", "[OPTIONS]")]
        try:
            with click.Context(found, info_name=words[0] if words else "") as inner:
                _, left, _ = found.make_parser(inner).parse_args(list(words))
        except click.UsageError as error:
            return error.format_message()
    left = [word for word in left if word != "X"]  # X stands for a value, which may be options
    return f"unexpected {' '.join(left)}" if left else ""


def texts(file: Path) -> Iterator[tuple[int, str]]:
    """The strings of a Python file except docstrings, with their line numbers. Inserted values become `X`."""
    tree = ast.parse(file.read_text())
    docstrings, parts = set(), set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)) and node.body:
            first = node.body[0]
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                docstrings.add(first.value)
        if isinstance(node, ast.JoinedStr):
            parts |= set(node.values)
    for node in ast.walk(tree):
        if node in docstrings or node in parts:
            continue
        if isinstance(node, ast.JoinedStr):
            yield (
                node.lineno,
                "".join(str(each.value) if isinstance(each, ast.Constant) else "X" for each in node.values),
            )
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value
