"""The marks that sessions write between what steps print, found in a stream that comes in chunks.

A mark is an operating system command that terminals ignore: ESC ] 7770 ; LETTER ; FIELDS BEL. Letters: b a step
begins (its echo follows), o its output begins, p it runs in the background, e it ended (STEP;STATUS), r the shell
is ready, l it was released,
x it ended (STATUS), n the log goes on in another segment (START).
"""

import re

import msgspec

_MARK = re.compile(rb"\x1b\]7770;([a-z]);([^\x07\x1b]*)\x07")
_OPENING = b"\x1b]7770;"
LONGEST = 256
_ESCAPES = re.compile(
    rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|[PX^_][^\x1b\x07]*(?:\x1b\\|\x07)|\][^\x07\x1b]*(?:\x07|\x1b\\)"
    rb"|[@-Z\\-_]|[ -/]+[0-~])"
)
# Apart from the escapes: one pattern for both takes longer than a terminal does.
_CONTROLS = bytes(code for code in range(32) if code not in b"\t\n\r\x1b")


class Piece(msgspec.Struct, frozen=True):
    """Part of a stream: output (`letter` is empty) or a mark; `offset` is where it begins, `end` the byte after."""

    offset: int
    end: int
    letter: str = ""
    fields: tuple[str, ...] = ()
    data: bytes = b""


class Splitter:
    """Cuts a byte stream that begins at `offset` into pieces; a mark that a chunk's end cut is put together."""

    def __init__(self, offset: int) -> None:
        self.offset = offset
        self._held = b""

    def feed(self, chunk: bytes) -> list[Piece]:
        """The pieces that are certain now."""
        text = self._held + chunk if self._held else chunk
        base = self.offset
        at = 0
        pieces = []
        for found in _MARK.finditer(text):
            if found.start() > at:
                pieces.append(Piece(base + at, base + found.start(), data=text[at : found.start()]))
            fields = tuple(found[2].decode("ascii", "replace").split(";"))
            pieces.append(Piece(base + found.start(), base + found.end(), found[1].decode(), fields))
            at = found.end()
        keep = _unfinished(text, at)
        if len(text) - keep > at:
            pieces.append(Piece(base + at, base + len(text) - keep, data=text[at : len(text) - keep]))
        self._held = text[len(text) - keep :] if keep else b""
        self.offset = base + len(text) - keep
        return pieces


def _unfinished(text: bytes, start: int) -> int:
    """How many bytes at the end may be the beginning of a mark."""
    escape = text.rfind(b"\x1b", max(start, len(text) - LONGEST))
    if escape < 0:
        return 0
    rest = text[escape:]
    begins = _OPENING.startswith(rest[: len(_OPENING)]) if len(rest) < len(_OPENING) else rest.startswith(_OPENING)
    return len(rest) if begins else 0


def plain(data: bytes) -> bytes:
    """Output without escapes and control characters; newlines, tabs and carriage returns stay."""
    return _ESCAPES.sub(b"", data).translate(None, _CONTROLS)


class Lines:
    """Cuts output into lines for matching and for tails: `\\n` and `\\r` end one, an unfinished last one counts."""

    LIMIT = 1 << 16

    def __init__(self) -> None:
        self.last = b""

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that `data` ends, then the unfinished one (when there is any); escapes are gone."""
        text = self.last + data
        parts = re.split(rb"\r\n|\n|\r", text)
        self.last = parts.pop()[-self.LIMIT :]
        lines = [plain(part[-self.LIMIT :]) for part in parts]
        return [*lines, plain(self.last)] if self.last else lines
