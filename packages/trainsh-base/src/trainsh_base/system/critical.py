"""Work that must not be cut in two: a process that ends waits for it first."""

import contextlib
import threading
from collections.abc import Iterator

LONGEST = 120.0  # seconds a process waits for such work before it ends all the same

_running = 0
_changed = threading.Condition()


@contextlib.contextmanager
def critical() -> Iterator[None]:
    """Keep the process alive until the block is done, also when its client is gone (a `serve` waits)."""
    global _running  # noqa: PLW0603 - the process as a whole is what waits
    with _changed:
        _running += 1
    try:
        yield
    finally:
        with _changed:
            _running -= 1
            _changed.notify_all()


def finish(timeout: float = LONGEST) -> bool:
    """Wait until no critical work runs; False when it still does after `timeout` seconds."""
    with _changed:
        return _changed.wait_for(lambda: _running == 0, timeout)
