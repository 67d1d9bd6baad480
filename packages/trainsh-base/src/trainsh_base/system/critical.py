"""Critical sections. A process waits for them before it exits."""

import contextlib
import threading
from collections.abc import Iterator

LONGEST = 120.0  # seconds that a process waits for critical sections; then it exits anyway

_running = 0
_changed = threading.Condition()


@contextlib.contextmanager
def critical() -> Iterator[None]:
    """Keep the process alive until the end of this block, even if its client has ended: `serve` waits for the
    block.
    """
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
    """Wait until no critical section runs. Return False if one still runs after `timeout` seconds."""
    with _changed:
        return _changed.wait_for(lambda: _running == 0, timeout)
