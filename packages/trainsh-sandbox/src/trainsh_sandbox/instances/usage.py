"""Records how an instance uses disk, GPU and bandwidth, in time and money."""

from typing import Any

GB = 1000**3


class Usage:
    """The ledger of one instance. Times are in the sandbox's seconds, prices in $/h and $/GB."""

    def __init__(self, now: float, disk_price: float, up_price: float, down_price: float) -> None:
        self.disk_price = disk_price
        self.up_price = up_price
        self.down_price = down_price
        self.since = now
        self.until: float | None = None
        # [start, end or None, price] for each time in which the GPU was billed
        self.gpu: list[list[float | None]] = []
        self.up = 0
        self.down = 0

    @property
    def runs(self) -> bool:
        """Whether the GPU is billed now."""
        return bool(self.gpu) and self.gpu[-1][1] is None

    @property
    def rate(self) -> float:
        """The current cost in $ per hour."""
        if self.until is not None:
            return 0.0
        return self.disk_price + float((self.gpu[-1][2] if self.runs else 0.0) or 0.0)

    def run(self, now: float, price: float) -> None:
        """Start billing the GPU."""
        self.rest(now)
        self.gpu.append([now, None, price])

    def rest(self, now: float) -> None:
        """Stop billing the GPU."""
        if self.runs:
            self.gpu[-1][1] = now

    def end(self, now: float) -> None:
        """Stop all billing."""
        self.rest(now)
        self.until = self.until or now

    def items(self, start: float, end: float) -> list[dict[str, Any]]:
        """The lines of a bill for the time from `start` to `end`."""
        lines = []
        for begun, ended, price in self.gpu:
            lines += _line("gpu", begun or 0.0, end if ended is None else ended, price or 0.0, start, end)
        lines += _line("disk", self.since, end if self.until is None else self.until, self.disk_price, start, end)
        for kind, count, price in (("bwu", self.up, self.up_price), ("bwd", self.down, self.down_price)):
            if count:
                amount = count / GB * price
                words = f"{count / GB:.3f} GB at ${price:.3f}/GB"
                lines.append(
                    {"type": kind, "start": self.since, "end": end, "description": words, "amount": amount}
                )
        return lines

    def cost(self, now: float) -> float:
        """The total cost until now, in $."""
        return float(sum(line["amount"] for line in self.items(0.0, now)))


def _line(kind: str, begun: float, ended: float, price: float, start: float, end: float) -> list[dict[str, Any]]:
    begun, ended = max(begun, start), min(ended, end)
    if ended <= begun:
        return []
    hours = (ended - begun) / 3600
    words = f"{hours:.3f} hours at ${price:.3f}/hour"
    return [{"type": kind, "start": begun, "end": ended, "description": words, "amount": hours * price}]
