"""Finds out whether a command changes the state of its shell: the directory, variables, options, functions."""

from typing import Literal

from trainsh_dsl.text.patterns import lazy
from trainsh_dsl.text.simple_commands import Simple, Token, executed, joined, scanned, simple_commands

State = Literal["", "only", "also"]

# Commands that set state: builtins, and well-known environment managers, which are functions of the shell.
_SETTERS = frozenset(
    (
        "cd", "pushd", "popd", "export", "source", ".", "set", "shopt", "alias", "unalias", "unset", "declare",
        "typeset", "readonly", "read", "mapfile", "readarray", "let", "shift", "getopts", "umask", "ulimit", "trap",
        "enable", "hash", "deactivate", "module", "ml", "workon",
    )
)  # fmt: skip
_MANAGERS = {
    "conda": ("activate", "deactivate"), "mamba": ("activate", "deactivate"),
    "micromamba": ("activate", "deactivate"), "nvm": ("use",), "pyenv": ("shell", "activate"), "spack": ("load",),
}  # fmt: skip
_BOTH = frozenset(("eval", "exec"))  # commands that may run any other command, so they count as both
_NEUTRAL = frozenset((":", "true", "false", "[", "[[", "test", "echo", "printf", "pwd", "exit", "return", "sleep"))
_WORDS_AFTER = frozenset(("}", "fi", "done"))
_READERS = frozenset(
    (
        "awk", "basename", "cat", "command", "cut", "date", "dirname", "echo", "grep", "head", "hostname", "id",
        "ls", "nproc", "printf", "pwd", "readlink", "realpath", "sed", "seq", "sort", "tail", "tr", "uname",
        "uniq", "wc", "which", "whoami",
    )
)  # fmt: skip
_ASSIGNMENT = lazy(r"[A-Za-z_][A-Za-z0-9_]*(?:\[[^\]]*\])?\+?=")
_POSSIBLE = lazy(
    r"(?:^|[\s;&|({])(?:" + "|".join(sorted(_SETTERS - {"."})) + r"|\.|" + "|".join([*_MANAGERS, *sorted(_BOTH)])
    + r"|function)\s|=|\bprintf -v |\(\)|\(\(|^deactivate\b"
)  # fmt: skip


def state_of(command: str) -> State:
    """How a command changes the state of its shell.

    The result is "only" for a command that only sets state, "also" for a command that sets state and does other
    work, and "" for any other command.
    """
    if not _POSSIBLE.search(command):
        return ""
    scan = scanned(command)
    if scan.problem is not None or scan.amp >= 0:
        return ""
    tokens, defined = executed(joined(scan))
    kinds = {"state"} if defined else set()
    for simple in simple_commands(tokens):
        kinds.update(_kinds(simple))
    if "state" not in kinds:
        return ""
    return "also" if "work" in kinds or not _reads_only(tokens) else "only"


def _kinds(simple: Simple) -> list[str]:
    """What one simple command does, as a list that may contain "state" (it sets state) and "work" (it does other
    work).
    """
    words = simple.argv()
    if not words or words[0] in _WORDS_AFTER:
        return []
    if simple.reads_pipe or simple.writes_pipe:
        return ["work"]  # each part of a pipeline runs in a process of its own
    to_files = [target for target in simple.targets if target != "/dev/null" and not target.lstrip("-").isdigit()]
    return [*_kinds_of(words), *(["work"] if to_files else [])]


def _kinds_of(words: list[str]) -> list[str]:
    head = words[0]
    if all(_ASSIGNMENT.match(word) for word in words) or head in _SETTERS or head.startswith("(("):
        return ["state"]
    if head in _BOTH:
        return ["state", "work"]
    if head == "printf" and words[1:2] == ["-v"]:
        return ["state"]
    if head in _MANAGERS:
        return ["state"] if words[1:2] and words[1] in _MANAGERS[head] else ["work"]
    return [] if head in _NEUTRAL else ["work"]


def _reads_only(tokens: list[Token]) -> bool:
    """Whether all substitutions in the command only read something, such as `$(pwd)`, `$(cat FILE)`, `$(dirname
    "$X")`.
    """
    begins: dict[int, bool] = {}  # depth -> whether the next word at this depth is a program
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
