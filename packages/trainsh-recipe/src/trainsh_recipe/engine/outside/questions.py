"""Asks the questions of tools one at a time. Meanwhile the view is hidden, and the step's timeout is paused."""

import threading
import time
from collections.abc import Callable
from typing import Any

from trainsh_base.request import Request, nobody
from trainsh_recipe.engine.outside.view import View


class Questions:
    """Passes questions of tools to the person, and measures the time that this takes.

    `answered(seconds)` is called after each question; set it before the first one.
    """

    def __init__(self, request: Request, view: View) -> None:
        self._request = request
        self._view = view
        self.answered: Callable[[float], None] = lambda seconds: None
        self._turn = threading.Lock()
        self._began: float | None = None
        self._spent = 0.0

    @property
    def seconds(self) -> float:
        """The seconds spent on questions so far, including a question that is being asked."""
        began = self._began
        return self._spent + (time.monotonic() - began if began is not None else 0.0)

    @property
    def open(self) -> bool:
        """Whether a question is being asked now."""
        return self._began is not None

    def ask(self, params: dict[str, Any]) -> str:
        """Ask the person at the terminal. Raises UsageError, which names the flag, if not interactive."""
        kind, message, flag = str(params.get("kind")), str(params.get("message")), str(params.get("flag") or "")
        with self._turn:
            self._began = time.monotonic()
            try:
                with self._view.paused():
                    return self._request.ask(
                        kind, message, choices=params.get("choices"), default=params.get("default"), flag=flag
                    )
            except (EOFError, KeyboardInterrupt):
                raise nobody(message, flag) from None
            except Exception as error:
                if type(error).__name__ == "Abort":  # click raises it for Ctrl-C and Ctrl-D at a prompt
                    raise nobody(message, flag) from None
                raise
            finally:
                seconds = time.monotonic() - self._began
                self._spent += seconds
                self._began = None
                self.answered(seconds)
