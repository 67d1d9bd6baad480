"""A value that must not be shown."""

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
        self._held = b""
        for value in values or []:
            self.add(value)

    def add(self, value: bytes) -> None:
        """Mask `value` from now on; an empty one is ignored (it is everywhere)."""
        if value and value not in self._values:
            self._values.append(value)
            self._values.sort(key=len, reverse=True)

    def feed(self, chunk: bytes) -> bytes:
        """The part of the stream that is known to be safe; a possible beginning of a secret is held back."""
        if not self._values:
            return chunk
        text = self._held + chunk
        for value in self._values:
            text = text.replace(value, MASK.encode())
        keep = self._beginning_at_end(text)
        self._held = text[len(text) - keep :] if keep else b""
        return text[: len(text) - keep]

    def flush(self) -> bytes:
        """What was held back, once the stream is over or quiet."""
        held, self._held = self._held, b""
        return held

    def _beginning_at_end(self, text: bytes) -> int:
        longest = 0
        for value in self._values:
            for size in range(min(len(value) - 1, len(text)), longest, -1):
                if text.endswith(value[:size]):
                    longest = size
                    break
        return longest
