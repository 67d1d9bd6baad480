"""Splits a command into simple commands, with their words, the files that they write to, and their pipes."""

import msgspec

from trainsh_dsl.text.heredocs import HereIndex
from trainsh_dsl.text.patterns import lazy
from trainsh_dsl.text.shell import Scan
from trainsh_dsl.text.source import Source

_FUNCTION = lazy(r"[A-Za-z_][\w-]*\(\)\Z")
_NAME = lazy(r"[A-Za-z_][\w-]*\Z")
WORDS_BEFORE = frozenset(
    ("!", "{", "if", "then", "elif", "else", "while", "until", "do", "time", "builtin", "command")
)


class Simple(msgspec.Struct, frozen=True):
    """A simple command: its words, the files that it writes to, and whether it reads from a pipe or writes to a
    pipe.
    """

    words: list[str]
    targets: list[str]
    reads_pipe: bool
    writes_pipe: bool

    def argv(self) -> list[str]:
        """The words, without shell keywords before the program (`if`, `!`, `{`)."""
        place = 0
        while place < len(self.words) and self.words[place] in WORDS_BEFORE:
            place += 1
        return self.words[place:]


def scanned(command: str) -> Scan:
    """Scan a text that is one command."""
    source = Source(command)
    return Scan(source, HereIndex(source), 0).run()


class Token(msgspec.Struct, frozen=True):
    """A word ("w") or an operator ("o") of a command. `depth` is the number of substitutions around it."""

    depth: int
    kind: str
    text: str


def joined(scan: Scan) -> list[Token]:
    """The tokens of a scan. The parts of one word, such as `X=` and `$(pwd)`, are merged.

    Array elements are left out.
    """
    found: list[Token] = []
    # depth -> (the end offset of the last word at this depth, the word's index in `found`)
    begun: dict[int, tuple[int, int]] = {}
    for depth, kind, start, end in scan.tokens:
        text = scan.text[start:end]
        last, place = begun.get(depth, (-1, -1))
        if kind == "w" and last == start:
            before = found[place]
            if before.text.endswith("=") and text.startswith("("):
                found[place + 1 :] = [token for token in found[place + 1 :] if token.depth > depth + 1]
            found[place] = Token(depth, kind, before.text + text)
        else:
            place = len(found)
            found.append(Token(depth, kind, text))
        begun[depth] = (end if kind == "w" else -1, place)
    return found


def executed(tokens: list[Token]) -> tuple[list[Token], bool]:
    """The tokens without function definitions, and whether there were function definitions."""
    kept: list[Token] = []
    level, defined, place = 0, False, 0
    while place < len(tokens):
        token = tokens[place]
        if level:
            level += {"{": 1, "}": -1}.get(token.text, 0) if token.kind == "w" else 0
        elif length := _function_head(tokens, place):
            defined = True
            place += length
            level = int(place < len(tokens) and tokens[place].text == "{")
        else:
            kept.append(token)
        place += 1
    return kept, defined


def _function_head(tokens: list[Token], place: int) -> int:
    """The number of tokens of the function head at index `place`, or 0 if there is no function head.

    A function head is `f()`, `f ()` or `function f`.
    """
    texts = [token.text for token in tokens[place : place + 3]]
    if texts[0] == "function":
        return 3 if texts[2:] == ["()"] else 2
    if _FUNCTION.match(texts[0]):
        return 1
    return 2 if texts[1:2] == ["()"] and _NAME.match(texts[0]) else 0


def simple_commands(tokens: list[Token]) -> list[Simple]:
    """The simple commands at the top level."""
    found: list[Simple] = []
    words: list[str] = []
    targets: list[str] = []
    reads = redirected = False
    for token in tokens:
        if token.depth:
            continue
        if token.kind == "w" and redirected:
            redirected = False
            targets.append(token.text)
        elif token.kind == "w":
            words.append(token.text)
        elif token.text.startswith(("<", ">", "&>")):
            redirected = not token.text.startswith("<")
            if words and words[-1].isdigit():
                words.pop()  # this word is the file descriptor before a redirection
        else:
            pipe = token.text in ("|", "|&")
            found.append(Simple(words, targets, reads, pipe))
            words, targets, reads = [], [], pipe
    return [part for part in [*found, Simple(words, targets, reads, False)] if part.words]
