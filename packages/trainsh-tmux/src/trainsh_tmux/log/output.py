"""Forwards the output of one step as text with secrets masked, and keeps its last lines for error messages."""

import codecs
from collections.abc import Callable

from trainsh_base.system.secret import Masker
from trainsh_tmux.log.leaks import Leaks
from trainsh_tmux.log.lines import Lines

TAIL_BYTES = 1 << 15
TAIL_LINES = 20


class Output:
    """Receives the output bytes of a step in order, with their offsets in the log."""

    def __init__(self, secrets: list[str], take: Callable[[str], None]) -> None:
        values = [value.encode() for value in secrets]
        self.bytes = 0
        self.leaks = Leaks(values)
        self._masker = Masker(values)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._take = take
        self._end = b""

    def feed(self, offset: int, data: bytes) -> None:
        """Take the next bytes of the output, which begin at `offset` in the log."""
        self.bytes += len(data)
        self.leaks.feed(offset, data)
        self._pass(self._masker.feed(data))

    @property
    def held(self) -> int:
        """The number of bytes that are held back, because they may be the beginning of a secret or of a
        character.
        """
        return self._masker.held + len(self._decoder.getstate()[0])

    def finish(self) -> None:
        """Mark the end of the output."""
        self._pass(self._masker.flush(), final=True)

    def _pass(self, data: bytes, *, final: bool = False) -> None:
        self._end = (self._end + data)[-TAIL_BYTES:]
        text = self._decoder.decode(data, final)
        if text:
            self._take(text)

    def tail(self) -> list[str]:
        """Return the last lines of the output, without escape sequences."""
        if not self._end:
            return []
        lines = [line.rstrip() for line in Lines().feed(self._end)]
        while lines and not lines[-1]:
            lines.pop()
        return lines[-TAIL_LINES:]

    def unfinished(self) -> tuple[str, bool]:
        """Return the last line if no newline ended it, and whether the line is redrawn by carriage returns (a
        progress bar).
        """
        last = self._end[self._end.rfind(b"\n") + 1 :]
        lines = [line for line in Lines().feed(last) if line.strip()]
        return (lines[-1].strip() if lines else ""), b"\r" in last
