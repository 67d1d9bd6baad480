"""The use of each GPU in the last looks, drawn as a line of blocks."""

from collections import deque

from trainsh_host.gpus.model import HostGpus

BLOCKS = " ▁▂▃▄▅▆▇█"
KEPT = 60  # looks
Key = tuple[str, str]


class History:
    """What the GPUs of all hosts were doing, the newest last. A look that failed is a gap."""

    def __init__(self) -> None:
        self._used: dict[Key, deque[float | None]] = {}

    def add(self, rows: list[HostGpus]) -> None:
        """Note one look at some hosts."""
        hosts = {row.host for row in rows}
        seen = {(row.host, gpu.uuid): gpu.use for row in rows for gpu in row.gpus if gpu.uuid}
        for key in {key for key in self._used if key[0] in hosts} | seen.keys():
            self._used.setdefault(key, deque(maxlen=KEPT)).append(seen.get(key))

    def drawn(self, host: str, uuid: str, width: int) -> str:
        """The last `width` looks: a block for each, the newest on the right."""
        used = list(self._used.get((host, uuid), ()))[-width:]
        return "".join(map(block, used)).rjust(width)


def block(use: float | None) -> str:
    """The block for a use in percent; a point for an unknown one."""
    if use is None:
        return "·"
    return BLOCKS[max(1, min(8, round(use / 12.5)))]
