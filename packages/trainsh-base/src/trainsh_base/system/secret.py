"""Hides secret values. The class Secret wraps one value; the class Masker masks values in a stream."""

import os
import re
from collections.abc import Iterable

from trainsh_base.errors import CredentialError

MASK = "***"


class Secret:
    """Hides its value in `repr`, `str`, logs and JSON.

    Only `reveal()` returns the value, so each use is easy to find.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the value itself."""
        return self._value

    def __repr__(self) -> str:
        return f"Secret({MASK})"

    def __str__(self) -> str:
        return MASK

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> tuple[type, tuple[str]]:
        raise TypeError("a secret is not pickled")


def masked(text: str, values: Iterable[str]) -> str:
    """Return the text with every one of the secret values masked."""
    masker = Masker()
    masker.add_all(values)
    return masker.feed_text(text) + masker.flush().decode("utf-8", "replace")


class Masker:
    """Replaces known secret values in a stream of byte chunks, even if a value spans several chunks."""

    def __init__(self, values: list[bytes] | None = None) -> None:
        self._values: list[bytes] = []
        self._pattern: re.Pattern[bytes] | None = None
        self._held = b""
        for value in values or []:
            self.add(value)

    @property
    def held(self) -> int:
        """The number of bytes that are held back, because they may be the beginning of a secret."""
        return len(self._held)

    def add(self, value: bytes) -> None:
        """Mask `value` from now on, unless it is empty.

        A terminal prints CR LF for a newline, so the value with CR LF is masked too.
        """
        if value and value not in self._values:
            self._values += [value, value.replace(b"\n", b"\r\n")] if b"\n" in value else [value]
            self._values.sort(key=len, reverse=True)  # where several values match, the longest is masked
            self._pattern = re.compile(b"|".join(re.escape(one) for one in self._values))

    def add_all(self, values: Iterable[str]) -> None:
        """Mask the texts `values` from now on."""
        for value in values:
            self.add(value.encode("utf-8", "replace"))

    def feed_text(self, text: str) -> str:
        """Do what `feed` does, for text. Values and text are both UTF-8, so no character is cut in two."""
        if self._pattern is None:
            return text
        return self.feed(text.encode("utf-8", "replace")).decode("utf-8", "replace")

    def feed(self, chunk: bytes) -> bytes:
        """Take the next chunk of the stream. Return, with masks, the part that is known to contain no secret.

        Bytes at the end that may be the beginning of a secret are held back until the next chunk.
        """
        if self._pattern is None:
            return chunk
        text = self._held + chunk
        safe, at = [], 0
        possible = self._beginnings(text)
        for found in self._pattern.finditer(text):
            if any(at <= start <= found.start() for start in possible):
                break
            safe += [text[at : found.start()], MASK.encode()]
            at = found.end()
        hold = min((start for start in possible if start >= at), default=len(text))
        self._held = text[hold:]
        return b"".join([*safe, text[at:hold]])

    def flush(self) -> bytes:
        """Return the bytes that were held back. Call this when the stream has ended or is idle."""
        held, self._held = self._held, b""
        return self._pattern.sub(MASK.encode(), held) if self._pattern else held

    def _beginnings(self, text: bytes) -> set[int]:
        """Return the positions in `text` at which an incomplete secret value may begin."""
        return {
            len(text) - size
            for value in self._values
            for size in range(1, min(len(value) - 1, len(text)) + 1)
            if text.endswith(value[:size])
        }


def from_environment(name: str) -> str | None:
    """Return the secret in the variable `name`, or None if the variable is unset or empty.

    Raises CredentialError if the value is not UTF-8. The error does not show the value.
    """
    value = os.environ.get(name) or None
    try:
        (value or "").encode()
    except UnicodeEncodeError:
        raise CredentialError(
            f"the environment variable {name} is not UTF-8", f"unset {name}, or set it to a text", code="not_utf8"
        ) from None
    return value
