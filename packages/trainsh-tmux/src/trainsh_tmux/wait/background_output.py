"""Shows the output of a session's background steps during a wait."""

import contextlib
import queue
import threading

from trainsh_base.errors import Cancelled, TrainError
from trainsh_base.request import Request, serve_in_this_thread
from trainsh_base.system.deadline import Deadline
from trainsh_tmux.log.output import Output
from trainsh_tmux.log.sentinels import Piece
from trainsh_tmux.remote import step_scripts
from trainsh_tmux.session.live import LOST, Live, log_end
from trainsh_tmux.session.log_reader import LogReader

CATCH_UP = 20.0  # seconds to wait, at the end of a wait, for output that was not shown yet


class BackgroundOutput:
    """A context manager that emits what a session prints outside of foreground steps.

    It begins where the previous wait stopped or, if no wait of this process has shown anything yet, at the offset
    `shown` in the log. Each event has `end`, the offset in the log up to which all output was emitted. Values of
    secrets that this process handed to the session are masked.
    """

    def __init__(self, live: Live, request: Request, shown: int | None = None) -> None:
        self._live, self._request, self._shown = live, request, shown
        self._output = Output(live.secrets, self._emit)
        self._reader = LogReader(live)
        self._inside = ""
        self._thread = threading.Thread(target=self._run, daemon=True, name=f"output of {live.name}")

    def __enter__(self) -> "BackgroundOutput":
        live = self._live
        offsets = (live.shown, self._shown, live.marks.background)
        start = next((offset for offset in offsets if offset is not None), None)
        if start is None:
            self._reader.follow()
        else:
            self._reader.follow_from(start)
        self._thread.start()
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        self._reader.put(("over", 0 if isinstance(error, Cancelled) else self._end()))
        self._thread.join()
        self._reader.close()
        self._output.finish()
        if places := self._output.leaks.places:
            with contextlib.suppress(TrainError):
                self._live.host.ask(step_scripts.mask_log(self._live.job, self._live.name, places))

    def _end(self) -> int:
        """Return the offset up to which output is still read after the wait is over.

        For a separate stream, which lags behind, this is the end of the log. For the shared stream it is 0, so that
        no more output is read.
        """
        live = self._live
        if self._reader.rereads and not live.host.lost:
            with contextlib.suppress(TrainError):
                return log_end(live.host, live.job, live.name)
        return 0

    def _run(self) -> None:
        serve_in_this_thread(self._request)
        end: int | None = None
        limit = Deadline.never()
        try:
            while end is None or ((self._reader.position or 0) < end and not limit.expired):
                item = self._reader.next(limit.left())
                if isinstance(item, tuple):
                    end, limit = item[1], Deadline.after(CATCH_UP)
                elif isinstance(item, Piece):
                    self._see(item)
                elif item is LOST and self._reader.rereads:
                    self._reader.follow_from(self._live.shown or 0)
        except queue.Empty:
            self._request.emit(
                "log", message=f"output of session {self._live.name} is missing here: it came too late"
            )
        except TrainError as error:
            self._request.emit("log", message=f"the session's output is no longer shown: {error.message}")

    def _emit(self, text: str) -> None:
        self._request.emit("output", data=text, end=(self._live.shown or 0) - self._output.held)

    def _see(self, piece: Piece) -> None:
        self._live.shown = piece.end
        step = piece.fields[0] if piece.fields else ""
        if piece.letter == "o" and step not in self._live.background:
            self._inside = step
        # The sentinel `p` tells that the step runs in the background. If another process began the step, nothing
        # else tells so.
        elif piece.letter in ("e", "p") and step == self._inside:
            self._inside = ""
        elif not piece.letter and not self._inside:
            self._output.feed(piece.offset, piece.data)
