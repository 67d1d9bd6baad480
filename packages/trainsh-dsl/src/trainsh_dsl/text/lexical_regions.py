"""Tells for an offset in a command whether it is quoted, in a comment, or in an argument of a program."""

from bisect import bisect_right

from trainsh_dsl.text.patterns import lazy
from trainsh_dsl.text.shell import Scan

_ASSIGNMENT = lazy(r"[A-Za-z_][A-Za-z0-9_]*\+?=")
_OPENERS = frozenset(("if", "for", "while", "until", "case", "select", "{"))
_CLOSERS = frozenset(("fi", "done", "esac", "}"))
_PREFIXES = frozenset(("!", "do", "elif", "else", "if", "then", "time", "until", "while", "{"))


class LexicalRegions:
    """Tells for an offset in a scanned command whether it is quoted, in a comment, or in an argument of a
    program.
    """

    def __init__(self, scan: Scan) -> None:
        self.scan = scan
        # how many look-ups of programs are left; this limit keeps the time linear even for a command full of
        # secrets
        self.looks = 50

    def literal(self, at: int) -> bool:
        """Whether the offset is in a part of the command where the shell expands nothing."""
        return _inside(self.scan.literal, at)

    def single(self, at: int) -> bool:
        """Whether the offset is in single quotes."""
        return _inside(self.scan.single, at)

    def tick(self, at: int) -> bool:
        """Whether the offset is in backticks. In backticks the shell first removes one level of backslashes."""
        return _inside(self.scan.ticks, at)

    def comment(self, at: int) -> bool:
        """Whether the offset is in a shell comment."""
        return _inside(self.scan.comments, at)

    def program(self, at: int) -> str:
        """The name of the program that gets the argument at offset `at`.

        The result is "" if an assignment, a redirection or the name of the program stands at `at`.
        """
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
        """Whether output is shown on the screen, and not written into a pipe or a file.

        This is about the output of the command that has an argument at offset `at`.
        """
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


def top_semicolon(scan: Scan, text: str) -> bool:
    """Whether the command has a `;` outside all groups, loops and subshells."""
    level, first = 0, True
    for depth, kind, start, end in scan.tokens:
        if depth:
            continue
        word = text[start:end]
        if kind == "o":
            if word == ";" and level == 0 and text[end : scan.end].strip(" \t&"):
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
