"""Warnings about commands: a secret that others can read, and an `&` that does not do what the author probably
wants.
"""

from trainsh_dsl.diagnostics.findings import Findings
from trainsh_dsl.text.heredocs import HereIndex
from trainsh_dsl.text.lexical_regions import LexicalRegions, top_semicolon
from trainsh_dsl.text.patterns import lazy
from trainsh_dsl.text.shell import Scan
from trainsh_dsl.text.source import Source

_STATE_ONLY = lazy(r"(?:cd|export|unset|alias|source|\.|set|shopt|umask|conda[ \t]+activate)(?:[ \t][^;&|\n]*)?\Z")
_BUILTINS = frozenset(
    (
        ":", ".", "[", "[[", "alias", "builtin", "case", "cd", "declare", "echo", "eval", "exit", "export", "false",
        "for", "hash", "in", "let", "local", "printf", "pwd", "read", "readonly", "return", "set", "shift",
        "source",
        "test", "true", "typeset", "unset",
    )
)  # fmt: skip


def secret(findings: Findings, what: str, at: int, end: int, quoted: bool, area: LexicalRegions) -> None:
    """Report a secret that stands where the shell does not expand it, or where other people could read it."""
    add = findings.add
    if quoted:
        add(
            "E503", at, end, f"the shell expands nothing here: {what} would stay the literal text $NAME",
            'use double quotes, or a here-document whose word is not quoted',
        )  # fmt: skip
        return
    program = area.program(at)
    if program in ("echo", "printf"):
        if area.shown(at):
            add(
                "W402",
                at,
                end,
                f"{program} shows {what.rstrip(',')} on the screen",
                "redirect it to a file, or pipe it into a program",
            )
    elif program and program not in _BUILTINS:
        add(
            "W401", at, end, f"{what} is an argument of {program} here: other users of the host can see "
            f"it with ps",
            f"pass it in the environment: NAME=${{secret:NAME}} {program} ..., or on standard input",
        )  # fmt: skip


def background(findings: Findings, source: Source, here: HereIndex, body: str, start: int) -> None:
    """Warn about a trailing `&` that probably does not do what its author wants."""
    if not body:
        return
    add = findings.add
    if ";" in body:
        split = top_semicolon(Scan(source, here, start).run(), source.text)
        if split:
            shown = body if len(body) <= 60 and "\n" not in body else body.splitlines()[0][:57] + "..."
            add(
                "W102", start, start + len(body), f"the & puts the whole of `{shown}` into the background",
                f"write {{ {shown}; }} & if you mean that; else write two steps, and put only the last "
                f"command into the one with &",
            )  # fmt: skip
            return
    if _STATE_ONLY.match(body):
        word = body.split(maxsplit=1)[0]
        add(
            "W103",
            start,
            start + len(body),
            f"{word} in the background changes nothing in the session",
            "leave out the &",
        )
