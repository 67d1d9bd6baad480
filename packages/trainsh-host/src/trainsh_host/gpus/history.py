"""Draws the use of each GPU in the last measurements as a row of block characters."""

from collections import deque

from trainsh_host.gpus.model import HostGpus

BLOCKS = " ▁▂▃▄▅▆▇█"
KEPT = 60  # how many measurements are kept for each GPU
Key = tuple[str, str]


class History:
    """The use of the GPUs of all hosts.

    The newest measurement is the last. A measurement that failed is None.
    """

    def __init__(self) -> None:
        self._used: dict[Key, deque[float | None]] = {}

    def add(self, rows: list[HostGpus]) -> None:
        """Add one measurement of some hosts."""
        hosts = {row.host for row in rows}
        seen = {(row.host, gpu.uuid): gpu.use for row in rows for gpu in row.gpus if gpu.uuid}
        for key in {key for key in self._used if key[0] in hosts} | seen.keys():
            self._used.setdefault(key, deque(maxlen=KEPT)).append(seen.get(key))

    def drawn(self, host: str, uuid: str, width: int) -> str:
        """The last `width` measurements as text, one block character for each. The newest one is on the right."""
        used = list(self._used.get((host, uuid), ()))[-width:]
        return "".join(map(block, used)).rjust(width)


def block(use: float | None) -> str:
    """The block character for a use in percent, or a dot if the use is not known."""
    if use is None:
        return "·"
    return BLOCKS[max(1, min(8, round(use / 12.5)))]
