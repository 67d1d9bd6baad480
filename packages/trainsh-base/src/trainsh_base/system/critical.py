"""Critical sections: a process that is about to exit waits for them first."""

import contextlib
import threading
from collections.abc import Iterator

LONGEST = 120.0  # seconds that a process waits for critical sections before it exits anyway

_running = 0
_changed = threading.Condition()


@contextlib.contextmanager
def critical() -> Iterator[None]:
    """Keep the process alive until the block is done, even if its client has gone (`serve` waits for it)."""
    global _running  # noqa: PLW0603 - one counter for the whole process
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
