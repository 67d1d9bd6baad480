"""Makes untrusted text (from a host, a server, a plugin, a file's name) safe for a terminal.

`printable` removes whole escape sequences, and then all remaining control characters. `visible` writes control
characters as text, such as `\\x1b` or `\\r`. Use `visible` for text that a person must judge (a recipe under
review), and `printable` for all other text.
"""

import re

# These patterns are strings, which `re` compiles when they are first used, because every start loads this module.
# An escape sequence begins with ESC, or with a character of C1 (0x80 to 0x9f) that means the same. A sequence that
# contains a string (a title, the clipboard, an image) ends with BEL, with ST (ESC \ or 0x9c), or at the next
# escape. Here such a sequence also ends at a newline, so that it cannot hide the next line.
_STRING = r"(?:\x1b[\]PX^_k]|[\x90\x98\x9d\x9e\x9f])[^\x07\x1b\x9c\x18\x1a\n]*(?:\x07|\x1b\\|\x9c)?"
_CSI = r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"
_SHORT = r"\x1b[ -/]*[0-~]?"
_SEQUENCE = f"{_STRING}|{_CSI}|{_SHORT}"
# The characters to remove: control characters (C0, DEL, C1); separators that some terminals take for newlines;
# bidirectional marks, overrides and isolates; characters that draw nothing (except the joiners that emoji and
# Persian need); and halves of surrogate pairs, which no stream can encode.
UNSAFE = (
    "\x00-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\uffa0"
    "\u200b\u200e\u200f\u2028\u2029\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff"
    "\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e0fff"
)
_CONTROL = f"[{UNSAFE}]"

# Matches a sequence that is incomplete, because the text ends inside it.
_UNFINISHED = (
    r"(?:\x1b[\]PX^_k]|[\x90\x98\x9d\x9e\x9f])[^\x07\x1b\x9c\x18\x1a\n]*\x1b?\Z"
    r"|(?:\x1b\[|\x9b)[0-?]*[ -/]*\Z"
    r"|\x1b[ -/]*\Z"
)


def printable(text: str, keep: str = "\n\t") -> str:
    """Return `text` without escape sequences, control characters and bidirectional overrides.

    Characters in `keep` are kept. Removing one sequence may join the halves of another sequence. So this is
    repeated until nothing is left to remove.
    """
    if (text.isascii() and text.isprintable()) or not re.search(_CONTROL, text):
        return text
    while (shorter := re.sub(_SEQUENCE, "", text)) != text:
        text = shorter
    return re.sub(_CONTROL, lambda found: found[0] if found[0] in keep else _replacement(found[0]), text)


def _replacement(character: str) -> str:
    """Return what replaces an unsafe character: an escape for a byte that is not UTF-8, and "" for any other
    character.
    """
    return f"\\x{ord(character) - 0xDC00:02x}" if "\udc80" <= character <= "\udcff" else ""


def visible(text: str, keep: str = "\n\t") -> str:
    """Return `text` with control characters and bidirectional overrides written as text: `\\x1b`, `\\r`,
    `\\u202e`.
    """
    return re.sub(_CONTROL, lambda found: found[0] if found[0] in keep else _written(found[0]), text)


def _written(character: str) -> str:
    if "\udc80" <= character <= "\udcff":
        return _replacement(character)
    return character.encode("unicode_escape").decode()


def json_text(document: str) -> str:
    """Return the JSON text `document` with unsafe characters written as `\\uXXXX`.

    It is still the same document, but harmless to a terminal.
    """
    return re.sub(_CONTROL, lambda found: found[0] if found[0] in "\n\t" else _as_json(found[0]), document)


def _as_json(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))


class Printable:
    """Does what `printable` does, for a stream of chunks.

    An incomplete sequence at the end of a chunk is held back until the next chunk.
    """

    LONGEST = 4096  # characters; what is longer does not count as an escape sequence

    def __init__(self, keep: str = "\n\t") -> None:
        self._keep = keep
        self._held = ""

    def feed(self, text: str) -> str:
        """Take the next chunk. Return the text that later chunks cannot change. `\\r\\n` becomes `\\n`."""
        text = self._held + text
        start = max(0, len(text) - self.LONGEST)
        found = re.search(_UNFINISHED, text[start:])
        at = start + found.start() if found else len(text) - text.endswith("\r")
        self._held = text[at:]
        return printable(text[:at].replace("\r\n", "\n"), self._keep)

    def flush(self) -> str:
        """Return the text that was held back. Call this at the end of the stream."""
        held, self._held = self._held, ""
        return printable(held, self._keep)
