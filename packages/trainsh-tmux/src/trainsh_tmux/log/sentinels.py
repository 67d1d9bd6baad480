"""Finds the sentinels that a session writes between the output of its steps, in a stream of chunks.

A sentinel is an escape sequence that terminals ignore: `ESC ] 7770 ; KEY ; LETTER ; FIELDS BEL`. KEY is a random
text that is created together with the session's folder, so that a step cannot forge a sentinel. A sequence with
another key counts as output of the step.

| letter | fields | means |
|---|---|---|
| `r` | PID;UNREAD | the shell waits for steps; UNREAD is 1 when it could not read its snapshot |
| `b` | STEP | a step begins; the command that the pane shows follows |
| `o` | STEP | its output begins |
| `p` | STEP;PID;START | the step runs in the background |
| `e` | STEP;STATUS;WHY | the step ended |
| `l` | | the session was released |
| `x` | STATUS | the session's shell ended |
| `n` | START | the log continues in the segment that begins at offset START |
"""

import re

import msgspec

_OPENING = b"\x1b]7770;"
LONGEST = 256
ECHO = "echo"


class Piece(msgspec.Struct, frozen=True):
    """Part of a log: a part of a step's output, the command that the pane shows, or a sentinel.

    `letter` is empty for output, ECHO for the command, and else the letter of the sentinel. `offset` is where the
    piece begins in the log, `end` the offset after its last byte.
    """

    offset: int
    end: int
    letter: str = ""
    fields: tuple[str, ...] = ()
    data: bytes = b""


class Splitter:
    """Cuts a byte stream into pieces (see Piece). `offset` is the place in the log where the stream begins.

    A sentinel that is split across two chunks becomes one piece.
    """

    def __init__(self, offset: int, key: str = "") -> None:
        self.offset = offset
        self._held = b""
        self._text = ""
        prefix = re.escape(_OPENING + key.encode() + (b";" if key else b""))
        self._sentinel = re.compile(prefix + rb"([a-z]);([^\x07\x1b]*)\x07")

    def feed(self, chunk: bytes) -> list[Piece]:
        """Return the pieces that are complete so far."""
        text = self._held + chunk if self._held else chunk
        base = self.offset
        at = 0
        pieces = []
        for found in self._sentinel.finditer(text):
            if found.start() > at:
                pieces.append(Piece(base + at, base + found.start(), self._text, data=text[at : found.start()]))
            letter, fields = found[1].decode(), tuple(found[2].decode("ascii", "replace").split(";"))
            pieces.append(Piece(base + found.start(), base + found.end(), letter, fields))
            self._text = ECHO if letter == "b" else "" if letter == "o" else self._text
            at = found.end()
        keep = _unfinished(text, at)
        if len(text) - keep > at:
            end = len(text) - keep
            pieces.append(Piece(base + at, base + end, self._text, data=text[at:end]))
        self._held = text[len(text) - keep :] if keep else b""
        self.offset = base + len(text) - keep
        return pieces


def _unfinished(text: bytes, start: int) -> int:
    """Return how many bytes at the end of `text` may be the beginning of a sentinel.

    Only `text[start:]` is searched.
    """
    escape = text.rfind(b"\x1b", max(start, len(text) - LONGEST))
    if escape < 0:
        return 0
    rest = text[escape:]
    if len(rest) < len(_OPENING):
        return len(rest) if _OPENING.startswith(rest) else 0
    return len(rest) if rest.startswith(_OPENING) and b"\x07" not in rest else 0
