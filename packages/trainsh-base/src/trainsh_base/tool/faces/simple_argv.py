"""Reads simple command lines without click, because the import of click takes as long as a whole small command.

A command line is read here only if it has just one meaning: it consists of positional words and of long options in
full. All others (help, short options, abbreviations, mistakes) are left to click, which has the messages for them.
"""

import typing
from typing import Any

from trainsh_base.errors import UsageError
from trainsh_base.system.units import Duration, parse_duration
from trainsh_base.tool.declare import Arg, Command, Param, Tool
from trainsh_base.tool.faces.answering import Formats, pair

SWITCHES = {f"--{name.replace('_', '-')}": name for name in Formats.__struct_fields__ if name != "input"}


class NotSimple(Exception):
    """The command line is not simple, so click must read it."""


def read(tool: Tool, words: list[str]) -> tuple[Command, Formats, dict[str, Any]] | None:
    """Return the command, the formats and the parameters that `words` give.

    Return None if click must read the words.
    """
    command = tool.commands.get(words[0]) if words else None
    if command is None:
        return None
    line = _Line(command)
    try:
        line.read(words[1:])
        return command, Formats(**line.formats), line.values()
    except NotSimple:
        return None


class _Line:
    """The words after a command, sorted into formats, options and positional words."""

    def __init__(self, command: Command) -> None:
        self.arguments = [param for param in command.params if isinstance(param.spec, Arg)]
        options = [param for param in command.params if not isinstance(param.spec, Arg)]
        self.options = {param.flag: param for param in options}
        self.off = {f"--no-{p.flag[2:]}": p for p in options if p.kind is bool and p.default is not False}
        self.formats: dict[str, Any] = {}
        self.positional: list[str] = []
        self.given: dict[str, Any] = {}

    def read(self, words: list[str]) -> None:
        """Sort the words. Raises NotSimple if click must read them."""
        left = iter(words)
        for word in left:
            param = self.options.get(word)
            if word == "--":
                self.positional += left
            elif word == "-" or not word.startswith("-"):
                self.positional.append(word)
            elif param is not None and param.kind is bool:
                self.given[param.key] = True
            elif param is not None:
                self._option(param, next(left, ""))
            elif word in self.off:
                self.given[self.off[word].key] = False
            elif word in SWITCHES:
                self.formats[SWITCHES[word]] = True
            elif word == "--input":
                self.formats["input"] = _value(next(left, ""))
            else:
                raise NotSimple
        self._assign(self.positional)

    def _option(self, param: Param, value: str) -> None:
        if param.many:
            self.given.setdefault(param.key, []).append(_value(value))
        else:
            self.given[param.key] = _converted(param, _value(value))

    def _assign(self, words: list[str]) -> None:
        """Assign the positional words to the arguments. At most one argument takes several words."""
        arguments, more = self.arguments, len(words) - len(self.arguments)
        many = next((index for index, param in enumerate(arguments) if param.many), None)
        if (more > 0 and many is None) or (more < 0 and many not in (None, len(arguments) - 1)):
            raise NotSimple
        left = iter(words)
        for index, param in enumerate(arguments):
            count = 1 + max(more, 0) if index == many else 1
            taken = [word for _, word in zip(range(count), left, strict=False)]
            if taken:
                self.given[param.key] = taken if param.many else _converted(param, taken[0])

    def values(self) -> dict[str, Any]:
        """Return the parameters by key. Words of the form KEY=VALUE are returned as a dict."""
        maps = {p.key: p for p in (*self.options.values(), *self.arguments) if typing.get_origin(p.kind) is dict}
        return {
            key: dict(pair(maps[key], text) for text in value) if key in maps else value
            for key, value in self.given.items()
        }


def _value(word: str) -> str:
    if not word or (word.startswith("-") and word != "-"):
        raise NotSimple
    return word


def _converted(param: Param, word: str) -> Any:
    try:
        if param.kind in (int, float):
            return param.kind(word)
        if param.kind is Duration:
            return parse_duration(word)
    except (ValueError, UsageError):
        raise NotSimple from None
    if param.choices and word not in param.choices:
        raise NotSimple
    return word
