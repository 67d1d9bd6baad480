"""The log offset at which a pattern wait begins to search (docs/language.md, "Sessions and hosts")."""


class Bases:
    """The log offsets of a session's last step, first background step and last matching wait."""

    def __init__(self) -> None:
        self.waited: int | None = None
        self.background: int | None = None
        self.step: int | None = None

    def started(self, offset: int, background: bool) -> None:
        """Record that a step began at `offset`."""
        self.step = offset
        if background and self.background is None:
            self.background = offset

    def satisfied(self, offset: int) -> None:
        """Record that a wait matched a line that ends at `offset`."""
        self.waited = offset

    def since(self) -> int:
        """Return the log offset at which the next pattern wait begins to search.

        It is the offset of the last matching wait, else of the first background step, else of the last step.
        """
        for offset in (self.waited, self.background, self.step):
            if offset is not None:
                return offset
        return 0
