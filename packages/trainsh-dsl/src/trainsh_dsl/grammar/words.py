"""Reads the words and options of a statement. Also has the context that the readers of all statements share."""

import re

from trainsh_dsl.diagnostics.findings import Findings
from trainsh_dsl.diagnostics.shorten import shorten
from trainsh_dsl.document.plan import Text
from trainsh_dsl.grammar.interpolation import Reader, unbroken
from trainsh_dsl.grammar.scope import Near, Scope
from trainsh_dsl.grammar.syntax import Option
from trainsh_dsl.text.patterns import lazy
from trainsh_dsl.text.source import Source
from trainsh_dsl.text.word import Word
from trainsh_dsl.vocabulary import options, values
from trainsh_dsl.vocabulary.options import Check
from trainsh_dsl.vocabulary.tool_schemas import Tools, Verb

NAME_OR_HYPHEN = r"[A-Za-z_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?"
AT_NAME = lazy(rf"@({NAME_OR_HYPHEN})\Z")
_PLAIN = lazy(r"[^ \t]+")
_WORD = lazy(r"(?>(?:[^ \t\n'\"\\]++|\\(?!\n)|'[^']*+'|\"(?>(?:[^\"\\]++|\\.)*)\")+)", re.DOTALL)
_BLANK = lazy(r"(?:[ \t]|\\\n)*")
_KEY = lazy(r"([A-Za-z_][A-Za-z0-9_-]*)=")


class Stop(Exception):
    """Ends the reading of one statement. The statement's error is in the findings already."""


class Context:
    """What the readers of statements share: the text, the findings, the names, the tools."""

    def __init__(self, source: Source, findings: Findings, scope: Scope, tools: Tools) -> None:
        self.source = source
        self.text = source.text
        self.findings = findings
        self.scope = scope
        self.tools = tools
        self.reader = Reader(scope)
        self.verbs: dict[str, Verb] = {}
        self._durations: dict[str, float] = {}
        # the text of an option that was parsed before -> (key, value)
        self._known: dict[str, tuple[str, object]] = {}

    def wrong(self, code: str, start: int, end: int, message: str, hint: str = "") -> Stop:
        """Record an error. Return an exception; the caller must raise it to end the reading of this statement."""
        self.findings.add(code, start, end, message, hint)
        return Stop()

    def words(self, start: int, end: int) -> list[Word]:
        """Split the text between two offsets into words. Report E106 for a quote that is not closed."""
        text = self.text
        raw = text[start:end]
        if "'" not in raw and '"' not in raw and "\\" not in raw:
            if "\t" not in raw and "  " not in raw and raw[:1] != " " and raw[-1:] != " ":
                return _spaced(raw, start)
            return [Word(start + found.start(), start + found.end(), found[0]) for found in _PLAIN.finditer(raw)]
        found_words: list[Word] = []
        pos = start
        if "\\\n" not in raw:
            for found in _WORD.finditer(raw):
                first = start + found.start()
                if first != pos and not text[pos:first].isspace():
                    break
                pos = start + found.end()
                found_words.append(Word(first, pos, found[0]))
            else:
                if pos == end:
                    return found_words
            found_words, pos = [], start
        while True:
            blank = _BLANK.match(text, pos, end)
            pos = blank.end() if blank else pos
            if pos >= end:
                return found_words
            word = _WORD.match(text, pos, end)
            stop = word.end() if word else pos
            if stop < end and text[stop] in "'\"":
                raise self.wrong(
                    "E106", stop, stop + 1, "this quote is not closed on its line",
                    f"close it with {text[stop]}, or put the other kind of quote around it",
                )  # fmt: skip
            if word is None:
                raise self.wrong("E106", pos, pos + 1, "this cannot be read as a word")
            found_words.append(Word(pos, stop, word[0]))
            pos = stop

    def options(self, words: list[Word], kind: dict[str, Check], what: str) -> list[Option]:
        """Parse words that must all be options of one kind of statement.

        `kind` holds the options of this kind of statement. `what` is the name of the kind in messages.
        """
        found: list[Option] = []
        for place, word in enumerate(words):
            known = self._known.get(word.raw)
            if known is not None and known[0] in kind:
                again = Option(word, known[0], known[1])
                if found:
                    self._once(again, found)
                found.append(again)
                continue
            key = _KEY.match(word.raw)
            if key is None:
                self.unexpected(word, words, place, kind, what)
                break
            option = self.option(word, key[1], kind, what)
            if option is not None:
                self._once(option, found)
                found.append(option)
                if not isinstance(option.value, list):
                    self._known[word.raw] = (option.key, option.value)
        return found

    def _once(self, option: Option, found: list[Option]) -> None:
        if found and option.key not in options.REPEATABLE and any(other.key == option.key for other in found):
            word = option.word
            self.findings.add("E303", word.start, word.end, f"{option.key}= is given twice", "remove one of them")

    def unexpected(self, word: Word, words: list[Word], place: int, kind: dict[str, Check], what: str) -> None:
        """Report E111 or E309 for a word that is not an option."""
        after = words[place + 1].raw if place + 1 < len(words) else ""
        if (word.raw in kind or word.raw in options.ALL) and after.startswith("="):
            value = after[1:] or (words[place + 2].raw if place + 2 < len(words) else "VALUE")
            self.findings.add(
                "E309", word.start, word.end, f"{word.raw} has blanks around its =", f"write {word.raw}={value}"
            )
            return
        if word.raw.startswith("--") and word.raw[2:].partition("=")[0].replace("-", "_") in kind:
            name, _, value = word.raw[2:].partition("=")
            self.findings.add(
                "E309", word.start, word.end, f"an option in a recipe has no dashes: {word.raw}",
                f"write {name.replace('-', '_')}={value or 'true'}",
            )  # fmt: skip
            return
        hint = f"options are written name=value: {', '.join(kind)}" if kind else "remove it"
        if word.raw.startswith("#"):
            hint = "a comment needs a line of its own"
        self.findings.add("E111", word.start, word.end, f"{what} does not take {shorten(word.raw)} here", hint)

    def option(self, word: Word, key: str, kind: dict[str, Check], what: str) -> Option | None:
        """Parse one `key=value`. Return None if the option does not exist or its value is invalid."""
        check = kind.get(key)
        if check is None:
            self.findings.add(
                "E302",
                word.start,
                word.start + len(key),
                f"{what} has no option {key}",
                self._instead(word, key, kind, what),
            )
            return None
        value = Word(word.start + len(key) + 1, word.end, word.raw[len(key) + 1 :])
        if value.raw == "":
            self.findings.add(
                "E308", word.start, word.end, f"{key}= has no value", f"write {key}=VALUE, or leave it out"
            )
            return None
        if key == "capture" and "$" in value.raw:
            self.findings.add(
                "E306", value.start, value.end, f"{value.raw} is not a variable's name", "write the name without $"
            )
            return None
        text = self.reader.word(value)
        typed = self.typed(text, check, value)
        return None if typed is None else Option(word, key, typed)

    def _instead(self, word: Word, key: str, kind: dict[str, Check], what: str) -> str:
        if what == "wait" and key in ("file", "port", "idle"):
            return "a wait has only one condition: write a second wait for the other one"
        if key in options.ALL:
            place = "a command takes it, before the >" if key in options.EXECUTE else "a transfer takes it"
            return f"{place}; here there are {', '.join(kind)}"
        near = Near().add(kind).find(key.replace("-", "_"))
        if near:
            return f"did you mean {near}=?"
        if kind is options.EXECUTE:
            return f"for the command's environment: {self._in_command(word)}; options are {', '.join(kind)}"
        return f"there are {', '.join(kind)}"

    def _in_command(self, word: Word) -> str:
        """The line of a step with `word` moved to the start of the command.

        `word` is an assignment before the `>`.
        """
        first, end = self.text.rfind("\n", 0, word.start) + 1, self.text.find("\n", word.end)
        line = self.text[word.end : end if end >= 0 else len(self.text)]
        others, _, command = line.partition(">")
        head = " ".join((self.text[first : word.start] + others).split())
        return f"{head} > {word.raw} {command.strip()[:60]}"

    def typed(self, text: Text, check: Check, word: Word) -> object:
        """The value that `check` makes of a text.

        A text with variables is returned unchanged. The result is None if the text is invalid.
        """
        known = text if isinstance(text, str) else self.scope.static_text(text)
        if known is None:
            return text
        if check is values.duration and known in self._durations:
            typed: object = self._durations[known]
        else:
            try:
                typed = check(known)
            except values.Bad as bad:
                where = "" if isinstance(text, str) else f" ({word.raw} is defined so in the recipe)"
                self.findings.add(bad.code, word.start, word.end, bad.message + where, bad.hint)
                return None
            if check is values.duration and isinstance(typed, float):
                self._durations[known] = typed
        return typed if isinstance(text, str) else text

    def unquoted(self, word: Word) -> Word:
        """The word without its quotes. Variables in it are not resolved."""
        raw = unbroken(word.raw)
        if len(raw) > 1 and raw[0] in "'\"" and raw[-1] == raw[0]:
            raw = raw[1:-1]
        return Word(word.start, word.end, raw)

    def line_text(self, start: int, end: int) -> str:
        """The text of a statement on one line, for hints."""
        return unbroken(self.text[start:end]).strip()


def _spaced(raw: str, at: int) -> list[Word]:
    """Split a text with single spaces between words."""
    words: list[Word] = []
    for word in raw.split(" "):
        end = at + len(word)
        words.append(Word(at, end, word))
        at = end + 1
    return words


def is_option(word: Word) -> re.Match[str] | None:
    """Match a word of the form `key=value`. Group 1 of the match is the key."""
    return _KEY.match(word.raw)
