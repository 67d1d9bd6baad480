"""What a step's request hears of its session, one thing at a time, whatever stream it comes from."""

import time

from trainsh_tmux.log.sentinels import Piece
from trainsh_tmux.log.stream import Stream
from trainsh_tmux.session.live import LOST, Inbox, Live


class Feed:
    """An inbox for pieces of the session's shared stream, or of one of its own that begins further back.

    Beside pieces it takes what the host says and LOST, in the order in which they come.
    """

    def __init__(self, live: Live) -> None:
        self.put = (inbox := Inbox()).put
        self._live = live
        self._inbox = inbox
        self._own: Stream | None = None
        self._source: object = None
        self._closed = False

    @property
    def rereads(self) -> bool:
        """Whether it has a stream of its own."""
        return self._own is not None

    def listen(self) -> None:
        """Hear the shared stream from now on."""
        self._live.listen(inbox=self._inbox)

    def reread(self, offset: int, within: float) -> None:
        """Hear the log from `offset` on, over a stream of our own; `within` seconds for its connection."""
        live = self._live
        live.leave(self._inbox)
        if self._own is not None:
            self._own.close()
        self._source = source = object()
        self._own = Stream(
            live.host, live.job, live.name, offset, lambda piece: self._wait_and_put((piece, source)),
            lambda: self.put(LOST), within=within,
        )  # fmt: skip

    def _wait_and_put(self, item: tuple[Piece, object]) -> None:
        """From a stream of our own: it waits for room, so that what is not taken stays on the host."""
        while self._inbox.full and not self._closed:
            time.sleep(0.01)
        self.put(item)

    def next(self, timeout: float) -> object:
        """What comes next: a Piece, or whatever was put; None for what comes again. Raises queue.Empty."""
        item = self._inbox.get(timeout=timeout)
        if isinstance(item, Piece):
            # With a stream of our own, what the shared one had sent before comes again.
            return item if self._own is None else None
        if isinstance(item, tuple) and isinstance(item[0], Piece):
            # What a stream sent before it was replaced comes again from the new one.
            return item[0] if item[1] is self._source else None
        return item

    def close(self) -> None:
        """Hear no more."""
        self._closed = True
        self._live.leave(self._inbox)
        if self._own is not None:
            self._own.close()
