"""Finds, adds, replaces and removes `[[hosts]]` tables in the text of hosts.toml.

Nothing else in the text changes. The library tomlkit also keeps comments. But for tomlkit, a comment above a table
belongs to the previous table. So removing a host with tomlkit would also remove the comment about the next host.
"""

import re

import msgspec

_TOKEN = re.compile(
    r'"""(?:\\.|[^\\])*?"""' r"|'''.*?'''" r'|"(?:\\.|[^"\\\n])*"' r"|'[^'\n]*'|\#[^\n]*|[\[\]{}]|\n", re.DOTALL
)
_HEADER = re.compile(r"[ \t]*\[")
_HOST = re.compile(r"[ \t]*\[\[[ \t]*(?:hosts|\"hosts\"|'hosts')[ \t]*\]\]")
_BELOW_HOST = re.compile(r"[ \t]*\[\[?[ \t]*(?:hosts|\"hosts\"|'hosts')[ \t]*\.")


class Table(msgspec.Struct, frozen=True):
    """The position of one table.

    It begins at the `[` of the table's header, and ends with the table's last line that is neither blank nor a
    comment.
    """

    start: int
    end: int


def find_tables(text: str) -> list[Table]:
    """The `[[hosts]]` tables in file order, each with its sub-tables."""
    headers = _headers(text)
    tables = []
    for index, start in enumerate(headers):
        if _HOST.match(text, start):
            rest = (at for at in headers[index + 1 :] if not _BELOW_HOST.match(text, at))
            tables.append(Table(start, _content_end(text, start, next(rest, len(text)))))
    return tables


def _headers(text: str) -> list[int]:
    """The offsets at which table headers begin.

    A header begins with a `[` at the start of a line, outside of strings and arrays.
    """
    found = [0] if _HEADER.match(text) else []
    depth = 0
    for token in _TOKEN.finditer(text):
        word = token[0]
        if word in "[{":
            depth += 1
        elif word in "]}":
            depth -= 1
        elif word == "\n" and depth == 0 and _HEADER.match(text, token.end()):
            found.append(token.end())
    return found


def _content_end(text: str, start: int, limit: int) -> int:
    """The end of the last line of text[start:limit] that is neither blank nor a comment."""
    lines = text[start:limit].splitlines(keepends=True)
    while len(lines) > 1 and (not lines[-1].strip() or lines[-1].lstrip().startswith("#")):
        lines.pop()
    return start + sum(map(len, lines))


def append(text: str, table: str) -> str:
    """`text`, followed by a blank line and `table`. The added lines get the same line ends as `text`."""
    end = "\r\n" if "\r\n" in text else "\n"
    gap = "" if not text else end if text.endswith("\n") else end * 2
    return text + gap + table.replace("\n", end)


def replace(text: str, at: Table, table: str) -> str:
    """`text` with the table at `at` replaced by `table`."""
    return text[: at.start] + table + text[at.end :]


def cut(text: str, at: Table) -> str:
    """`text` without the table at `at`, and without one blank line before this table. It undoes `append`."""
    before = text[: at.start]
    for blank in ("\r\n", "\n"):
        if before.endswith(blank) and (before == blank or before[: -len(blank)].endswith("\n")):
            before = before[: -len(blank)]
            break
    return before + text[at.end :]
