"""The shell functions of this folder, and the command lines that call one.

A function is sent with its call, as one line: csh ends a quoted word at a newline, and so does authorized_keys.
"""

import re
from functools import cache
from pathlib import Path

FILES = ("files.sh", "pair.sh", "here.sh")

_FUNCTION = re.compile(r"^(\w+)\(\) \{(?: #[^\n]*)?\n(.*?)^\}$", re.M | re.DOTALL)
# Lines after which the shell expects more of the same command; any other ends one.
_OPEN = re.compile(r"(?:(?:^|\s)(?:\{|do|then|else|in)|&&|\|\|?|;;)$")
_UNSAFE = re.compile(r"[\\']")


def for_shell(text: str) -> str:
    """One word for any login shell. Quotes and backslashes stand outside of the single quotes: fish reads
    backslashes inside of them."""
    return "".join(
        "\\" + part if _UNSAFE.fullmatch(part) else f"'{part}'" for part in re.split(r"([\\'])", text) if part
    ) or ("''")


@cache
def functions() -> dict[str, str]:
    """Every function by its name, as one line."""
    texts = [Path(__file__).with_name(file).read_text(encoding="utf-8") for file in FILES]
    return {name: f"{name}() {{ {_joined(body)} }}" for text in texts for name, body in _FUNCTION.findall(text)}


def _joined(body: str) -> str:
    lines = [line for each in body.splitlines() if (line := each.strip()) and not line.startswith("#")]
    return " ".join(line if _OPEN.search(line) else line + ";" for line in lines)


def program(name: str) -> str:
    """A program for sh: the function, and its call with the arguments that the program is given."""
    return f'{functions()[name]}; {name} "$@"'


def argv(name: str, *arguments: str) -> list[str]:
    """The call of a function as words."""
    return ["sh", "-c", program(name), "sh", *arguments]


def call(name: str, *arguments: object) -> str:
    """The call of a function as a line for any login shell, each argument quoted."""
    return call_written(name, *(for_shell(str(argument)) for argument in arguments))


def call_written(name: str, *words: str) -> str:
    """As `call`, with words that are written for the login shell: it expands their `~` and wildcards."""
    return " ".join(["sh", "-c", for_shell(program(name)), "sh", *words])
