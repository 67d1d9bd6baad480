"""Signals that end a run. They take effect only while the main thread waits, so they interrupt no operation."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from trainsh_base.errors import EXIT_HANGUP, EXIT_INTERRUPTED
from trainsh_recipe.engine.outside.cancellation import Cancel, Cancellation, Leave

LEFT_BY = {signal.SIGINT: EXIT_INTERRUPTED, signal.SIGTERM: 143, signal.SIGHUP: EXIT_HANGUP}


class Signals:
    """Turns signals into Leave and Cancel, which are raised inside `waiting()` in the main thread.

    A signal that arrives outside of `waiting()` takes effect in the next `waiting()`. `on_interrupt` handles
    Ctrl-C: it raises Leave or Cancel, or it returns, and the run continues. A signal that was ignored when the
    process started (by nohup) stays ignored.
    """

    def __init__(self, cancellation: Cancellation, on_interrupt: Callable[[], None]) -> None:
        self._cancellation = cancellation
        self._on_interrupt = on_interrupt
        self._open = False
        self._wanted: list[Callable[[], None]] = []
        self._before: dict[int, Any] = {}
        self._busy = False
        self.main = threading.current_thread() is threading.main_thread()

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Install the handlers for this block, if it runs in the main thread."""
        if not self.main:
            yield
            return
        handlers = {
            signal.SIGINT: self._interrupt,
            signal.SIGTERM: lambda number, _: self._act(lambda: self._leave(number)),
            signal.SIGHUP: lambda number, _: self._act(lambda: self._leave(number)),
            signal.SIGUSR1: lambda number, _: self._act(_cancelled),
        }
        for number, handler in handlers.items():
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._before[number] = signal.signal(number, handler)
        try:
            yield
        finally:
            for which, handler in self._before.items():
                signal.signal(which, handler)

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Let signals take effect in this block, in which the thread waits.

        Requests of earlier signals are raised first.
        """
        if not self.main or threading.current_thread() is not threading.main_thread():
            yield
            return
        self._open = True
        try:
            while self._wanted:
                self._wanted.pop(0)()
            yield
        finally:
            self._open = False

    def _act(self, action: Callable[[], None]) -> None:
        if self._open or self._busy:
            action()
        else:
            self._wanted.append(action)

    def _leave(self, number: int) -> None:
        leave = Leave(LEFT_BY[signal.Signals(number)], f"left by {signal.Signals(number).name}")
        self._cancellation.request(leave)
        raise leave

    def _interrupt(self, number: int, _frame: object) -> None:
        if self._busy:  # a second Ctrl-C, while the menu for the first is open
            self._leave(number)
        self._act(self._asked)

    def _asked(self) -> None:
        self._busy = True
        try:
            self._on_interrupt()
        finally:
            self._busy = False


def _cancelled() -> None:
    raise Cancel("cancelled")


def interrupted() -> None:
    """Leave the run, as Ctrl-C does if there is no terminal."""
    raise Leave(EXIT_INTERRUPTED, "left by SIGINT")


def cancel_runner(pid: int) -> None:
    """Tell the runner with this process id to cancel its job."""
    os.kill(pid, signal.SIGUSR1)
