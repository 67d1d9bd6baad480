"""Finds secrets that a command printed to the log, so that they can be overwritten."""


class Leaks:
    """Finds secret values in a stream of chunks. A value that is split across two chunks is found too.

    `places` lists where the values were found, as (offset in the log, length).
    """

    def __init__(self, values: list[bytes]) -> None:
        self.places: list[tuple[int, int]] = []
        self._values = [value for value in values if value]
        self._longest = max((len(value) for value in self._values), default=0)
        self._held = b""
        self._end = -1

    def feed(self, offset: int, data: bytes) -> None:
        """Search `data`, which begins at `offset` in the log."""
        if not self._values:
            return
        if offset != self._end:
            self._held = b""
        text, base = self._held + data, offset - len(self._held)
        for value in self._values:
            at = text.find(value)
            while at >= 0:
                self._add((base + at, len(value)))
                at = text.find(value, at + len(value))
        self._held = text[-(self._longest - 1) :] if self._longest > 1 else b""
        self._end = offset + len(data)

    def _add(self, place: tuple[int, int]) -> None:
        if place not in self.places[-8:]:
            self.places.append(place)
