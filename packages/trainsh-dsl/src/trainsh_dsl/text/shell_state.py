"""Whether a command changes the state of the shell that runs it: its directory, variables, options, functions."""

from typing import Literal

import msgspec

from trainsh_dsl.text.heredocs import HereIndex
from trainsh_dsl.text.patterns import lazy
from trainsh_dsl.text.shell import Scan
from trainsh_dsl.text.source import Source

State = Literal["", "only", "also"]

# What sets state, of the shell itself and of the usual environment managers (those are functions of the shell).
_SETTERS = frozenset(
    (
        "cd", "pushd", "popd", "export", "source", ".", "set", "shopt", "alias", "unalias", "unset", "declare",
        "typeset", "readonly", "read", "mapfile", "readarray", "let", "umask", "ulimit", "trap", "enable", "hash",
        "deactivate", "module", "ml", "workon",
    )
)  # fmt: skip
_MANAGERS = {
    "conda": ("activate", "deactivate"), "mamba": ("activate", "deactivate"),
    "micromamba": ("activate", "deactivate"), "nvm": ("use",), "pyenv": ("shell", "activate"), "spack": ("load",),
}  # fmt: skip
_BOTH = frozenset(("eval", "exec"))  # what they run is not known
_NEUTRAL = frozenset((":", "true", "false", "[", "[[", "test", "echo", "printf", "pwd", "exit", "return", "sleep"))
_WORDS_BEFORE = frozenset(
    ("!", "{", "if", "then", "elif", "else", "while", "until", "do", "time", "builtin", "command")
)
_WORDS_AFTER = frozenset(("}", "fi", "done"))
_READERS = frozenset(
    (
        "awk", "basename", "cat", "command", "cut", "date", "dirname", "echo", "grep", "head", "hostname", "id",
        "ls", "nproc", "printf", "pwd", "readlink", "realpath", "sed", "seq", "sort", "tail", "tr", "uname",
        "uniq", "wc", "which", "whoami",
    )
)  # fmt: skip
_ASSIGNMENT = lazy(r"[A-Za-z_][A-Za-z0-9_]*(?:\[[^\]]*\])?\+?=")
_FUNCTION = lazy(r"[A-Za-z_][\w-]*\(\)\Z")
_NAME = lazy(r"[A-Za-z_][\w-]*\Z")
_POSSIBLE = lazy(
    r"(?:^|[\s;&|({])(?:" + "|".join(sorted(_SETTERS - {"."})) + r"|\.|" + "|".join([*_MANAGERS, *sorted(_BOTH)])
    + r"|function)\s|=|\(\)|\(\(|^deactivate\b"
)  # fmt: skip


def state_of(command: str) -> State:
    """ "only" for a command that sets state and does nothing else, "also" for one that does both, else ""."""
    if not _POSSIBLE.search(command):
        return ""
    source = Source(command)
    scan = Scan(source, HereIndex(source), 0).run()
    if scan.problem is not None or scan.amp >= 0:
        return ""
    tokens, defined = _executed(_joined(scan))
    kinds = {"state"} if defined else set()
    for words, piped in _simple_commands(tokens):
        kinds.update(_kinds(words, piped))
    if "state" not in kinds:
        return ""
    return "also" if "work" in kinds or not _reads_only(tokens) else "only"


class Token(msgspec.Struct, frozen=True):
    """A word or an operator (`kind` "w" or "o") of a command; `depth` counts the substitutions around it."""

    depth: int
    kind: str
    text: str


def _joined(scan: Scan) -> list[Token]:
    """The tokens, the pieces of a word (`X=` and `$(pwd)`) joined; the elements of an array left out."""
    found: list[Token] = []
    begun: dict[int, tuple[int, int]] = {}  # depth -> offset of the end of its last word, and its place in `found`
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


def _executed(tokens: list[Token]) -> tuple[list[Token], bool]:
    """The tokens without the definitions of functions, and whether there were any."""
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
    """How many tokens the head of a function takes that begins at `place`: `f()`, `f ()`, `function f`; 0: none."""
    texts = [token.text for token in tokens[place : place + 3]]
    if texts[0] == "function":
        return 3 if texts[2:] == ["()"] else 2
    if _FUNCTION.match(texts[0]):
        return 1
    return 2 if texts[1:2] == ["()"] and _NAME.match(texts[0]) else 0


def _simple_commands(tokens: list[Token]) -> list[tuple[list[str], bool]]:
    """The words of each simple command at the top level, and whether it is part of a pipeline.

    Redirections are left out; one to a file counts as a command of its own, which is work.
    """
    found: list[tuple[list[str], bool]] = []
    words: list[str] = []
    piped = redirected = False
    for token in tokens:
        if token.depth:
            continue
        if token.kind == "w" and redirected:
            redirected = False
            if token.text != "/dev/null" and not token.text.lstrip("-").isdigit():
                found.append((["to-a-file"], False))
        elif token.kind == "w":
            words.append(token.text)
        elif token.text.startswith(("<", ">", "&>")):
            redirected = not token.text.startswith("<")
            if words and words[-1].isdigit():
                words.pop()  # the file descriptor before the operator
        else:
            pipe = token.text in ("|", "|&")
            found.append((words, piped or pipe))
            words, piped = [], pipe
    return [part for part in [*found, (words, piped)] if part[0]]


def _kinds(words: list[str], piped: bool) -> list[str]:
    """What one simple command does: "state", "work", both or neither."""
    while words and words[0] in _WORDS_BEFORE:
        words = words[1:]
    if not words or words[0] in _WORDS_AFTER:
        return []
    if piped:
        return ["work"]  # each part of a pipeline is a process of its own
    head = words[0]
    if all(_ASSIGNMENT.match(word) for word in words) or head in _SETTERS or head.startswith("(("):
        return ["state"]
    if head in _BOTH:
        return ["state", "work"]
    if head in _MANAGERS:
        return ["state"] if words[1:2] and words[1] in _MANAGERS[head] else ["work"]
    return [] if head in _NEUTRAL else ["work"]


def _reads_only(tokens: list[Token]) -> bool:
    """Whether the substitutions in the command only read: `$(pwd)`, `$(cat FILE)`, `$(dirname "$X")`."""
    begins: dict[int, bool] = {}  # depth -> whether the next word there is a program
    for token in tokens:
        for deeper in [depth for depth in begins if depth > token.depth]:
            del begins[deeper]
        if not token.depth:
            continue
        if token.kind == "o":
            begins[token.depth] = True
            if token.text.startswith((">", "&>")):
                return False
        elif begins.get(token.depth, True):
            begins[token.depth] = False
            if token.text.rsplit("/", 1)[-1] not in _READERS:
                return False
    return True
