"""The use of each GPU in the last measurements, drawn as a row of block characters."""

from collections import deque

from trainsh_host.gpus.model import HostGpus

BLOCKS = " ▁▂▃▄▅▆▇█"
KEPT = 60  # measurements for each GPU
Key = tuple[str, str]


class History:
    """The use of the GPUs of all hosts, the newest measurement last; None where a measurement failed."""

    def __init__(self) -> None:
        self._used: dict[Key, deque[float | None]] = {}

    def add(self, rows: list[HostGpus]) -> None:
        """Add one measurement of some hosts."""
        hosts = {row.host for row in rows}
        seen = {(row.host, gpu.uuid): gpu.use for row in rows for gpu in row.gpus if gpu.uuid}
        for key in {key for key in self._used if key[0] in hosts} | seen.keys():
            self._used.setdefault(key, deque(maxlen=KEPT)).append(seen.get(key))

    def drawn(self, host: str, uuid: str, width: int) -> str:
        """The last `width` measurements, one block for each, the newest on the right."""
        used = list(self._used.get((host, uuid), ()))[-width:]
        return "".join(map(block, used)).rjust(width)


def block(use: float | None) -> str:
    """The block character for a use in percent; a dot for an unknown use."""
    if use is None:
        return "·"
    return BLOCKS[max(1, min(8, round(use / 12.5)))]
