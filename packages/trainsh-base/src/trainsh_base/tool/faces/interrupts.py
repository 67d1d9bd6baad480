"""Lets Ctrl-C end the process at once, while no code can handle Ctrl-C.

The status is the one that a shell expects.
"""

import signal
from collections.abc import Callable
from types import FrameType

from trainsh_base.system import spawn


def heed_endings(handler: Callable[[int, FrameType | None], object]) -> None:
    """Call `handler` on SIGTERM and SIGHUP.

    A signal that the process was started to ignore (nohup) stays ignored.
    """
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, handler)


def quick_interrupts(on: bool) -> None:
    """With `on`, make Ctrl-C end the process at once. Otherwise Ctrl-C raises KeyboardInterrupt, as usual.

    `on` is used while modules are loaded, and while the process ends. If a KeyboardInterrupt is raised during an
    import, Python may lose it: 3 of 100 were lost in the first 0.2 s.
    """
    ours, usual = spawn.end_at_interrupt, signal.default_int_handler
    if signal.getsignal(signal.SIGINT) is (usual if on else ours):  # if SIGINT is ignored (nohup), it stays ignored
        signal.signal(signal.SIGINT, ours if on else usual)
