"""Output cut into lines, for patterns and for the last lines of a step."""

import codecs
import re

from trainsh_base.system.printable import printable

_ENDS = re.compile(r"\r\n|\n|\r")


class Lines:
    """Cuts output into lines: `\\n` and `\\r` end one, an unfinished last one counts. Escapes are removed."""

    LIMIT = 1 << 16  # characters of a line that are looked at: its end

    def __init__(self) -> None:
        self.last = ""
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def feed(self, data: bytes) -> list[str]:
        """The lines that `data` ends, then the unfinished one (when there is any)."""
        parts = _ENDS.split(self.last + self._decoder.decode(data))
        self.last = parts.pop()[-self.LIMIT :]
        lines = [printable(part[-self.LIMIT :]) for part in parts]
        return [*lines, printable(self.last)] if self.last else lines
