"""Detects that a step waits for input at its terminal, and prints for people the command that attaches to the
terminal.
"""

import time

from trainsh_base.request import Request
from trainsh_tmux.log.output import Output
from trainsh_tmux.session.errors import as_word
from trainsh_tmux.session.live import Live

QUIET = 2.0  # seconds of silence after which an unfinished line is taken for a question
TIMES = 3  # how often one step is reported at most
ENDS = ("?", ":", ">", "]", ")", "$", "#")  # last characters of a question
REDRAWN_ENDS = ("?", ":")  # last characters of a question on a line that is redrawn, as a progress bar is


class Prompts:
    """Tells people, once for each question, that a step may be waiting for an answer."""

    def __init__(self, live: Live, step: str, output: Output, request: Request) -> None:
        self._live, self._step, self._output, self._request = live, step, output, request
        self._due: float | None = None
        self._left = TIMES
        self._told: str | None = None  # the last question that was reported

    @property
    def due(self) -> float | None:
        """The time, on the monotonic clock, at which `look` must be called next; None if there is nothing to look
        for.
        """
        return self._due

    def printed(self, data: bytes) -> None:
        """Record that the step has printed something."""
        self._told = None if b"\n" in data else self._told
        waits = self._left and not data.endswith((b"\n", b"\r"))
        self._due = time.monotonic() + QUIET if waits else None

    def look(self) -> None:
        """Report an unfinished line that has not changed for QUIET seconds."""
        if self._due is None or time.monotonic() < self._due:
            return
        self._due = None
        line, redrawn = self._output.unfinished()
        if line.endswith(REDRAWN_ENDS if redrawn else ENDS):
            self._tell(f"step {self._step} stopped at {line[-200:]!r} and may wait for an answer", line)

    def reads(self) -> None:
        """Report that the step reads from its terminal. The host has noticed this."""
        self._due = None
        line, _ = self._output.unfinished()
        asks = f" after {line[-200:]!r}" if line else ""
        self._tell(f"step {self._step} waits for input on its terminal{asks}", line)

    def _tell(self, what: str, line: str) -> None:
        if not self._left or (line and line == self._told):
            return
        self._left -= 1
        self._told = line
        words = ["train", "tmux", "attach", self._live.name]
        words += ["--host", self._live.host.spec] if self._live.host.spec != "local" else []
        words += ["--job", self._live.job] if self._live.job else []
        attach = " ".join(map(as_word, words))
        self._request.emit("log", message=f"{what}\nanswer it: {attach}", prompt=line, attach=attach)
