"""The type Deadline. It stands for every limit on time."""

import math
import time


class Deadline:
    """A moment on the monotonic clock, or never. Code that waits gets its timeout from `left()`."""

    __slots__ = ("_at",)

    def __init__(self, at: float) -> None:
        """Make a deadline. `at` is a reading of time.monotonic(), or infinity."""
        self._at = at

    @classmethod
    def after(cls, seconds: float | None) -> "Deadline":
        """Return the deadline `seconds` from now.

        None means never. With 0 or less the deadline has passed already.
        """
        return cls(math.inf if seconds is None else time.monotonic() + seconds)

    @classmethod
    def never(cls) -> "Deadline":
        """Return a deadline that never passes."""
        return cls(math.inf)

    def left(self) -> float | None:
        """Return the seconds that are left, for `wait(timeout=...)`.

        After the deadline this is 0.0, and for never it is None.
        """
        return None if self._at == math.inf else max(0.0, self._at - time.monotonic())

    def within(self, most: float) -> float:
        """Return the seconds that are left, but at most `most`. Loops that poll use this."""
        return max(0.0, min(most, self._at - time.monotonic()))

    @property
    def expired(self) -> bool:
        """Whether the deadline has passed."""
        return time.monotonic() >= self._at

    def sooner(self, other: "Deadline") -> "Deadline":
        """Return the earlier of the two deadlines."""
        return self if self._at <= other._at else other

    @property
    def at(self) -> float:
        """The reading of time.monotonic() at which the deadline passes; infinity for never."""
        return self._at

    def __repr__(self) -> str:
        left = self.left()
        return "Deadline(never)" if left is None else f"Deadline({left:.3f}s left)"
