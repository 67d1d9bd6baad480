"""Reads a session's log for one request, in pieces (see Piece). Steps, waits and background output use it."""

import time
from collections import deque

from trainsh_base.system.deadline import Deadline
from trainsh_tmux.log.sentinels import Piece
from trainsh_tmux.log.stream import Stream
from trainsh_tmux.session.live import LOST, Inbox, Live


class LogReader:
    """Receives pieces of the log, from the session's shared stream or from a separate stream that begins at an
    older offset.

    Messages from the host, errors, and LOST if the connection was cut, are received too. All come in order of
    arrival.
    """

    def __init__(self, live: Live) -> None:
        self.inbox = inbox = Inbox()
        self.put = inbox.put
        self.position: int | None = None  # the offset in the log up to which this reader has read
        self._live = live
        self._kept: deque[Piece] = deque()
        self._own: Stream | None = None
        self._source: object = None
        self._closed = False

    @property
    def rereads(self) -> bool:
        """Whether this reader uses a separate stream instead of the session's shared one."""
        return self._own is not None

    def follow(self) -> None:
        """Read the shared stream from now on."""
        self._live.listen(self.inbox)
        self.position = self._live.end

    def follow_from(self, offset: int, deadline: Deadline | None = None) -> None:
        """Read the log from `offset` on.

        Use the shared stream if it keeps pieces from there on, else a separate stream.
        """
        self._live.leave(self.inbox)
        kept = self._live.listen_from(offset, self.inbox, deadline)
        if kept is None:
            self.reread(offset, deadline)
        else:
            self._end_own()
            self._kept = deque(kept)
            self.position = offset

    def reread(self, offset: int, deadline: Deadline | None = None) -> None:
        """Read the log from `offset` over a separate stream."""
        live = self._live
        live.leave(self.inbox)
        self._end_own()
        self._kept.clear()
        self.position = offset
        self._source = source = object()
        self._own = Stream(
            live.host, live.job, live.name, offset, lambda piece: self._wait_and_put((piece, source)),
            lambda error: self.put(error or LOST), deadline=deadline,
        )  # fmt: skip

    def _end_own(self) -> None:
        if self._own is not None:
            self._own.close()
        self._own = self._source = None

    def _wait_and_put(self, item: tuple[Piece, object]) -> None:
        """Put a piece from a separate stream into the inbox.

        While the inbox is full, this waits, so that output that was not read stays on the host.
        """
        while self.inbox.full and not self._closed:
            time.sleep(0.01)
        self.put(item)

    def next(self, timeout: float | None) -> object:
        """Return the next Piece or message.

        Return None if the piece is to be ignored, because another stream also sends it. Raises queue.Empty after
        `timeout` seconds, and errors that the inbox received.
        """
        item = self._kept.popleft() if self._kept else self.inbox.get(timeout=timeout)
        if isinstance(item, Piece):
            # While there is a separate stream, the pieces of the shared stream are ignored, because both send the
            # same.
            return self._read(item) if self._own is None else None
        if isinstance(item, tuple) and isinstance(item[0], Piece):
            # Pieces of a replaced stream are dropped, because the new stream sends them again.
            return self._read(item[0]) if item[1] is self._source else None
        if isinstance(item, BaseException):
            raise item
        return item

    def _read(self, piece: Piece) -> Piece:
        self.position = piece.end
        return piece

    def close(self) -> None:
        """Stop reading."""
        self._closed = True
        self._live.leave(self.inbox)
        if self._own is not None:
            self._own.close()
