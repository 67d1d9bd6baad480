"""Prints answers for people: tables, key/value lines, and plain columns when stdout is not a terminal."""

import os
import sys
from typing import Any, TextIO

import msgspec

from trainsh_base.tool.gate import Gate, styled

Rows = list[dict[str, Any]]
WHOLE = ("id", "job", "name", "setting", "host", "label", "started")  # columns that are never cut


def colour_wanted(stream: TextIO) -> bool:
    """Whether `stream` may get colours: it is a terminal, and none of NO_COLOR, TERM=dumb and --no-color is
    used.
    """
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return stream.isatty()


def paint(text: str, code: str, stream: TextIO) -> str:
    """Return `text` in a style (SGR codes such as `1;31`) if `stream` may get colours, else the unchanged text."""
    return styled(text, code) if isinstance(stream, Gate) and colour_wanted(stream) else text


def number(value: Any) -> float:
    """Return a value of a progress event as a number.

    The event may be malformed: if the value is no number, return 0.
    """
    try:
        return float(value) if isinstance(value, (int, float)) else 0.0
    except OverflowError:
        return 0.0


def exact(text: str) -> None:
    """Print data unchanged, for programs. On a terminal, it is made printable like all other text."""
    if sys.stdout.isatty() or not hasattr(sys.stdout, "buffer"):
        sys.stdout.write(text)
    else:
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode(errors="surrogateescape"))


def show(value: Any) -> None:
    """Print an answer: a list as a table, a document as `key: value` lines, text unchanged, None as nothing."""
    plain = msgspec.to_builtins(value, enc_hook=str)
    if plain is None:
        return
    if plain == []:
        nothing("There are none.")
        return
    if isinstance(plain, list) and plain and all(isinstance(row, dict) for row in plain):
        table(plain)
    elif isinstance(plain, list):
        for item in plain:
            print(cell(item))
    elif isinstance(plain, dict):
        fields(plain)
    else:
        print(cell(plain))


def nothing(words: str) -> None:
    """Print that there is nothing to list. For a person this is the answer; for a pipe it is a note on stderr."""
    print(fitted(words), file=sys.stdout if sys.stdout.isatty() else sys.stderr)


def remark(words: str) -> None:
    """Print a remark about the answer on stderr, broken between words to the width of the terminal."""
    print(fitted(words), file=sys.stderr)


def folded(text: str, column: int = 0, room: int = 0) -> str:
    """Break lines of text between words, to the width of the terminal if stdout or stderr is a terminal.

    The text begins at `column`, and so does each further line. `room` columns stay free at the end of each line.
    """
    if not (sys.stdout.isatty() or sys.stderr.isatty()):
        return text
    import textwrap  # noqa: PLC0415 - only a terminal needs it

    width = max(12, terminal_width() - column - room)
    wrapped = [
        textwrap.wrap(line, width, break_long_words=False, break_on_hyphens=False) or [""]
        for line in text.split("\n")
    ]
    return f"\n{'':<{column}}".join(line for lines in wrapped for line in lines)


# A command to paste: the rest of a line that begins with one of these programs, or has it after a colon.
_PROGRAMS = r"train|ssh|ssh-\w+|chmod|chown|echo|export|sudo|df|source|brew|apt(?:-get)?|pip|uv|curl"
_PYTHON = r"(?:'[^']*/python[\d.]*'|/\S*/python[\d.]*)"  # the Python of a tool, by its path
_COMMAND = rf"(?:^|(?<=: )(?<!usage: ))(?:{_PROGRAMS}|{_PYTHON}) .*$"
_OUTPUT = r" *\d* ?\|"  # a line of a command's output, or of a recipe above a caret


def fitted(text: str, column: int = 0) -> str:
    """Break the lines of a message that are longer than the terminal between words, if there is a terminal.

    The text begins at `column`. A command to paste is not broken: it gets a line of its own. Further lines are
    indented by two columns more than the line, or as the line if that is indented.
    """
    if not (sys.stdout.isatty() or sys.stderr.isatty()):
        return text
    width = max(20, terminal_width())
    lines = text.split("\n")
    return "\n".join(_fitted(line, width, 0 if number else column) for number, line in enumerate(lines))


def _fitted(line: str, width: int, column: int) -> str:
    import re  # noqa: PLC0415 - only a message that is too long needs it
    import textwrap  # noqa: PLC0415 - only a message that is too long needs it

    if column + len(line) <= width or re.match(_OUTPUT, line):
        return line
    body = line.lstrip(" ")
    indent = len(line) - len(body)
    further = " " * (indent or 2)
    command = re.search(_COMMAND, body)
    words = body[: command.start()].rstrip() if command else body
    wrapped = textwrap.wrap(
        words, width - indent, initial_indent="." * column, subsequent_indent="" if indent else "  ",
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip
    parts = [" " * indent + part for part in wrapped]
    if parts:
        parts[0] = " " * indent + wrapped[0][column:]
    if command:
        parts.append((further if parts else " " * indent) + command[0])
    return "\n".join(parts)


def fix(text: str, column: int) -> str:
    """Return the lines that tell how to fix something: an arrow at `column` and the text.

    If the text does not fit there on the terminal, it begins further left.
    """
    room = terminal_width() - len("-> ")
    column = column if column + len(text) <= room else min(column, 9)
    further = " " * (column + len("-> "))
    first, *more = fitted(f"{further}{text}").split("\n")
    return "\n".join([f"{'':<{column}}-> {first.lstrip()}", *more])


def cell(value: Any) -> str:
    """Format one value: None as nothing, booleans as yes or no, lists joined, documents as JSON."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list) and all(isinstance(item, (str, int, float)) for item in value):
        return ", ".join(cell(item) for item in value)
    if isinstance(value, (dict, list)):
        return msgspec.json.encode(value).decode()
    return str(value)


def fields(document: dict[str, Any]) -> None:
    """Print aligned `key: value` lines. Empty values are left out. The lines of a long value are aligned too."""
    shown = {key: value for key, value in document.items() if value not in (None, "", [], {})}
    width = max((len(key) for key in shown), default=0) + 1
    for key, value in shown.items():
        first, *more = cell(value).split("\n")
        print(f"{key.replace('_', ' ') + ':':<{width}} {first}")
        for line in more:
            print(f"{'':<{width}} {line}")


def table(rows: Rows, columns: dict[str, str] | None = None) -> None:
    """Print a table with one line for each row. `columns` maps keys to headings.

    Without it, every key is a column. If there are no rows, nothing is printed. On a terminal, empty columns are
    left out and long texts are cut to fit; names and ids (WHOLE) are never cut.
    """
    if not rows:
        return
    from trainsh_base.tool.table import draw  # noqa: PLC0415 - a `serve` draws none

    heads = columns or {key: key.replace("_", " ") for key in rows[0]}
    lines = [[cell(row.get(key)) for key in heads] for row in rows]
    terminal = sys.stdout.isatty()
    first, *others = draw(
        [head.upper() for head in heads.values()],
        lines,
        whole=[index for index, key in enumerate(heads) if index == 0 or key in WHOLE],
        width=terminal_width() if terminal else None,
    )
    print(paint(first, "1", sys.stdout))
    for line in others:
        print(line)


def terminal_width() -> int:
    """Return the terminal's width: COLUMNS, else the size that the terminal reports, else 80."""
    import shutil  # noqa: PLC0415 - only a terminal needs it

    return shutil.get_terminal_size().columns
