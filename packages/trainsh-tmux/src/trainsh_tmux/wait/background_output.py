"""What a session prints while something else is waited for: the output of its background steps, as it comes."""

import threading

from trainsh_base.request import Request
from trainsh_tmux.log.output import Output
from trainsh_tmux.log.sentinels import Piece
from trainsh_tmux.session.live import Inbox, Live


class Spectator:
    """Emits a session's output that belongs to no foreground step, from where the spectator before stopped.

    A context: it watches until it is left. Values of secrets that this process handed to the session are masked.
    """

    def __init__(self, live: Live, request: Request) -> None:
        self._live = live
        self._output = Output(live.secrets, lambda text: request.emit("output", data=text))
        self._inbox = Inbox()
        self._inside = ""
        self._echoing = False
        self._thread = threading.Thread(target=self._run, daemon=True, name=f"spectator of {live.name}")

    def __enter__(self) -> "Spectator":
        live = self._live
        start = live.shown if live.shown is not None else live.marks.background
        kept = None if start is None else live.listen_from(start, self._inbox)
        if kept is None:
            live.listen(inbox=self._inbox)
        for piece in kept or []:
            self._see(piece)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.leave(self._inbox)
        self._inbox.put(None)
        self._thread.join()
        self._output.finish()

    def _run(self) -> None:
        while (item := self._inbox.get()) is not None:
            if isinstance(item, Piece):
                self._see(item)

    def _see(self, piece: Piece) -> None:
        self._live.shown = piece.end
        if piece.letter:
            self._mark(piece)
        elif not self._echoing and not self._inside:
            self._output.feed(piece.offset, piece.data)

    def _mark(self, piece: Piece) -> None:
        step = piece.fields[0] if piece.fields else ""
        if piece.letter in ("b", "o"):
            self._echoing = piece.letter == "b"
        if piece.letter == "o" and step not in self._live.background:
            self._inside = step
        elif piece.letter == "e" and step == self._inside:
            self._inside = ""
