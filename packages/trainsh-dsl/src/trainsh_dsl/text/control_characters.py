"""Characters that a reader cannot see, or that change how the text is displayed."""

from collections.abc import Iterator

from trainsh_base.system.printable import UNSAFE, visible
from trainsh_dsl.text.patterns import lazy

_HIDDEN = lazy(rf"[{UNSAFE}](?<![\n\t])(?!(?<=\r)(?:\n|\Z))")
_BLANKS = lazy("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")
_MOST = 100  # a file with more of them is not a recipe


def hidden(text: str) -> Iterator[tuple[int, str]]:
    """Offset and escaped form of each control character and text-direction override, except line ends."""
    for number, found in enumerate(_HIDDEN.finditer(text)):
        if number == _MOST:
            return
        yield found.start(), visible(found[0], keep="")


def unusual_blank(text: str) -> tuple[int, str] | None:
    """Offset and escaped form of the first blank that a shell reads as a letter (a non-breaking space), or None."""
    found = None if text.isascii() else _BLANKS.search(text)
    return None if found is None else (found.start(), f"\\u{ord(found[0]):04x}")
