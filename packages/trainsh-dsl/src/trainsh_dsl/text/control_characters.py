"""Finds characters that a reader cannot see, or that change how the text is displayed."""

from collections.abc import Iterator

from trainsh_base.system.printable import UNSAFE, visible
from trainsh_dsl.text.patterns import lazy

_HIDDEN = lazy(rf"[{UNSAFE}](?<![\n\t])(?!(?<=\r)(?:\n|\Z))")
_BLANKS = lazy("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")
_MOST = 100  # a file with more control characters is not a recipe


def hidden(text: str) -> Iterator[tuple[int, str]]:
    """The offset and the escaped form of each control character or text-direction override.

    Line ends do not count.
    """
    for number, found in enumerate(_HIDDEN.finditer(text)):
        if number == _MOST:
            return
        yield found.start(), visible(found[0], keep="")


def unusual_blank(text: str) -> tuple[int, str] | None:
    """The offset and the escaped form of the first unusual blank, or None.

    An unusual blank, such as a non-breaking space, counts as a letter in a shell.
    """
    found = None if text.isascii() else _BLANKS.search(text)
    return None if found is None else (found.start(), f"\\u{ord(found[0]):04x}")
