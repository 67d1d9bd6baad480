"""Cuts output into lines, for pattern waits and for the last lines of a step."""

import codecs
import re

from trainsh_base.system.printable import printable

_ENDS = r"\r\n|\n|\r"


class Lines:
    """Cuts output into lines, and removes escape sequences from the lines.

    `\\n` and `\\r` end a line. Text at the end that has no `\\n` or `\\r` yet counts as a line too.
    """

    LIMIT = 1 << 16  # characters; of a longer line only the last LIMIT characters are used

    def __init__(self) -> None:
        self.last = ""
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def feed(self, data: bytes) -> list[str]:
        """Return the lines that `data` completes, then the unfinished line, if any."""
        parts = re.split(_ENDS, self.last + self._decoder.decode(data))
        self.last = parts.pop()[-self.LIMIT :]
        lines = [printable(part[-self.LIMIT :]) for part in parts]
        return [*lines, printable(self.last)] if self.last else lines
