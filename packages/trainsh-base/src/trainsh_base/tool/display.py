"""How answers look to people: tables, key/value lines, and plain columns where there is no terminal."""

import os
import sys
from typing import Any, TextIO

import msgspec

Rows = list[dict[str, Any]]


def colour_wanted(stream: TextIO) -> bool:
    """Whether escapes may be written: a terminal, without NO_COLOR, TERM=dumb or --no-color."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return stream.isatty()


def show(value: Any) -> None:
    """Print an answer: a list as a table, a document as `key: value` lines, text as it is, None not at all."""
    plain = msgspec.to_builtins(value, enc_hook=str)
    if plain is None:
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


def cell(value: Any) -> str:
    """One value as text: nothing for None, yes and no, lists joined, documents as JSON."""
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
    """`key: value` lines, the values aligned; empty ones are left out."""
    width = max((len(key) for key in document), default=0) + 1
    for key, value in document.items():
        if value not in (None, "", [], {}):
            print(f"{key.replace('_', ' ') + ':':<{width}} {cell(value)}")


def table(rows: Rows, columns: dict[str, str] | None = None) -> None:
    """A table of `rows`; `columns` maps keys to headings (default: every key). Nothing for no rows."""
    if not rows:
        return
    heads = columns or {key: key.replace("_", " ") for key in rows[0]}
    lines = [[cell(row.get(key)) for key in heads] for row in rows]
    if sys.stdout.isatty():
        _rich_table(list(heads.values()), lines)
    else:
        _plain_table([head.upper() for head in heads.values()], lines)


def _plain_table(heads: list[str], lines: list[list[str]]) -> None:
    flat = [[text.replace("\n", " ") for text in line] for line in lines]
    widths = [max(len(text) for text in column) for column in zip(heads, *flat, strict=True)]
    for line in [heads, *flat]:
        print("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip())


def _rich_table(heads: list[str], lines: list[list[str]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for head in heads:
        drawn.add_column(head, overflow="fold")
    for line in lines:
        drawn.add_row(*(Text(text) for text in line))
    Console(no_color=not colour_wanted(sys.stdout), highlight=False).print(drawn)
