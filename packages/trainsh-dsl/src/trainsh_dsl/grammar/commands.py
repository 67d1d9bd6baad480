"""Reads the command of a step `@session > command`: its variables, and its `&`."""

import re

import msgspec

from trainsh_dsl.document.plan import Ref, Text
from trainsh_dsl.grammar.interpolation import Reader, easy, joined
from trainsh_dsl.grammar.scope import Scope
from trainsh_dsl.text.heredocs import HereIndex
from trainsh_dsl.text.lexical_regions import LexicalRegions
from trainsh_dsl.text.patterns import lazy
from trainsh_dsl.text.scan_state import Problem
from trainsh_dsl.text.shell import SIMPLE, Scan
from trainsh_dsl.text.source import Source

_SIMPLE_DOLLAR = lazy(r"\$(?:([A-Za-z_][A-Za-z0-9_]*)|\{([A-Za-z_][A-Za-z0-9_]*)\})")
_MENTIONED = lazy(r"\$\{?[#!]?([A-Za-z_][A-Za-z0-9_]*)")
_STRING = lazy(r"""("(?>(?:[^"\\]++|\\.)*)"|\\.)|'[^']*'""")
_DOLLAR = lazy(
    r"\$(?:([A-Za-z_][A-Za-z0-9_]*)|\{(?:([A-Za-z_][A-Za-z0-9_]*)\}|secret:([^}\n]*)\}|[#!]?([A-Za-z_][A-Za-z0-9_]*)[^}\n]*\}?))"
)
_EXIT = lazy(r"exit(?:[ \t]+\S+)?[ \t]*\Z")
_DIRECTIVE = lazy(r"#[ \t]*train:[ \t]*ignore\b")


class Command(msgspec.Struct):
    """A command of a step. `raw` is the command as written, up to offset `end`.

    `text` is what is sent to the session: the command without its final `&` and without a `# train: ignore`
    comment.
    """

    text: Text
    raw: str
    background: bool
    end: int
    tail: str = ""
    ends: bool = False
    failed: bool = False


class CommandReader:
    """Reads the commands of one recipe.

    Most commands are simple. They are read in a fast way, without the scanner.
    """

    def __init__(self, source: Source, scope: Scope, reader: Reader) -> None:
        self.source = source
        self.scope = scope
        self.reader = reader
        self.here = HereIndex(source)

    def read(self, line: str, start: int, base: int) -> Command:
        """Read the command at offset `start`.

        `line` is the physical line that contains the command; it begins at offset `base`.
        """
        raw = line[start - base :].rstrip()
        simple = SIMPLE.match(raw)
        if simple is None or "# train:" in line or "secret:" in raw:
            return self._full(start)
        if raw.endswith(("&&", "|", "|&", ";&")):
            return self._full(start)
        background = bool(simple[1])
        body = raw[:-1].rstrip() if background else raw
        text: Text = body
        if "$" in body:
            found = self._quoted(body, start) if "'" in body else easy(self.scope, body) or self._plain(body, start)
            if found is None:
                return self._full(start)
            text = found
        if background:
            self._background(body, start)
        ends = body.startswith("exit") and not background and bool(_EXIT.match(body))
        return Command(text, raw, background, base + len(line), "", ends)

    def _quoted(self, body: str, at: int) -> Text | None:
        """The text of a simple command with single quotes.

        None if the quotes contain a `$` and the command uses a variable.
        """
        bare = _STRING.sub(r"\1'", body)
        if bare.count("$") == body.count("$"):
            return self._plain(body, at)
        if self.scope.answers or not self.scope.known.isdisjoint(_MENTIONED.findall(body)):
            return None
        for first, second in _SIMPLE_DOLLAR.findall(bare):
            self.scope.shell.setdefault(first or second, at + body.index("$"))
        return body

    def _plain(self, body: str, at: int) -> Text | None:
        """The text of a simple command that has no `$` in single quotes. None if the command uses a secret."""
        scope = self.scope
        parts: list[str | Ref] = []
        done = 0
        for found in _SIMPLE_DOLLAR.finditer(body):
            name = found[1] or found[2]
            start = found.start()
            if name in scope.known:
                if name in scope.secrets:
                    return None
                scope.use(name, at + start)
                ref = Ref(var=name)
            elif scope.answers:
                ref = Ref(var=name, otherwise=found[0])
            else:
                scope.shell.setdefault(name, at + start)
                continue
            if start > done:
                parts.append(body[done:start])
            parts.append(ref)
            done = found.end()
        if not done:
            return body
        if done < len(body):
            parts.append(body[done:])
        return parts

    def _full(self, start: int) -> Command:
        """Read any command with the scanner. This is slower than the fast way."""
        scan = Scan(self.source, self.here, start).run()
        problem: Problem | None = scan.problem
        if problem is not None:
            self.scope.findings.add(*problem.finding)
        text = self.source.text
        end, tail = scan.end, ""
        raw = _trimmed(text[start:end])
        if scan.comments and not problem:
            first, last = scan.comments[-1]
            if _DIRECTIVE.match(text, first, last):
                tail = text[first:last].strip()
        background = scan.amp >= 0 and not problem
        parts = self._parts(scan, start, start + len(raw), bool(problem))
        body = self._without(parts, scan, tail, start)
        if background:
            self._background(text[start : scan.amp].strip(), start)
        ends = not background and bool(_EXIT.match(raw))
        return Command(body, raw, background, end, tail, ends, bool(problem))

    def _without(self, parts: list[tuple[int, str | Ref]], scan: Scan, tail: str, start: int) -> Text:
        """Join the parts of a command into a `Text`. A final `&` and the trailing directive `tail` are left out."""
        cuts: list[tuple[int, int]] = []
        text = self.source.text
        if scan.amp >= 0 and not scan.problem:
            first = scan.amp
            while first > start and text[first - 1] in " \t":
                first -= 1
            cuts.append((first, scan.amp + 1))
        if tail:
            first, last = scan.comments[-1]
            while first > start and text[first - 1] in " \t":
                first -= 1
            cuts.append((first, last))
        kept: list[str | Ref] = []
        for at, part in parts:
            if not isinstance(part, str):
                kept.append(part)
                continue
            for first, last in reversed(cuts):
                low, high = max(first - at, 0), min(last - at, len(part))
                if low < high:
                    part = part[:low] + part[high:]  # noqa: PLW2901 - there are few cuts, the last one first
            kept.append(part)
        whole = joined(kept)
        if isinstance(whole, str):
            return _trimmed(whole)
        if isinstance(whole[-1], str):
            whole[-1] = _trimmed(whole[-1])
        return joined(whole)

    def _parts(self, scan: Scan, start: int, end: int, broken: bool) -> list[tuple[int, str | Ref]]:
        """Split the command from `start` to `end` into text and Refs to variables, each with its offset."""
        text = self.source.text
        parts: list[tuple[int, str | Ref]] = []
        done = start
        area = LexicalRegions(scan)
        for found in _DOLLAR.finditer(text, start, end):
            at = found.start()
            if at < done or broken:
                continue
            quoted = area.literal(at)
            if area.comment(at):
                continue
            cut, part = self._one(found, at, quoted, area, start)
            if part is None:
                continue
            parts.append((done, text[done : at - cut]))
            parts.append((at, part))
            done = found.end()
        parts.append((done, text[done:end]))
        return parts

    def _one(
        self, found: re.Match[str], at: int, quoted: bool, area: LexicalRegions, start: int
    ) -> tuple[int, str | Ref | None]:
        """Return what to do with a match: how many characters before `at` to remove, and what replaces the match.

        If the second is None, the match is left unchanged.
        """
        scope = self.scope
        name = found[1] or found[2]
        operated = found[4]
        mine = name in scope.known if name else operated in scope.known or found[3] is not None
        if _escaped(self.source.text, at, start):
            if not mine or quoted == area.tick(at):
                return 0, None  # nothing is replaced; the shell itself removes the backslash
            return (1, found[0]) if quoted else (0, "\\\\" + found[0])
        if found[3] is not None:
            return 0, self._secret(found[3], at, found.end(), quoted, area)
        if not mine:
            if name and not quoted and scope.answers:
                return 0, Ref(var=name, otherwise=found[0])
            if name and not quoted:
                scope.shell.setdefault(name, at)
            return 0, None
        if operated:
            scope.used.add(operated)
            shell = operated.lower()
            scope.findings.add(
                "E502", at, found.end(),
                f"{found[0]} works only on a variable of the shell, and this is a variable of the recipe",
                f'write first: {shell}="${operated}"; echo "{found[0].replace(operated, shell)}"',
            )  # fmt: skip
            return 0, None
        scope.use(name, at)
        if name in scope.secrets:
            self._warn_of_secret(f"${name}, which holds a secret,", at, found.end(), quoted, area)
        elif area.single(at):
            scope.findings.add(
                "W302", at, found.end(),
                f"{found[0]} is replaced here too: single quotes stop the shell, not train",
                f"for the literal text, write \\{found[0]}",
            )  # fmt: skip
        return 0, Ref(var=name)

    def _secret(self, name: str, at: int, end: int, quoted: bool, area: LexicalRegions) -> str | Ref:
        ref = self.reader.secret(name, at, end, "")
        if ref:
            self._warn_of_secret("a secret", at, end, quoted, area)
        return ref

    def _warn_of_secret(self, what: str, at: int, end: int, quoted: bool, area: LexicalRegions) -> None:
        from trainsh_dsl.grammar import command_warnings  # noqa: PLC0415 - few commands have a secret

        command_warnings.secret(self.scope.findings, what, at, end, quoted, area)

    def _background(self, body: str, start: int) -> None:
        from trainsh_dsl.grammar import command_warnings  # noqa: PLC0415 - few commands have a final &

        command_warnings.background(self.scope.findings, self.source, self.here, body, start)


def _escaped(text: str, at: int, start: int) -> bool:
    """Whether an odd number of backslashes comes directly before `at`."""
    first = at
    while first > start and text[first - 1] == "\\":
        first -= 1
    return (at - first) % 2 == 1


def _trimmed(text: str) -> str:
    """The text without trailing blanks. A blank that is escaped by a backslash is kept."""
    bare = text.rstrip(" \t\r")
    if len(bare) < len(text) and _escaped(bare, len(bare), 0):
        return bare + text[len(bare)]
    return bare
