"""Errors for lines that are not statements, with hints on what the author probably meant.

Also errors for bad characters.
"""

from trainsh_dsl.diagnostics.findings import Findings
from trainsh_dsl.diagnostics.shorten import shorten
from trainsh_dsl.grammar.scope import Near
from trainsh_dsl.grammar.statements import quoted
from trainsh_dsl.grammar.words import NAME_OR_HYPHEN, Context, Stop, is_option
from trainsh_dsl.text.control_characters import hidden
from trainsh_dsl.text.patterns import lazy
from trainsh_dsl.text.word import Word
from trainsh_dsl.vocabulary import options

KEYWORDS = ("var", "host", "storage", "wait", "notify", "sleep", "parallel", "end", "finally")
_APART = lazy(r"(\S+)[ \t]+=[ \t]*([^ \t>]*)")
_ASSIGNMENT = lazy(r"(?:export[ \t]+)?([A-Za-z_]\w*)[ \t]*=[ \t]*(.*)")
_ON_MACHINE = lazy(r"@([A-Za-z][\w-]*:[\w-]+)[ \t]+>[ \t]*(\S[^\n]*)")
_PLAIN_WORDS = lazy(r"[\w ./:=@%+,-]+\Z")
_CALLED = lazy(rf"({NAME_OR_HYPHEN})[ \t]*>")


def guess(first: str, line: str, sessions: set[str]) -> str:
    """A hint for a line that is not a statement.

    `first` is the first word of the line. `sessions` holds the sessions that were opened above the line.
    """
    source, arrow, _ = line.partition(" -> ")
    if arrow and not set(source) & set("'\">="):
        return f"a path with blanks needs quotes: {quoted(source.strip())}"
    assignment = _ASSIGNMENT.match(line)
    if assignment:
        return f"write var {assignment[1]} = {assignment[2]}"
    called = _CALLED.match(line)
    if called and (called[1] in sessions or not sessions):
        return f"a session is written with @: @{line[:80]}"
    if first == "&":
        return "the & of a background step goes at the end of its command"
    if first.startswith(">"):
        return "name the session: @NAME > COMMAND"
    near = Near().add((*KEYWORDS, "tmux.open", "tmux.close")).find(first)
    if near:
        return f"did you mean {near}?"
    return f"a command is written @SESSION > {line[:60]}"


def command_on_machine(context: Context, at: int, stop: int) -> None:
    """Raise `Stop` if the line is `@PROVIDER:ID > COMMAND`. Only a name may stand before the > of a command."""
    found = _ON_MACHINE.match(context.text, at, stop)
    if found is None:
        return
    machine, command = found.groups()
    line = command if _PLAIN_WORDS.match(command) else "'" + command.replace("'", "'\\''") + "'"
    raise context.wrong(
        "E602", at, found.end(1), f"{machine} is a machine, and a command is given to a name",
        f"write host h = {machine} first, and @h > {command[:60]}; or by hand: train host run {machine} -- {line}",
    )  # fmt: skip


def no_command(context: Context, session: str, at: int, pos: int, words: list[Word]) -> Stop:
    """The error for a line that begins like `@session options` but is neither a step nor a transfer.

    `pos` is the offset of the text that shows this.
    """
    text = context.text
    line_end = text.find("\n", pos)
    line_end = len(text) if line_end < 0 else line_end
    rest = text[pos:line_end].strip()
    end = at + len(text[at:line_end].rstrip())
    head = f"@{session}" + "".join(f" {word.raw}" for word in words)
    if rest.startswith("->"):
        return context.wrong("E601", at, pos, f"@{session} has no path", f"write @{session}:/path/to/it {rest}")
    if not rest:
        return context.wrong("E102", at, end, f"@{session} has no command", f"write {head} > COMMAND")
    first = rest.split()[0]
    apart = _APART.match(rest)
    if apart and first in options.ALL:
        return context.wrong(
            "E309", pos, pos + len(first), f"{first} has blanks around its =", f"write {apart[1]}={apart[2]}"
        )
    before = rest.split(">")[0].split()
    if ">" in rest and before and is_option(Word(0, 0, before[-1])):
        message = f"{shorten(first)} is not allowed before >"
        return context.wrong("E111", pos, pos + len(first), message, "options are written name=value")
    return context.wrong("E102", at, end, "there is no > before the command", f"write {head} > {rest[:80]}")


def bad_characters(text: str, findings: Findings) -> None:
    """Report E108 for the first NUL or non-UTF-8 byte, and E121 for each control character before it."""
    for at, shown in hidden(text):
        code = ord(text[at])
        if code and not 0xD800 <= code <= 0xDFFF:
            findings.add(
                "E121", at, at + 1, f"the control character {shown} stands here",
                f"remove it; if a command needs it, write $'{shown}' and the shell inserts it",
            )  # fmt: skip
            continue
        what = "a NUL byte" if not code else "half a character"
        if 0xDC80 <= code <= 0xDCFF:
            what = f"byte {code - 0xDC00:#04x}, which is not UTF-8"
        findings.add("E108", at, at + 1, f"the text holds {what}", "save the recipe as UTF-8 text")
        return
