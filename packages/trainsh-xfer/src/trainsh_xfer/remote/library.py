"""The shell functions in this folder, and the command lines that call them.

A function and its call are sent as one line, because csh and authorized_keys end a quoted word at a newline.
"""

import re
from functools import cache
from pathlib import Path

FILES = ("files.sh", "pair.sh", "here.sh")

_FUNCTION = re.compile(r"^(\w+)\(\) \{(?: #[^\n]*)?\n(.*?)^\}$", re.M | re.DOTALL)
# A line with one of these endings continues the command on the next line; any other line ends it.
_OPEN = re.compile(r"(?:(?:^|\s)(?:\{|do|then|else|in)|&&?|\|\|?|;;)$")
_UNSAFE = re.compile(r"[\\']")


def for_shell(text: str) -> str:
    """Quote one word for any login shell. Quotes and backslashes are outside the single quotes, because fish reads
    backslashes inside them."""
    return "".join(
        "\\" + part if _UNSAFE.fullmatch(part) else f"'{part}'" for part in re.split(r"([\\'])", text) if part
    ) or ("''")


@cache
def functions() -> dict[str, str]:
    """Every function as one line, by name."""
    texts = [Path(__file__).with_name(file).read_text(encoding="utf-8") for file in FILES]
    return {name: f"{name}() {{ {_joined(body)} }}" for text in texts for name, body in _FUNCTION.findall(text)}


def _joined(body: str) -> str:
    lines = [line for each in body.splitlines() if (line := each.strip()) and not line.startswith("#")]
    return " ".join(line if _OPEN.search(line) else line + ";" for line in lines)


def program(name: str) -> str:
    """A program for sh: the function, and its call with the program's arguments."""
    return f'{functions()[name]}; {name} "$@"'


def argv(name: str, *arguments: str) -> list[str]:
    """The argv that calls a function."""
    return ["sh", "-c", program(name), "sh", *arguments]


def call(name: str, *arguments: object) -> str:
    """A command line for any login shell that calls a function, with each argument quoted."""
    return call_written(name, *(for_shell(str(argument)) for argument in arguments))


def call_written(name: str, *words: str) -> str:
    """Like `call`, but the words are already quoted for the login shell, which expands their `~` and wildcards."""
    return " ".join(["sh", "-c", for_shell(program(name)), "sh", *words])
