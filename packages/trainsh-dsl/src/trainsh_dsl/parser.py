"""The whole recipe: lines into statements, one mistake at a time, whatever the text."""

import re
from collections.abc import Callable, Iterable

from trainsh_dsl import definitions, options, statements
from trainsh_dsl.catalogue import is_code
from trainsh_dsl.commands import CommandReader
from trainsh_dsl.findings import CODE, Findings
from trainsh_dsl.plugins import Tools
from trainsh_dsl.scope import Near, Scope
from trainsh_dsl.source import Source
from trainsh_dsl.syntax import Execute, Node, Open, Option, Parallel, Recipe, Word
from trainsh_dsl.values import shorten
from trainsh_dsl.words import NAME_OR_HYPHEN, Context, Stop, is_option

DEEPEST = 8  # blocks in blocks; each is a level of the plan
_EXECUTE = re.compile(rf"[ \t]*@({NAME_OR_HYPHEN})((?:[ \t]+[A-Za-z_-]+=[^\s'\"\\>]+)*+)[ \t]*>[ \t]*")
_AT = re.compile(rf"@({NAME_OR_HYPHEN})(?=[ \t\r\n:>\\]|->|\Z)")
_SPACE = re.compile(r"[ \t]*")
_BLANK = re.compile(r"(?:[ \t]|\\\n)*")
_HEAD_WORD = re.compile(r"(?:[^ \t\n'\"\\>]++|\\(?!\n)|'[^'\n]*+'|\"(?:[^\"\\\n]++|\\.)*+\")++", re.DOTALL)
_FIRST = re.compile(r"(?:[^ \t\\]++|\\(?!\n))*+")
_ARROW = re.compile(r"(?:[^ \t'\"]++|'[^']*+'|\"(?:[^\"\\]++|\\.)*+\")+(?:[ \t]|\\\n)+->(?=[ \t\\]|\Z)", re.DOTALL)
_DIRECTIVE = re.compile(r"(?:^|[ \t])(#[ \t]*train:[ \t]*ignore\b[^\n]*)\Z")
_BAD_CHARACTER = re.compile("[\x00\ud800-\udfff]")
_CAPTURE = re.compile(r"[ \t]capture=([A-Za-z_][A-Za-z0-9_]*)")
_MENTIONED = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_KEYWORDS = ("var", "host", "storage", "wait", "notify", "sleep", "parallel", "end", "finally")
_WORDED: dict[str, Callable[[Context, list[Word], int], Node]] = {
    "wait": statements.wait,
    "notify": statements.notify,
    "sleep": statements.sleep,
}


class Parser:
    """Reads one recipe; `refs` are the captured variables that the statement at an offset uses."""

    def __init__(self, source: Source, findings: Findings, tools: Tools, given: Iterable[str] = ()) -> None:
        self.source = source
        self.findings = findings
        text = source.text
        captures = _CAPTURE.findall(text) if "capture=" in text else []
        self.scope = Scope(findings, captures, given)
        self.context = Context(source, findings, self.scope, tools)
        self.commands = CommandReader(source, self.scope, self.context.reader)
        self.recipe = Recipe([], [], [])
        self.refs: dict[int, list[tuple[str, int]]] = {}
        self._blocks: list[Parallel] = []
        self._into: list[Node] = self.recipe.steps
        self._swallowed = -1  # the last line that seemed to belong to a command above it
        self._waiting_ignore: tuple[int, set[str]] | None = None

    def parse(self) -> Recipe:
        """Read everything; what is wrong is in the findings."""
        self._check_characters()
        lines, starts = self.source.lines, self.source.starts
        number, count = 0, len(lines)
        while number < count:
            line = lines[number]
            bare = line.lstrip(" \t")
            if not bare or bare == "\r":
                number += 1
            elif bare[0] == "#":
                if "train:" in bare:
                    self._comment(bare, starts[number] + len(line) - len(bare))
                number += 1
            else:
                number = self._statement(number, line, starts[number])
        self._check_blocks()
        self._report_unknown()
        return self.recipe

    def _statement(self, number: int, line: str, base: int) -> int:
        """Read the statement that begins in this line; the number of the line after it."""
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
                end = self._execute(simple[1], at, line, base + simple.end(), base, found)
            else:
                at = base + len(line) - len(line.lstrip(" \t"))
                end = self._other(number, line, at)
        except Stop:
            end = max(end, self._stop_end(number, at))
            self.scope.mentioned.update(_MENTIONED.findall(self.source.text, at, min(end, at + 2000)))
        if scope.captures and scope.refs:
            self.refs[at] = scope.refs
        if self._waiting_ignore:
            start, codes = self._waiting_ignore
            self.findings.ignore(start, end, codes)
            self._waiting_ignore = None
        if before == len(self.findings.found) and end == base + len(line):
            return number + 1
        return max(number + 1, self.source.line_of(min(end, len(self.source.text))) + 1)

    def _stop_end(self, number: int, at: int) -> int:
        if self.source.text[at] == "@" and not _ARROW.match(self.source.text, at, at + 2000):
            return at
        return self._logical_end(number)

    def _logical_end(self, number: int) -> int:
        """Where the logical line ends that begins in line `number`, outside commands."""
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
                    "E110", at, word.end() if word else at + 1, f"{shorten(word[0] if word else '@')} is not a name after @",
                    "write @NAME: letters, digits, _ and - inside",
                )  # fmt: skip
            if text[found.end() : found.end() + 1] != ":":
                return self._execute_with_options(found[1], at, found.end())
        if "\\" not in line and "train:" not in line:
            end = at + len(line.lstrip(" \t"))
            self._worded(at, at + len(line.strip(" \t\r")), end, "")
            return end
        end = self._logical_end(number)
        if _goes_on(self.source.lines[self.source.line_of(end)]) and end >= len(text):
            self.findings.add(
                "E109", end - 1, end, "the last line ends in \\, but nothing follows", "take the \\ away"
            )
            end -= 1
        elif line.rstrip(" \t").endswith("\\") and not line.endswith("\\"):
            self._swallowed = number
            raise self.context.wrong(
                "E109", end - 1, end, "blanks stand after the \\: the line does not go on in the next", "take the blanks away"
            )
        stop, tail = end, ""
        if "train:" in text[at:end]:
            directive = _DIRECTIVE.search(text, at, end)
            if directive:
                tail, stop = directive[1].strip(), directive.start()
                self.findings.ignore(at, end, self._codes(tail, directive.start(1)))
        stop = at + len(text[at:stop].rstrip(" \t\r"))
        self._worded(at, stop, end, tail)
        return end

    def _worded(self, at: int, stop: int, end: int, tail: str) -> None:
        """A statement made of words, from `at` to `stop`."""
        text = self.source.text
        found = _FIRST.match(text, at, stop)
        first = found[0] if found else ""
        if text.find("->", at, stop) >= 0 and (text[at] == "@" or _ARROW.match(text, at, stop)):
            self._transfer(at, stop, tail)
        elif first in ("var", "host", "storage"):
            self._definition(first, at, stop, stop, tail)
        elif first in _WORDED:
            self._add(_WORDED[first](self.context, self.context.words(at, stop), stop), tail)
        elif first in ("parallel", "end", "finally"):
            self._keyword(first, at, stop, tail)
        elif statements.CONTROL.match(first):
            self._add(statements.control(self.context, self.context.words(at, stop), stop), tail)
        else:
            self._unknown(first, at, stop)

    def _transfer(self, at: int, stop: int, tail: str) -> None:
        words = self.context.words(at, stop)
        if len(words) < 2 or words[1].raw != "->":
            glued = next((word for word in words[:3] if "->" in word.raw), words[0])
            raise self.context.wrong(
                "E603", glued.start, glued.end, "the -> of a transfer stands between blanks",
                f"write {glued.raw.replace('->', ' -> ', 1).strip()}" if glued.raw != "->" else "write source -> destination",
            )  # fmt: skip
        self._add(statements.transfer(self.context, words, stop), tail)

    def _definition(self, sort: str, at: int, stop: int, end: int, tail: str) -> None:
        if self._into is not self.recipe.steps or self.recipe.steps:
            self.findings.add(
                "E203", at, at + len(sort), f"this {sort} comes after the first step", "move it above the first step"
            )
            self.scope.mentioned.update(_MENTIONED.findall(self.source.text, at, min(stop, at + 200)))
        self.recipe.definitions.append(definitions.read(self.context, at, stop, end, tail))

    def _execute(
        self, session: str, at: int, line: str, start: int, base: int, found: list[Option]
    ) -> int:
        """`@session options > command`; the command begins at `start`, in `line`, which begins at `base`."""
        command = self.commands.read(line, start, base)
        node = Execute(
            start=at, end=command.end, options=found, tail=command.tail, session=session, command=command.text,
            raw=command.raw, background=command.background, ends=command.ends,
        )  # fmt: skip
        if command.failed:
            self._swallowed = self.source.line_of(command.end)
        if command.tail:
            self.findings.ignore(at, command.end, self._codes(command.tail, start))
        nothing = command.text == "" or (isinstance(command.text, str) and command.text.lstrip()[:1] == "#" and "\n" not in command.text)
        if nothing and not command.failed:
            self.findings.add(
                "E103", at, max(start, at + 1), "there is no command after >", f"write @{session} > COMMAND"
            )
        for option in found:
            if option.key == "capture":
                self._capture(node, option)
        self._into.append(node)
        return command.end

    def _capture(self, node: Execute, option: Option) -> None:
        name, word = str(option.value), option.word
        clash = self.scope.find(name)
        if clash is not None and clash.sort != "var":
            self.findings.add(
                "E306", word.start, word.end, f"{name} is a {clash.sort} of this recipe", "capture into another name"
            )
        if node.background:
            self.findings.add(
                "E307", word.start, word.end, "a background step has no output yet when the next step begins",
                "leave out the &, or write the output into a file",
            )  # fmt: skip
        node.captures = name
        if node.background or clash:
            self.scope.used.add(name)

    def _execute_with_options(self, session: str, at: int, pos: int) -> int:
        """`@session`, and what follows is not simply `>`."""
        text, wrong = self.source.text, self.context.wrong
        words: list[Word] = []
        while True:
            blank = _BLANK.match(text, pos)
            pos = blank.end() if blank else pos
            if text[pos : pos + 1] == ">":
                break
            word = _HEAD_WORD.match(text, pos)
            if word is None or (word[0] == "-" and text.startswith("->", pos)) or not is_option(Word(0, 0, word[0])):
                raise self._no_command(session, at, pos, words, wrong)
            words.append(Word(pos, word.end(), word[0]))
            pos = word.end()
        found = self.context.options(words, options.EXECUTE, "an execute")
        skipped = _SPACE.match(text, pos + 1)
        start = skipped.end() if skipped else pos + 1
        number = self.source.line_of(pos)
        return self._execute(session, at, self.source.lines[number], start, self.source.starts[number], found)

    def _no_command(
        self, session: str, at: int, pos: int, words: list[Word], wrong: Callable[..., Stop]
    ) -> Stop:
        """Why `@session ...` is neither a step nor a transfer."""
        text = self.source.text
        line_end = text.find("\n", pos)
        line_end = len(text) if line_end < 0 else line_end
        rest = text[pos:line_end].strip()
        end = at + len(text[at:line_end].rstrip())
        if rest.startswith("->") or re.match(r"->", text[pos:line_end]):
            return wrong("E601", at, pos, f"@{session} has no path", f"write @{session}:/path/to/it {rest}")
        found = next((word for word in re.finditer(r"[^ \t]+", rest)), None)
        if found and found[0] in options.ALL and re.match(r"\S+[ \t]+=", rest):
            value = re.match(r"(\S+)[ \t]+=[ \t]*([^ \t>]*)", rest)
            fix = f"{value[1]}={value[2]}" if value else f"{found[0]}=VALUE"
            return wrong("E309", pos, pos + len(found[0]), f"{found[0]} and its value are apart", f"write {fix}")
        head = f"@{session}" + "".join(f" {word.raw}" for word in words)
        if found and ">" in rest and is_option(Word(0, 0, rest.split(">")[0].split()[-1] if rest.split(">")[0].split() else "")):
            return wrong("E111", pos, pos + len(found[0]), f"{shorten(found[0])} cannot stand before >", "options are written name=value")
        if not rest:
            return wrong("E102", at, end, f"@{session} is given nothing to do", f"write {head} > COMMAND")
        return wrong("E102", at, end, "there is no > before the command", f"write {head} > {rest[:80]}")

    def _keyword(self, word: str, at: int, stop: int, tail: str) -> None:
        end = at + len(word)
        if stop > end:
            rest = self.context.line_text(end, stop)
            hint = "a comment stands on a line of its own" if rest.startswith("#") else f"write {word} alone on its line"
            self.findings.add("E111", end, stop, f"{word} does not take {shorten(rest)}", hint)
        if word == "parallel":
            self._open_block(at, end, tail)
        elif word == "end":
            self._close_block(at, end, tail)
        else:
            self._finally(at, end, tail)

    def _open_block(self, at: int, end: int, tail: str) -> None:
        if len(self._blocks) == DEEPEST:
            self.findings.add("E119", at, end, f"parallel is nested more than {DEEPEST} deep", "take some levels out")
        block = Parallel(start=at, end=end, steps=[], tail=tail)
        if len(self._blocks) < DEEPEST:
            self._into.append(block)
        else:
            block.steps = self._into
        self._blocks.append(block)
        self._into = block.steps

    def _close_block(self, at: int, end: int, tail: str) -> None:
        if not self._blocks:
            self.findings.add("E113", at, end, "this end has no parallel before it", "take it out")
            return
        block = self._blocks.pop()
        block.close_at, block.end, block.close_tail = at, end, tail
        self._into = self._blocks[-1].steps if self._blocks else self._outer()
        if not block.steps:
            self.findings.add("E120", block.start, block.start + 8, "this parallel block is empty", "put steps into it, or take it out")

    def _outer(self) -> list[Node]:
        return self.recipe.closing if self.recipe.finally_at >= 0 else self.recipe.steps

    def _finally(self, at: int, end: int, tail: str) -> None:
        if self._blocks:
            self.findings.add("E114", at, end, "finally stands inside a parallel block", "end the block first")
            self._dissolve()
        elif self.recipe.finally_at >= 0:
            line = self.source.place(self.recipe.finally_at)[0]
            self.findings.add("E115", at, end, f"there is a finally in line {line} already", "put all of its steps below that one")
            return
        if self.recipe.finally_at < 0:
            self.recipe.finally_at, self.recipe.finally_tail = at, tail
        self.scope.in_finally = True
        self._into = self.recipe.closing

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
        raise self.context.wrong("E101", at, stop, "this is not a step or a definition", self._guess(first, line, at))

    def _sessions(self) -> set[str]:
        return {node.session for node in self._into if isinstance(node, Open)}

    def _take_as_meant(self, first: str, at: int, stop: int) -> None:
        """A misspelt `parallel` or `finally` still begins what it was to begin."""
        meant = Near().add(_KEYWORDS).find(first) if first == self.source.text[at:stop].rstrip(":") else None
        if meant not in ("parallel", "finally"):
            return
        self.findings.add("E101", at, stop, "this is not a step or a definition", f"did you mean {meant}?")
        if meant == "parallel":
            self._open_block(at, stop, "")
        else:
            self._finally(at, stop, "")
        raise Stop()

    def _goes_on_from_command(self, at: int) -> bool:
        """Whether this line that is no step comes right after a command, or after such a line: one mistake, then."""
        line = self.source.line_of(at) - 1
        previous = self._into[-1] if self._into else None
        after_command = isinstance(previous, Execute) and self.source.line_of(previous.end) == line
        return after_command or (self._swallowed >= 0 and self._swallowed == line)

    def _guess(self, first: str, line: str, at: int) -> str:
        if re.match(r"(?:export[ \t]+)?[A-Za-z_]\w*[ \t]*=", line):
            name, _, value = line.removeprefix("export").strip().partition("=")
            return f"write var {name.strip()} = {value.strip()}"
        named = re.match(rf"({NAME_OR_HYPHEN})[ \t]*>", line)
        if named and (named[1] in self._sessions() or not self._sessions()):
            return f"a session is written with @: @{line[:80]}"
        if first == "&":
            return "the & that makes a background step stands at the end of its command"
        if first.startswith(">"):
            return "name the session: @NAME > COMMAND"
        name = first.partition(".")[0]
        near = Near().add((*_KEYWORDS, "tmux.open", "tmux.close")).find(first)
        if near:
            return f"did you mean {near}?"
        if name in ("open", "close"):
            return f"write tmux.{name} ..."
        previous = self._into[-1] if self._into else None
        if isinstance(previous, Execute) and self._swallowed == self.source.line_of(at):
            return f"a command goes on after \\, in quotes or in a here-document; else write @{previous.session} > {line[:60]}"
        return f"a command is written @SESSION > {line[:60]}"

    def _add(self, node: Node, tail: str) -> None:
        node.tail = tail
        self._into.append(node)

    def _comment(self, line: str, at: int) -> None:
        found = _DIRECTIVE.match(line.rstrip())
        if found:
            codes = self._codes(found[1], at)
            start, before = self._waiting_ignore or (at, set())
            self._waiting_ignore = (start, before | codes)

    def _codes(self, directive: str, at: int) -> set[str]:
        """The codes in `# train: ignore W203, W301`; what is not one is warned about."""
        listed = directive.partition("ignore")[2].replace(",", " ").split()
        for word in listed:
            if not CODE.fullmatch(word) or not is_code(word):
                self.findings.add("W104", at, at + len(directive), f"{shorten(word)} is not the code of a warning", "write # train: ignore W203")
            elif word[0] == "E":
                self.findings.add("W104", at, at + len(directive), f"{word} is an error, which cannot be ignored", f"see train dsl explain {word}")
        if not listed:
            self.findings.add("W104", at, at + len(directive), "ignore names no code", "write # train: ignore W203")
        return {word for word in listed if word[0] == "W"}

    def _check_characters(self) -> None:
        text = self.source.text
        found = _BAD_CHARACTER.search(text) if "\0" in text or not text.isascii() else None
        if found:
            byte = ord(found[0])
            what = "a NUL byte" if byte == 0 else f"byte {byte - 0xDC00:#04x}, which is not UTF-8" if 0xDC80 <= byte <= 0xDCFF else "half a character"
            self.findings.add("E108", found.start(), found.end(), f"the text holds {what}", "save the recipe as UTF-8 text")

    def _check_blocks(self) -> None:
        for block in self._blocks:
            self.findings.add(
                "E112", block.start, block.start + 8, "this parallel block has no end", "write end on a line after its last step"
            )
        self._dissolve()

    def _dissolve(self) -> None:
        """Take the steps of blocks that are not ended as if they stood outside: their mistake has been told."""
        while self._blocks:
            block = self._blocks.pop()
            outside = self._blocks[-1].steps if self._blocks else self._outer()
            if outside and outside[-1] is block:
                outside.pop()
                outside += block.steps

    def _report_unknown(self) -> None:
        """`$NAME`s that nothing defines, now that everything has been read."""
        near = Near().add(self.scope.known) if self.scope.unknown else None
        told: set[str] = set()
        for unknown in self.scope.unknown:
            name = unknown.name
            if name in self.scope.vars and unknown.in_definition:
                line = self.source.place(self.scope.vars[name].start)[0]
                self.scope.used.add(name)
                self.findings.add(
                    "E209", unknown.start, unknown.end, f"${name} is used before it has a value (it gets one in line {line})",
                    "a variable may use those defined above it: move the definitions",
                )  # fmt: skip
            elif name in self.scope.known:
                self.scope.used.add(name)
            elif name not in told and near is not None:
                told.add(name)
                self._unknown_variable(name, unknown.start, unknown.end, near)

    def _unknown_variable(self, name: str, start: int, end: int, near: Near) -> None:
        found = near.find(name)
        other = self.scope.find(name)
        hint = f"did you mean ${found}?" if found else f"define it above the steps: var {name} = ..."
        if other is not None and other.sort != "var":
            hint = f"{name} is a {other.sort}: write @{name}"
        if found:
            self.scope.used.add(found)
        self.findings.add("E501", start, end, f"there is no variable {name}", hint)


def _goes_on(line: str) -> bool:
    """Whether a line ends in an odd number of backslashes."""
    bare = line.removesuffix("\r")
    return bare.endswith("\\") and (len(bare) - len(bare.rstrip("\\"))) % 2 == 1
