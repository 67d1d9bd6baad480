"""Reads the steps `@session options > command`: their options, their command, and the variable that gets the
output.
"""

import re

from trainsh_dsl.diagnostics.ignores import Ignores
from trainsh_dsl.grammar import mistakes
from trainsh_dsl.grammar.blocks import Blocks
from trainsh_dsl.grammar.commands import Command, CommandReader
from trainsh_dsl.grammar.syntax import Execute, Option
from trainsh_dsl.grammar.words import Context, is_option
from trainsh_dsl.text.patterns import lazy
from trainsh_dsl.text.word import Word
from trainsh_dsl.vocabulary import options

_SPACE = lazy(r"[ \t]*")
_BLANK = lazy(r"(?:[ \t]|\\\n)*")
_HEAD_WORD = lazy(r"(?>(?:[^ \t\n'\"\\>]++|\\(?!\n)|'[^'\n]*+'|\"(?>(?:[^\"\\\n]++|\\.)*)\")+)", re.DOTALL)


class Executes:
    """Reads the steps of one recipe, and adds them to the block that is open."""

    def __init__(self, context: Context, blocks: Blocks, ignores: Ignores) -> None:
        self.context = context
        self.source = context.source
        self.scope = context.scope
        self.findings = context.findings
        self.blocks = blocks
        self.ignores = ignores
        self.commands = CommandReader(self.source, self.scope, context.reader)

    def read(self, session: str, at: int, line: str, start: int, base: int, found: list[Option]) -> Command:
        """Parse `@session options > command`. The command is at offset `start`.

        `line` is the physical line that contains the command; it begins at offset `base`.
        """
        command = self.commands.read(line, start, base)
        node = Execute(
            start=at, end=command.end, options=found, tail=command.tail, session=session, command=command.text,
            raw=command.raw, background=command.background, ends=command.ends,
        )  # fmt: skip
        if command.tail:
            self.ignores.trailing(command.tail, start, at, command.end)
        nothing = command.text == "" or (
            isinstance(command.text, str) and command.text.lstrip()[:1] == "#" and "\n" not in command.text
        )
        if nothing and not command.failed:
            self.findings.add(
                "E103", at, max(start, at + 1), "there is no command after >", f"write @{session} > COMMAND"
            )
        for option in found:
            if option.key == "capture":
                self._capture(node, option)
        self.blocks.into.append(node)
        return command

    def with_options(self, session: str, at: int, pos: int) -> Command:
        """Parse a statement that begins with `@session`, if more than a simple `>` follows the name."""
        text = self.source.text
        words: list[Word] = []
        while True:
            blank = _BLANK.match(text, pos)
            pos = blank.end() if blank else pos
            if text[pos : pos + 1] == ">":
                break
            word = _HEAD_WORD.match(text, pos)
            if (
                word is None
                or (word[0] == "-" and text.startswith("->", pos))
                or not is_option(Word(0, 0, word[0]))
            ):
                raise mistakes.no_command(self.context, session, at, pos, words)
            words.append(Word(pos, word.end(), word[0]))
            pos = word.end()
        found = self.context.options(words, options.EXECUTE, "an execute")
        skipped = _SPACE.match(text, pos + 1)
        start = skipped.end() if skipped else pos + 1
        number = self.source.line_of(pos)
        return self.read(session, at, self.source.lines[number], start, self.source.starts[number], found)

    def _capture(self, node: Execute, option: Option) -> None:
        name, word = str(option.value), option.word
        clash = self.scope.find(name)
        if clash is not None and clash.sort != "var":
            self.findings.add(
                "E306",
                word.start,
                word.end,
                f"{name} is a {clash.sort} of this recipe",
                "capture into another name",
            )
        if node.background:
            self.findings.add(
                "E307", word.start, word.end, "the output of a background step is not complete when the next "
                "step begins",
                "remove the &, or write the output into a file",
            )  # fmt: skip
        node.captures = name
        if node.background or clash:
            self.scope.used.add(name)
