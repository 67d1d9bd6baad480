"""Turns lines into statements. An error affects one statement, not the whole file."""

import re
from collections.abc import Callable, Iterable

from trainsh_dsl.diagnostics.findings import Findings
from trainsh_dsl.diagnostics.ignores import TRAILING, Ignores
from trainsh_dsl.diagnostics.shorten import shorten
from trainsh_dsl.grammar import controls, definitions, mistakes, statements
from trainsh_dsl.grammar.blocks import Blocks
from trainsh_dsl.grammar.commands import Command
from trainsh_dsl.grammar.executes import Executes
from trainsh_dsl.grammar.scope import Near, Scope
from trainsh_dsl.grammar.syntax import Execute, Node, Option, Recipe
from trainsh_dsl.grammar.words import NAME_OR_HYPHEN, Context, Stop
from trainsh_dsl.text.patterns import lazy
from trainsh_dsl.text.source import Source
from trainsh_dsl.text.word import Word
from trainsh_dsl.vocabulary import options
from trainsh_dsl.vocabulary.tool_schemas import Tools

_EXECUTE = lazy(rf"[ \t]*@({NAME_OR_HYPHEN})((?>(?:[ \t]+[A-Za-z_-]+=[^\s'\"\\>]+)*))[ \t]*>[ \t]*")
_AT = lazy(rf"@({NAME_OR_HYPHEN})(?=[ \t\r\n:>\\]|->|\Z)")
_FIRST = lazy(r"(?>(?:[^ \t\\]++|\\(?!\n))*)")
_ARROW = lazy(r"(?:[^ \t'\"]++|'[^']*+'|\"(?>(?:[^\"\\]++|\\.)*)\")+(?:[ \t]|\\\n)+->(?=[ \t\\]|\Z)", re.DOTALL)
_CAPTURE = lazy(r"[ \t]capture=([A-Za-z_][A-Za-z0-9_]*)")
_MENTIONED = lazy(r"[A-Za-z_][A-Za-z0-9_-]*")
_WORDED: dict[str, Callable[[Context, list[Word], int], Node]] = {
    "wait": statements.wait,
    "notify": statements.notify,
    "sleep": statements.sleep,
}


class Parser:
    """Parses one recipe. `refs` maps the offset of a statement to the captured variables that it uses."""

    def __init__(self, source: Source, findings: Findings, tools: Tools, given: Iterable[str] = ()) -> None:
        self.source = source
        self.findings = findings
        text = source.text
        captures = _CAPTURE.findall(text) if "capture=" in text else []
        self.scope = Scope(findings, captures, given)
        self.context = Context(source, findings, self.scope, tools)
        self.recipe = Recipe([], [], [])
        self.blocks = Blocks(self.recipe, findings)
        self.ignores = Ignores(findings)
        self.executes = Executes(self.context, self.blocks, self.ignores)
        self.refs: dict[int, list[tuple[str, int]]] = {}
        # the number of the last line that looked like a continuation of the command above it
        self._swallowed = -1

    def parse(self) -> Recipe:
        """Parse the whole text. Errors are added to the findings."""
        mistakes.bad_characters(self.source.text, self.findings)
        lines, starts = self.source.lines, self.source.starts
        number, count = 0, len(lines)
        while number < count:
            line = lines[number]
            bare = line.lstrip(" \t")
            if not bare or bare == "\r":
                number += 1
            elif bare[0] == "#":
                if "train:" in bare:
                    self.ignores.comment(bare, starts[number] + len(line) - len(bare))
                number += 1
            else:
                number = self._statement(number, line, starts[number])
        self.blocks.check()
        return self.recipe

    def _statement(self, number: int, line: str, base: int) -> int:
        """Parse the statement that begins on line `number`. Return the number of the first line after the
        statement.
        """
        simple = _EXECUTE.match(line)
        scope = self.scope
        if scope.captures:
            scope.refs = []
        before = len(self.findings.found)
        at = base if simple is None else base + simple.start(1) - 1
        end = base + len(line)
        try:
            if simple is not None:
                found: list[Option] = []
                if simple[2]:
                    words = self.context.words(base + simple.start(2) + 1, base + simple.end(2))
                    found = self.context.options(words, options.EXECUTE, "an execute")
                end = self._after(self.executes.read(simple[1], at, line, base + simple.end(), base, found))
            else:
                at = base + len(line) - len(line.lstrip(" \t"))
                end = self._other(number, line, at)
        except Stop:
            end = max(end, self._stop_end(number, at))
            self.scope.mentioned.update(_MENTIONED.findall(self.source.text, at, min(end, at + 2000)))
        if scope.captures and scope.refs:
            self.refs[at] = scope.refs
        if self.ignores.waiting:
            self.ignores.statement(end)
        if before == len(self.findings.found) and end == base + len(line):
            return number + 1
        return max(number + 1, self.source.line_of(min(end, len(self.source.text))) + 1)

    def _stop_end(self, number: int, at: int) -> int:
        if self.source.text[at] == "@" and not _ARROW.match(self.source.text, at, at + 2000):
            return at
        return self._logical_end(number)

    def _logical_end(self, number: int) -> int:
        """The offset at which the logical line that begins on line `number` ends.

        Do not call this for a command.
        """
        lines, starts = self.source.lines, self.source.starts
        last = number
        while last + 1 < len(lines) and _goes_on(lines[last]):
            last += 1
        return starts[last] + len(lines[last])

    def _other(self, number: int, line: str, at: int) -> int:
        text = self.source.text
        if text[at] == "@":
            found = _AT.match(text, at)
            if found is None:
                end = self._logical_end(number)
                word = _FIRST.match(text, at, end)
                raise self.context.wrong(
                    "E110", at, word.end() if word else at + 1,
                    f"{shorten(word[0] if word else '@')} is not a name after @",
                    "write @NAME: letters, digits, _ and - inside",
                )  # fmt: skip
            if text[found.end() : found.end() + 1] != ":":
                return self._after(self.executes.with_options(found[1], at, found.end()))
        if "\\" not in line and "train:" not in line:
            end = at + len(line.lstrip(" \t"))
            self._worded(at, at + len(line.strip(" \t\r")), end, "")
            return end
        end = self._logical_end(number)
        if _goes_on(self.source.lines[self.source.line_of(end)]) and end >= len(text):
            self.findings.add(
                "E109", end - 1, end, "the last line ends in \\, but nothing follows", "remove the \\"
            )
            end -= 1
        elif line.rstrip(" \t").endswith("\\") and not line.endswith("\\"):
            self._swallowed = number
            raise self.context.wrong(
                "E109",
                end - 1,
                end,
                "blanks follow the \\: the line is not continued",
                "remove the blanks",
            )
        stop, tail = end, ""
        if "train:" in text[at:end]:
            directive = TRAILING.search(text, at, end)
            if directive:
                tail, stop = directive[1].strip(), directive.start()
                self.ignores.trailing(tail, directive.start(1), at, end)
        stop = at + len(text[at:stop].rstrip(" \t\r"))
        self._worded(at, stop, end, tail)
        return end

    def _worded(self, at: int, stop: int, end: int, tail: str) -> None:
        """Parse the statement between the offsets `at` and `stop`. Do not call this for a command of a session."""
        text = self.source.text
        found = _FIRST.match(text, at, stop)
        first = found[0] if found else ""
        if text.find("->", at, stop) >= 0 and (text[at] == "@" or _ARROW.match(text, at, stop)):
            self._transfer(at, stop, tail)
        elif text[at] == "@":
            mistakes.command_on_machine(self.context, at, stop)
            message = "this transfer has no -> and no destination"
            raise self.context.wrong("E602", at, stop, message, f"write {first[:80]} -> ./path, or @HOST:PATH")
        elif first in ("var", "host", "storage"):
            self._definition(first, at, stop, stop, tail)
        elif first in _WORDED:
            self.blocks.add(_WORDED[first](self.context, self.context.words(at, stop), stop), tail)
        elif first in ("parallel", "end", "finally"):
            self._keyword(first, at, stop, tail)
        elif controls.CONTROL.match(first):
            self.blocks.add(controls.control(self.context, self.context.words(at, stop), stop), tail)
        else:
            self._unknown(first, at, stop)

    def _transfer(self, at: int, stop: int, tail: str) -> None:
        words = self.context.words(at, stop)
        if len(words) < 2 or words[1].raw != "->":
            statements.source_in_pieces(self.context, words)
            glued = next((word for word in words[:3] if "->" in word.raw), words[0])
            mended = glued.raw.replace("->", " -> ", 1).strip() if glued.raw != "->" else "source -> destination"
            raise self.context.wrong(
                "E603", glued.start, glued.end, "a transfer needs blanks around its ->", f"write {mended}"
            )
        self.blocks.add(statements.transfer(self.context, words, stop), tail)

    def _definition(self, sort: str, at: int, stop: int, end: int, tail: str) -> None:
        if self.blocks.into is not self.recipe.steps or self.recipe.steps:
            self.findings.add(
                "E203",
                at,
                at + len(sort),
                f"this {sort} comes after the first step",
                "move it above the first step",
            )
            self.scope.mentioned.update(_MENTIONED.findall(self.source.text, at, min(stop, at + 200)))
        self.recipe.definitions.append(definitions.read(self.context, at, stop, end, tail))

    def _after(self, command: Command) -> int:
        """The offset at which the command ends. If the command is broken, the lines after it may belong to it."""
        if command.failed:
            self._swallowed = self.source.line_of(command.end)
        return command.end

    def _keyword(self, word: str, at: int, stop: int, tail: str) -> None:
        end = at + len(word)
        if stop > end:
            rest = self.context.line_text(end, stop)
            hint = (
                "a comment needs a line of its own" if rest.startswith("#") else f"write {word} alone on its line"
            )
            self.findings.add("E111", end, stop, f"{word} does not take {shorten(rest)}", hint)
        if word == "parallel":
            self.blocks.open(at, end, tail)
        elif word == "end":
            self.blocks.close(at, end, tail)
        else:
            self._begin_finally(at, end, tail)

    def _unknown(self, first: str, at: int, stop: int) -> None:
        line = self.context.line_text(at, stop)
        if first == "->":
            raise self.context.wrong("E602", at, stop, "this transfer has no source", f"write ./path {line[:60]}")
        self._take_as_meant(first, at, stop)
        if self._goes_on_from_command(at):
            if self._swallowed == self.source.line_of(at) - 1:
                self._swallowed += 1
                raise Stop()
            self._swallowed = self.source.line_of(at)
        raise self.context.wrong(
            "E101", at, stop, "this is not a step or a definition", self._guess(first, line, at)
        )

    def _begin_finally(self, at: int, end: int, tail: str) -> None:
        self.blocks.finally_(at, end, tail)
        self.scope.in_finally = True

    def _guess(self, first: str, line: str, at: int) -> str:
        previous = self.blocks.latest()
        if isinstance(previous, Execute) and self._swallowed == self.source.line_of(at):
            goes_on = "only \\, quotes and a here-document continue a command in the next line"
            return f"{goes_on}; else write @{previous.session} > {line[:60]}"
        return mistakes.guess(first, line, self.blocks.sessions)

    def _take_as_meant(self, first: str, at: int, stop: int) -> None:
        """Report a misspelt `parallel` or `finally`. Then treat it as the correctly spelt keyword."""
        alone = first.rstrip(":") == self.source.text[at:stop].rstrip(":")
        meant = Near().add(mistakes.KEYWORDS).find(first) if alone else None
        if meant not in ("parallel", "finally"):
            return
        self.findings.add("E101", at, stop, "this is not a step or a definition", f"did you mean {meant}?")
        if meant == "parallel":
            self.blocks.open(at, stop, "")
        else:
            self._begin_finally(at, stop, "")
        raise Stop()

    def _goes_on_from_command(self, at: int) -> bool:
        """Whether the line at `at` directly follows a command, or follows other lines that directly follow a
        command.

        All these lines together get only one error.
        """
        line = self.source.line_of(at) - 1
        previous = self.blocks.latest()
        after_command = isinstance(previous, Execute) and self.source.line_of(previous.end) == line
        return after_command or (self._swallowed >= 0 and self._swallowed == line)


def _goes_on(line: str) -> bool:
    """Whether a line ends with an odd number of backslashes, and so continues on the next line."""
    bare = line.removesuffix("\r")
    return bare.endswith("\\") and (len(bare) - len(bare.rstrip("\\"))) % 2 == 1
