"""What a step printed: kept in the job's folder, masked, and its last lines at hand for people."""

import os
import re
from collections import deque
from collections.abc import Callable
from pathlib import Path

from trainsh_base.secret import MASK

TAIL_LINES = 20
LONGEST_LINE = 2000
ESCAPES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[PX^_][^\x1b\x07]*(?:\x1b\\|\x07)|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)"
    r"|\x1b[@-Z\\-_]|\x1b[ -/]+[0-~]|[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f]"
)
_UNFINISHED = re.compile(r"\x1b(?:[ -/]*|\[[0-?]*[ -/]*|[\]PX^_][^\x07\x1b]*\x1b?)\Z")
_HELD = 4096  # an escape that is longer than this is none


class Plain:
    """Text with its escapes taken out and its line ends made `\\n`, in chunks; a cut escape waits for its rest."""

    def __init__(self) -> None:
        self._held = ""

    def feed(self, text: str) -> str:
        """What of the text is certain."""
        text = self._held + text
        found = _UNFINISHED.search(text, max(0, len(text) - _HELD)) if "\x1b" in text[-_HELD:] else None
        keep = len(text) - found.start() if found else 1 if text.endswith("\r") else 0
        self._held = text[len(text) - keep :] if keep else ""
        text = text[: len(text) - keep] if keep else text
        return ESCAPES.sub("", text.replace("\r\n", "\n"))

    def flush(self) -> str:
        """The rest."""
        held, self._held = self._held, ""
        return ESCAPES.sub("", held)


class StepLog:
    """`steps/NNN.log`: made when the first output comes. `secrets` tells what must not be seen."""

    def __init__(self, path: Path, secrets: Callable[[], list[str]]) -> None:
        self._path = path
        self._secrets = secrets
        self._handle = -1
        self._held = ""
        self._plain = Plain()
        self._lines: deque[str] = deque(maxlen=TAIL_LINES)
        self._line = ""
        self.bytes = 0

    def feed(self, text: str) -> str:
        """Keep the text; returns what of it may be shown now."""
        return self._keep(self._mask(text))

    def finish(self) -> str:
        """Nothing more comes; returns what was held back."""
        held, self._held = self._held, ""
        shown = self._keep(held)
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1
        return shown

    def _mask(self, text: str) -> str:
        values = sorted({value for value in self._secrets() if value}, key=len, reverse=True)
        if not values:
            return text
        text = self._held + text
        for value in values:
            text = text.replace(value, MASK).replace(value.replace("\n", "\r\n"), MASK)
        keep = max(_beginning(text, value) for value in values)
        self._held = text[len(text) - keep :] if keep else ""
        return text[: len(text) - keep] if keep else text

    def _keep(self, text: str) -> str:
        if not text:
            return text
        data = text.encode("utf-8", "replace")
        self.bytes += len(data)
        if self._handle < 0:
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
            self._handle = os.open(self._path, flags, 0o600)
        os.write(self._handle, data)
        self._remember(self._plain.feed(text))
        return text

    def _remember(self, text: str) -> None:
        first, *rest = re.split(r"[\n\r]", text)
        self._line = (self._line + first)[-LONGEST_LINE:]
        for part in rest:
            if self._line.strip():
                self._lines.append(self._line)
            self._line = part[-LONGEST_LINE:]

    def tail(self) -> list[str]:
        """The last lines, plain."""
        return [*self._lines, self._line][-TAIL_LINES:] if self._line.strip() else list(self._lines)


def _beginning(text: str, value: str) -> int:
    """How much of the end of `text` may be the beginning of `value`."""
    for size in range(min(len(value) - 1, len(text)), 0, -1):
        if value.startswith(text[-size:]):
            return size
    return 0
