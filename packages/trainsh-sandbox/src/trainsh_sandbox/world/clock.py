"""The sandbox's clock, which prices, states and the ledger use."""

import time


class Clock:
    """Seconds since 1970: the real time, run `speed` times as fast, plus what `advance` added."""

    def __init__(self, speed: float = 1.0) -> None:
        self.speed = speed
        self._start = time.time()
        self._since = time.monotonic()
        self._added = 0.0

    def now(self) -> float:
        """The sandbox's time."""
        return self._start + (time.monotonic() - self._since) * self.speed + self._added

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass at once."""
        self._added += max(0.0, seconds)
