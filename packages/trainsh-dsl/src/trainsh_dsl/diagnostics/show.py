"""Prints diagnostics for people: the line, a caret under the mistake, the message and the hint."""

from collections.abc import Iterable

from trainsh_base.system.printable import visible
from trainsh_base.tool.gate import styled
from trainsh_dsl.document.diagnostic import Diagnostic
from trainsh_dsl.text.control_characters import unusual_blank

_WIDEST = 100


def one(found: Diagnostic, name: str, *, style: bool = False) -> str:
    """One diagnostic as lines of text. With `style`, the text has colours."""
    colour = "31" if found.severity == "error" else "33"
    label = _paint(f"{found.severity} {found.code}", colour, style)
    head = f"{_safe(name)}:{found.line}:{found.column}: {label}: {_safe(found.message)}"
    source, caret = _excerpt(found)
    gutter = " " * len(str(found.line))
    lines = [head, f" {found.line} | {source}", f" {gutter} | {_paint(caret, colour, style)}"]
    if found.hint:
        lines.append(f" {gutter} = {_safe(found.hint)}")
    return "\n".join(lines)


def many(found: Iterable[Diagnostic], name: str, *, style: bool = False) -> str:
    """All diagnostics as text, with blank lines between them. The last line tells how many there are."""
    listed = list(found)
    blocks = [one(each, name, style=style) for each in listed]
    return "\n\n".join([*blocks, count(listed, name)])


def count(found: list[Diagnostic], name: str) -> str:
    """A summary such as `train.recipe: 2 errors, 1 warning`. For a recipe without findings, the summary says so."""
    parts = []
    for word in ("error", "warning"):
        number = sum(each.severity == word for each in found)
        if number:
            parts.append(f"{number} {word}{'' if number == 1 else 's'}")
    return f"{name}: {', '.join(parts) or 'no errors, no warnings'}"


def _excerpt(found: Diagnostic) -> tuple[str, str]:
    """The source line, and a line of carets below it. A long source line is cut to the part around the mistake."""
    source, start = found.source, found.column - 1
    end = max(start + 1, min(start + found.length, len(source)))
    first = 0
    if len(source) > _WIDEST:
        first = max(0, min(start - 30, len(source) - _WIDEST))
        source = source[first : first + _WIDEST]
    if start > len(found.source):
        return "...", "^"
    before, marked = source[: start - first], source[start - first : end - first]
    lead = "..." if first else ""
    trail = "..." if first + _WIDEST < len(found.source) and len(found.source) > _WIDEST else ""
    shown = lead + "".join(map(_glyph, source)) + trail
    caret = " " * (len(lead) + _width(before)) + "^" * max(1, _width(marked))
    return shown, caret


def _glyph(char: str) -> str:
    if char == "\t":
        return "    "
    return blank[1] if (blank := unusual_blank(char)) else visible(char)


def _width(text: str) -> int:
    if text.isascii() and text.isprintable():
        return len(text)
    return sum(_columns(char) for char in text)


def _columns(char: str) -> int:
    import unicodedata  # noqa: PLC0415 - only lines that are not ASCII need it

    if char == "\t":
        return 4
    if unicodedata.combining(char):
        return 0
    if len(written := _glyph(char)) > 1:
        return len(written)
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def _safe(text: str) -> str:
    return visible(text, keep="")


def _paint(text: str, colour: str, style: bool) -> str:
    return styled(text, f"1;{colour}") if style else text
