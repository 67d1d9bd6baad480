"""Where a pattern wait begins to look (docs/language.md, "Sessions and hosts"), as offsets in the session's log."""


class Bases:
    """The offsets of what happened in a session."""

    def __init__(self) -> None:
        self.waited: int | None = None
        self.background: int | None = None
        self.step: int | None = None

    def started(self, offset: int, background: bool) -> None:
        """A step began at `offset`."""
        self.step = offset
        if background and self.background is None:
            self.background = offset

    def satisfied(self, offset: int) -> None:
        """A wait saw its line, which ends at `offset`."""
        self.waited = offset

    def since(self) -> int:
        """Since the last satisfied wait, else the earliest background step, else the latest step."""
        for offset in (self.waited, self.background, self.step):
            if offset is not None:
                return offset
        return 0
