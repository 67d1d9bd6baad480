"""Shows the output of a session's background steps during a wait."""

import contextlib
import threading

from trainsh_base.errors import TrainError
from trainsh_base.request import Request, serve_in_this_thread
from trainsh_tmux.log.output import Output
from trainsh_tmux.log.sentinels import Piece
from trainsh_tmux.remote import step_scripts
from trainsh_tmux.session.live import LOST, Live
from trainsh_tmux.session.log_reader import LogReader


class BackgroundOutput:
    """Emits what a session printed outside of foreground steps, beginning where the previous wait stopped.

    A context manager. Values of secrets that this process handed to the session are masked.
    """

    def __init__(self, live: Live, request: Request) -> None:
        self._live, self._request = live, request
        self._output = Output(live.secrets, lambda text: request.emit("output", data=text))
        self._reader = LogReader(live)
        self._inside = ""
        self._thread = threading.Thread(target=self._run, daemon=True, name=f"output of {live.name}")

    def __enter__(self) -> "BackgroundOutput":
        live = self._live
        start = live.shown if live.shown is not None else live.marks.background
        if start is None:
            self._reader.follow()
        else:
            self._reader.follow_from(start)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._reader.put(("over", ""))
        self._thread.join()
        self._reader.close()
        self._output.finish()
        if places := self._output.leaks.places:
            with contextlib.suppress(TrainError):
                self._live.host.ask(step_scripts.mask_log(self._live.job, self._live.name, places))

    def _run(self) -> None:
        serve_in_this_thread(self._request)
        try:
            while not isinstance(item := self._reader.next(None), tuple):
                if isinstance(item, Piece):
                    self._see(item)
                elif item is LOST and self._reader.rereads:
                    self._reader.follow_from(self._live.shown or 0)
        except TrainError as error:
            self._request.emit("log", message=f"the session's output is no longer shown: {error.message}")

    def _see(self, piece: Piece) -> None:
        self._live.shown = piece.end
        step = piece.fields[0] if piece.fields else ""
        if piece.letter == "o" and step not in self._live.background:
            self._inside = step
        elif piece.letter == "e" and step == self._inside:
            self._inside = ""
        elif not piece.letter and not self._inside:
            self._output.feed(piece.offset, piece.data)
