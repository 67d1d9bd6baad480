"""A value that must not be shown."""

import re

MASK = "***"


class Secret:
    """Hides its value in `repr`, `str`, logs and JSON; `reveal()` is the one way to it (grep for it)."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value itself."""
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


class Masker:
    """Replaces known secret values in bytes that come in chunks, also where a value spans two chunks."""

    def __init__(self, values: list[bytes] | None = None) -> None:
        self._values: list[bytes] = []
        self._pattern: re.Pattern[bytes] | None = None
        self._held = b""
        for value in values or []:
            self.add(value)

    def add(self, value: bytes) -> None:
        """Mask `value` from now on; an empty one is ignored (it is everywhere)."""
        if value and value not in self._values:
            self._values.append(value)
            self._values.sort(key=len, reverse=True)  # the longest that begins at a place is the one that is masked
            self._pattern = re.compile(b"|".join(re.escape(one) for one in self._values))

    def feed(self, chunk: bytes) -> bytes:
        """The part of the stream that is known to be safe; a possible beginning of a secret is held back."""
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
        """What was held back, once the stream is over or quiet."""
        held, self._held = self._held, b""
        return self._pattern.sub(MASK.encode(), held) if self._pattern else held

    def _beginnings(self, text: bytes) -> set[int]:
        """The places in `text` from where it may go on to become a value."""
        return {
            len(text) - size
            for value in self._values
            for size in range(1, min(len(value) - 1, len(text)) + 1)
            if text.endswith(value[:size])
        }
