"""What stands after `>`: the command, its variables, its `&`, and what can be said of it before it runs."""

import re
from bisect import bisect_right

import msgspec

from trainsh_dsl.model import Ref, Text
from trainsh_dsl.scope import Scope
from trainsh_dsl.shell import SIMPLE, HereIndex, Problem, Scan
from trainsh_dsl.source import Source
from trainsh_dsl.text import Reader, joined

_SIMPLE_DOLLAR = re.compile(r"\$(?:([A-Za-z_][A-Za-z0-9_]*)|\{([A-Za-z_][A-Za-z0-9_]*)\})")
_DOLLAR = re.compile(
    r"\$(?:([A-Za-z_][A-Za-z0-9_]*)|\{(?:([A-Za-z_][A-Za-z0-9_]*)\}|secret:([^}\n]*)\}|[#!]?([A-Za-z_][A-Za-z0-9_]*)[^}\n]*\}?))"
)
_EXIT = re.compile(r"exit(?:[ \t]+\S+)?[ \t]*\Z")
_STATE_ONLY = re.compile(r"(?:cd|export|unset|alias|source|\.|set|shopt|umask|conda[ \t]+activate)(?:[ \t][^;&|\n]*)?\Z")
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\+?=")
_DIRECTIVE = re.compile(r"#[ \t]*train:[ \t]*ignore\b")
_OPENERS = frozenset(("if", "for", "while", "until", "case", "select", "{"))
_CLOSERS = frozenset(("fi", "done", "esac", "}"))
_PREFIXES = frozenset(("!", "do", "elif", "else", "if", "then", "time", "until", "while", "{"))
_BUILTINS = frozenset(
    (
        ":", ".", "[", "[[", "alias", "builtin", "case", "cd", "declare", "echo", "eval", "exit", "export", "false",
        "for", "hash", "in", "let", "local", "printf", "pwd", "read", "readonly", "return", "set", "shift", "source",
        "test", "true", "typeset", "unset",
    )
)  # fmt: skip


class Command(msgspec.Struct):
    """A command as read: `raw` as written up to `end`, `text` what is sent, without `&` and `# train: ignore`."""

    text: Text
    raw: str
    background: bool
    end: int
    tail: str = ""
    ends: bool = False
    failed: bool = False


class CommandReader:
    """Reads the commands of one recipe."""

    def __init__(self, source: Source, scope: Scope, reader: Reader) -> None:
        self.source = source
        self.scope = scope
        self.reader = reader
        self.here = HereIndex(source)

    def read(self, line: str, start: int, base: int) -> Command:
        """The command that begins at offset `start`, in the physical line `line`, which begins at `base`."""
        raw = line[start - base :].rstrip()
        simple = SIMPLE.match(raw)
        if simple is None or "\\" in line or "# train:" in line:
            return self._full(start)
        if raw.endswith(("&&", "|")):
            return self._full(start)
        background = bool(simple[1])
        body = raw[:-1].rstrip() if background else raw
        text: Text = body
        if "$" in body:
            found = self._plain(body, start)
            if found is None:
                return self._full(start)
            text = found
        if background:
            self._check_background(body, start, base + len(line))
        ends = body.startswith("exit") and bool(_EXIT.match(body))
        return Command(text, raw, background, base + len(line), "", ends)

    def _plain(self, body: str, at: int) -> Text | None:
        """Variables of a command where nothing is single-quoted; None when it holds a secret."""
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
        """The same for any command, by the scanner."""
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
            self._check_background(text[start : scan.amp].strip(), start, scan.amp)
        plain = body if isinstance(body, str) else ""
        return Command(body, raw, background, end, tail, bool(_EXIT.match(plain)), bool(problem))

    def _without(self, parts: list[tuple[int, str | Ref]], scan: Scan, tail: str, start: int) -> Text:
        """Parts (with their offsets) as a Text, the `&` and the trailing directive cut out."""
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
                    part = part[:low] + part[high:]  # noqa: PLW2901 - the cuts are few, from the back
            kept.append(part)
        whole = joined(kept)
        if isinstance(whole, str):
            return _trimmed(whole)
        if isinstance(whole[-1], str):
            whole[-1] = _trimmed(whole[-1])
        return joined(whole)

    def _parts(self, scan: Scan, start: int, end: int, broken: bool) -> list[tuple[int, str | Ref]]:
        """The command from `start` to `end` with what is a recipe's variable taken out, each with its offset."""
        text = self.source.text
        parts: list[tuple[int, str | Ref]] = []
        done = start
        area = _Areas(scan)
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
        self, found: re.Match[str], at: int, quoted: bool, area: "_Areas", start: int
    ) -> tuple[int, str | Ref | None]:
        """How many characters before `at` go, and what takes the place of what was found (None: it stays)."""
        scope = self.scope
        name = found[1] or found[2]
        operated = found[4]
        mine = name in scope.known if name else operated in scope.known or found[3] is not None
        if _escaped(self.source.text, at, start):
            if not mine or quoted == area.tick(at):
                return 0, None  # the shell takes the backslash off itself
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
            scope.findings.add(
                "E502", at, found.end(), f"{found[0]} works on a variable of the recipe, which the shell does not have",
                f'give it to the shell first: {operated.lower()}="${operated}"; echo "{found[0].replace(operated, operated.lower())}"',
            )  # fmt: skip
            return 0, None
        scope.use(name, at)
        if name in scope.secrets:
            self._place_secret(f"${name}, which holds a secret,", at, found.end(), quoted, area)
        elif area.single(at):
            scope.findings.add(
                "W302", at, found.end(), f"{found[0]} is replaced here too: single quotes stop the shell, not train",
                f"write \\{found[0]} where the text itself is meant",
            )  # fmt: skip
        return 0, Ref(var=name)

    def _secret(self, name: str, at: int, end: int, quoted: bool, area: "_Areas") -> str | Ref:
        ref = self.reader.secret(name, at, end, "")
        if ref:
            self._place_secret("a secret", at, end, quoted, area)
        return ref

    def _place_secret(self, what: str, at: int, end: int, quoted: bool, area: "_Areas") -> None:
        """Say so where the shell would not put the secret in, or where others could read it."""
        add = self.scope.findings.add
        if quoted:
            add(
                "E503", at, end, f"{what} stands where the shell puts nothing in: it would stay as the text $NAME",
                'use double quotes, or a here-document whose word is not quoted',
            )  # fmt: skip
            return
        program = area.program(at)
        if program in ("echo", "printf"):
            if area.shown(at):
                add("W402", at, end, f"{program} shows {what.rstrip(',')} on the screen", "send it into a file or a program")
        elif program and program not in _BUILTINS:
            add(
                "W401", at, end, f"{what} is an argument of {program} here: other users of the host see it in ps",
                f"hand it over in the environment: NAME=${{secret:NAME}} {program} ..., or on standard input",
            )  # fmt: skip

    def _check_background(self, body: str, start: int, end: int) -> None:
        """What a trailing `&` may do that was not meant."""
        if not body:
            return
        add = self.scope.findings.add
        if ";" in body:
            split = _top_semicolon(Scan(self.source, self.here, start).run(), self.source.text)
            if split:
                shown = body if len(body) <= 60 and "\n" not in body else body.splitlines()[0][:57] + "..."
                add(
                    "W102", start, start + len(body), f"the & puts the whole of `{shown}` into the background",
                    f"write {{ {shown}; }} & if that is meant, else two steps: the parts before ; in one without &",
                )  # fmt: skip
                return
        if _STATE_ONLY.match(body):
            word = body.split()[0]
            add("W103", start, start + len(body), f"{word} in the background changes nothing in the session", "leave out the &")


class _Areas:
    """What kind of place an offset in a scanned command is."""

    def __init__(self, scan: Scan) -> None:
        self.scan = scan
        self.looks = 50  # programs are looked up this often, so that a command full of secrets stays linear

    def literal(self, at: int) -> bool:
        """The shell expands nothing here."""
        return _inside(self.scan.literal, at)

    def single(self, at: int) -> bool:
        """In single quotes."""
        return _inside(self.scan.single, at)

    def tick(self, at: int) -> bool:
        """In backticks, which take one backslash off first."""
        return _inside(self.scan.ticks, at)

    def comment(self, at: int) -> bool:
        """In a comment of the shell."""
        return _inside(self.scan.comments, at)

    def program(self, at: int) -> str:
        """The program whose argument stands at `at`; "" for an assignment, a redirection or the program itself."""
        scan, text = self.scan, self.scan.text
        self.looks -= 1
        if self.looks < 0:
            return ""
        inner = max((token[0] for token in scan.tokens if token[2] <= at < token[3]), default=-1)
        program, word_start, last_end, assigning = "", -1, -1, True
        redirected = False
        for depth, kind, start, end in scan.tokens:
            if depth != inner or start > at:
                continue
            if kind == "o":
                redirected = text[start] in "<>" or text.startswith("&>", start) or text.startswith(">&", start)
                if not redirected:
                    program, assigning = "", True
                last_end = -1
                continue
            if start != last_end:
                word_start = start
            last_end = end
            if start <= at < end:
                here_assigned = assigning and bool(_ASSIGNMENT.match(text, word_start))
                return "" if redirected or here_assigned or (assigning and word_start == start) else program
            if start != word_start:
                continue
            word = text[start:end]
            if redirected:
                redirected = False
            elif assigning and not _ASSIGNMENT.match(word) and word not in _PREFIXES:
                program, assigning = word.rsplit("/", 1)[-1], False
        return ""

    def shown(self, at: int) -> bool:
        """Whether what a command with its argument at `at` prints goes to the screen: into no pipe, no file."""
        for _depth, kind, start, end in self.scan.tokens:
            if kind == "o" and start > at:
                operator = self.scan.text[start:end]
                return not (operator.startswith((">", "&>")) or operator in ("|", "|&"))
        return not self.tick(at)


def _inside(areas: list[tuple[int, int]], at: int) -> bool:
    if not areas:
        return False
    place = bisect_right(areas, (at, 1 << 62)) - 1
    return place >= 0 and areas[place][0] <= at < areas[place][1]


def _escaped(text: str, at: int, start: int) -> bool:
    """Whether an odd number of backslashes stands right before `at`."""
    first = at
    while first > start and text[first - 1] == "\\":
        first -= 1
    return (at - first) % 2 == 1


def _trimmed(text: str) -> str:
    """Without the blanks at its end, but for one that a backslash keeps."""
    bare = text.rstrip(" \t\r")
    if len(bare) < len(text) and _escaped(bare, len(bare), 0):
        return bare + text[len(bare)]
    return bare


def _top_semicolon(scan: Scan, text: str) -> bool:
    """Whether a `;` stands at the top level of the command: in no group, loop or subshell."""
    level, first = 0, True
    for depth, kind, start, end in scan.tokens:
        if depth:
            continue
        word = text[start:end]
        if kind == "o":
            if word == ";" and level == 0 and text[end:scan.end].strip(" \t&"):
                return True
            first = True
        elif first:
            if word in _OPENERS:
                level += 1
            elif word in _CLOSERS:
                level = max(0, level - 1)
            first = word in _PREFIXES
        else:
            first = False
    return False
