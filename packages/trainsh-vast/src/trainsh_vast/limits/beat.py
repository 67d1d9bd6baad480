"""Tells the watchdog of each machine that a runner is alive. Lines are sent as long as this process lives."""

import contextlib
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trainsh_base.remote.target import Target

EVERY = 30.0  # the most seconds between two lines
HEAR = 'exec sh "${HOME:-/root}/.local/state/tmux-trainsh/watchdog/watchdog.sh" hear'


class Beat:
    """Sends lines to one machine, over an ssh connection. A broken connection is made again."""

    def __init__(self, target: "Target", every: float) -> None:
        self._target, self._every = target, every
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="beat")
        self._thread.start()

    def _run(self) -> None:
        child: Any = None
        while not self._over.is_set():
            try:
                if child is None or child.poll() is not None:
                    child = self._open()
                child.stdin.write(b"\n")
                child.stdin.flush()
            except OSError:
                self._shut(child)
                child = None
            self._over.wait(self._every)
        self._shut(child)

    def _open(self) -> Any:
        import subprocess  # noqa: PLC0415 - help does without

        from trainsh_vast.rented import login  # noqa: PLC0415 - as above

        argv = login.argv(self._target, HEAR, "-o", "ServerAliveInterval=15")
        return subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env=login.environment(), start_new_session=True,
        )  # fmt: skip

    def _shut(self, child: Any) -> None:
        if child is None:
            return
        with contextlib.suppress(OSError):
            child.stdin.close()
        child.terminate()
        child.wait()

    def end(self) -> None:
        """Send no more lines, and close the connection."""
        self._over.set()
        self._thread.join(5)


_beats: dict[int, Beat] = {}
_lock = threading.Lock()


def begin(number: int, target: "Target", idle: float) -> None:
    """Send lines to the watchdog of an instance, at the instance's newest address.

    `idle` is the idle limit in seconds, or 0 if there is none. Several lines are sent in each period of `idle`
    seconds.
    """
    with _lock:
        old = _beats.pop(number, None)
        _beats[number] = Beat(target, min(EVERY, max(0.5, idle / 4)) if idle else EVERY)
    if old:
        old.end()


def stop(number: int) -> None:
    """Stop sending lines to the watchdog of one instance."""
    with _lock:
        old = _beats.pop(number, None)
    if old:
        old.end()


def end() -> None:
    """Stop sending lines to all watchdogs, because the runner has ended."""
    for number in list(_beats):
        stop(number)
