"""Keeps a step's output in the job's folder, with secrets masked, and the last lines in memory."""

import os
import re
from collections.abc import Callable

from trainsh_base.system.printable import Printable
from trainsh_base.system.secret import Masker

TAIL_LINES = 20
LONGEST_LINE = 2000
TAIL = TAIL_LINES * LONGEST_LINE  # how many characters of output are searched for the last lines


def plain_text() -> Printable:
    """Return a filter for output that removes escape sequences and control characters except carriage returns."""
    return Printable(keep="\n\t\r")


class StepLog:
    """`steps/NNN.log`, created when the first output arrives. `secrets` returns the values to mask."""

    def __init__(self, path: str, secrets: Callable[[], list[str]]) -> None:
        self._path = path
        self._secrets = secrets
        self._handle = -1
        self._masker = Masker()
        self._end = End(TAIL)
        self.bytes = 0

    def feed(self, text: str) -> str:
        """Write the text to the log and return it. An end that may be the beginning of a secret is held back."""
        self._masker.add_all(self._secrets())
        return self._keep(self._masker.feed_text(text))

    def finish(self) -> str:
        """Write and return what was held back, and close the log."""
        shown = self._keep(self._masker.flush().decode("utf-8", "replace"))
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1
        return shown

    def _keep(self, text: str) -> str:
        if not text:
            return text
        data = text.encode("utf-8", "replace")
        self.bytes += len(data)
        if self._handle < 0:
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
            self._handle = os.open(self._path, flags, 0o600)
        view = memoryview(data)
        try:
            while view:
                view = view[os.write(self._handle, view) :]
        except OSError as error:
            error.filename = str(self._path)  # the disk may be full
            raise
        self._end.feed(text)
        return text

    def tail(self) -> list[str]:
        """Return the last lines as plain text."""
        lines = re.split(r"[\n\r]", self._end.plain())
        return [line[-LONGEST_LINE:] for line in lines if line.strip()][-TAIL_LINES:]


class End:
    """Keeps the last `size` characters of a text that comes in chunks. Only `plain` removes escape sequences."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._text = ""

    def feed(self, text: str) -> None:
        """Append text."""
        self._text = (self._text + text)[-self._size :] if len(text) < self._size else text[-self._size :]

    def plain(self) -> str:
        """Return the text without escape sequences and with plain newlines.

        If its beginning was cut off, the text begins with its first complete line.
        """
        text = self._text
        if len(text) == self._size:
            text = text.partition("\n")[2] or text.partition("\r")[2] or text
        return plain_text().feed(text)
