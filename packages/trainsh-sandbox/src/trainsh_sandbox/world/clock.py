"""The sandbox's clock, which prices, states and the ledger use."""

import time


class Clock:
    """The sandbox's time in seconds since 1970: the real time, sped up by `speed`, plus the seconds that `advance`
    has added.
    """

    def __init__(self, speed: float = 1.0) -> None:
        self.speed = speed
        self._start = time.time()
        self._since = time.monotonic()
        self._added = 0.0

    def now(self) -> float:
        """The sandbox's time in seconds since 1970."""
        return self._start + (time.monotonic() - self._since) * self.speed + self._added

    def advance(self, seconds: float) -> None:
        """Move the clock forward by `seconds` at once."""
        self._added += max(0.0, seconds)
