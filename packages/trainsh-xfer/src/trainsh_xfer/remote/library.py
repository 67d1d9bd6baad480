"""Builds the command lines that call the shell functions in this folder.

A function and its call are sent as one line, because in csh and in authorized_keys a newline ends a quoted word.
"""

import re
from functools import cache
from pathlib import Path

FILES = ("files.sh", "pair.sh", "here.sh")

_FUNCTION = re.compile(r"^(\w+)\(\) \{(?: #[^\n]*)?\n(.*?)^\}$", re.M | re.DOTALL)
# If a line has one of these endings, the command continues on the next line. Any other line ends the command.
_OPEN = re.compile(r"(?:(?:^|\s)(?:\{|do|then|else|in)|&&?|\|\|?|;;)$")
_UNSAFE = re.compile(r"[\\']")


def for_shell(text: str) -> str:
    """Quote one word for any login shell.

    Quotes and backslashes in the word are put outside of the single quotes, because fish reads backslashes even
    inside single quotes.
    """
    return "".join(
        "\\" + part if _UNSAFE.fullmatch(part) else f"'{part}'" for part in re.split(r"([\\'])", text) if part
    ) or ("''")


@cache
def functions() -> dict[str, str]:
    """The text of every function as one line, keyed by the function's name."""
    texts = [Path(__file__).with_name(file).read_text(encoding="utf-8") for file in FILES]
    return {name: f"{name}() {{ {_joined(body)} }}" for text in texts for name, body in _FUNCTION.findall(text)}


def _joined(body: str) -> str:
    lines = [line for each in body.splitlines() if (line := each.strip()) and not line.startswith("#")]
    return " ".join(line if _OPEN.search(line) else line + ";" for line in lines)


def program(name: str) -> str:
    """A program for sh.

    It has the function `name`, and a call of this function with the program's own arguments.
    """
    return f'{functions()[name]}; {name} "$@"'


def argv(name: str, *arguments: str) -> list[str]:
    """The argv that calls a function."""
    return ["sh", "-c", program(name), "sh", *arguments]


def call(name: str, *arguments: object) -> str:
    """A command line that calls a function, with each argument quoted. It works in any login shell."""
    return call_written(name, *(for_shell(str(argument)) for argument in arguments))


def call_written(name: str, *words: str) -> str:
    """Do the same as `call` for words that are already quoted.

    The login shell expands `~` and wildcards in them.
    """
    return " ".join(["sh", "-c", for_shell(program(name)), "sh", *words])
