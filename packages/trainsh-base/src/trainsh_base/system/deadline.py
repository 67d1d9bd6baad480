"""Deadlines: one type for every limit on time."""

import math
import time


class Deadline:
    """A moment on the monotonic clock, or never. Code that waits asks `left()` for its timeout."""

    __slots__ = ("_at",)

    def __init__(self, at: float) -> None:
        """`at`: a reading of time.monotonic(), or infinity."""
        self._at = at

    @classmethod
    def after(cls, seconds: float | None) -> "Deadline":
        """`seconds` from now; None is never. 0 and less have passed already."""
        return cls(math.inf if seconds is None else time.monotonic() + seconds)

    @classmethod
    def never(cls) -> "Deadline":
        """No limit."""
        return cls(math.inf)

    def left(self) -> float | None:
        """Seconds until then, 0.0 when it has passed, None for never: as `wait(timeout=...)` takes it."""
        return None if self._at == math.inf else max(0.0, self._at - time.monotonic())

    def within(self, most: float) -> float:
        """Seconds to wait now, at most `most`: for loops that look again."""
        return max(0.0, min(most, self._at - time.monotonic()))

    @property
    def expired(self) -> bool:
        """Whether it has passed."""
        return time.monotonic() >= self._at

    def sooner(self, other: "Deadline") -> "Deadline":
        """The earlier of the two."""
        return self if self._at <= other._at else other

    @property
    def at(self) -> float:
        """The reading of time.monotonic(); infinity for never."""
        return self._at

    def __repr__(self) -> str:
        left = self.left()
        return "Deadline(never)" if left is None else f"Deadline({left:.3f}s left)"
