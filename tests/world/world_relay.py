"""A link made by a process: it passes bytes to a port and back, with a delay, or not at all. It needs no rights."""

import contextlib
import selectors
import socket
import threading
import time
from collections import deque


class Relay:
    """Listens on `port`, and connects each connection to the port `to`. `delay` is in seconds, for each way.

    After `cut`, data is held and no error is seen. `restore` lets the held data pass. `drop` resets every
    connection. `passed` counts the bytes of both directions.
    """

    def __init__(self, to: tuple[str, int], delay: float = 0.0) -> None:
        self.to = to
        self.delay = delay
        self.passed = 0
        self._cut = False
        self._closing = False
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._wake, self._woken = socket.socketpair()
        self._selector = selectors.DefaultSelector()
        self._pipes: list[Pipe] = []
        self._dropping = False
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def cut(self) -> None:
        """Let nothing pass, without an error on either side."""
        self._cut = True
        self._poke()

    def restore(self) -> None:
        """Let the held data pass."""
        self._cut = False
        self._poke()

    def drop(self) -> None:
        """Reset every connection."""
        self._dropping = True
        self._poke()

    def close(self) -> None:
        """Close the port and all connections."""
        self._closing = True
        self._poke()
        self._thread.join(5)

    def _poke(self) -> None:
        with contextlib.suppress(OSError):
            self._wake.send(b".")

    def _work(self) -> None:
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._selector.register(self._woken, selectors.EVENT_READ)
        while not self._closing:
            for key, _ in self._selector.select(self._pause()):
                self._serve(key)
            if self._dropping:
                self._drop_all()
            if not self._cut and not self._dropping:  # else what is held must not arrive any more
                self.passed += sum(pipe.deliver() for pipe in list(self._pipes))
        self._drop_all()
        for end in (self._listener, self._wake, self._woken):
            end.close()

    def _pause(self) -> float | None:
        waiting = [pipe.held[0][0] for pipe in self._pipes if pipe.held]
        return None if self._cut or not waiting else max(0.0, min(waiting) - time.monotonic())

    def _serve(self, key: selectors.SelectorKey) -> None:
        if key.fileobj is self._woken:
            self._woken.recv(100)
        elif key.fileobj is self._listener:
            self._accept()
        else:
            pipe: Pipe = key.data
            if not pipe.read(self.delay):
                self._selector.unregister(pipe.source)

    def _accept(self) -> None:
        near, _ = self._listener.accept()
        try:
            far = socket.create_connection(self.to, 5)
        except OSError:
            near.close()
            return
        for source, sink in ((near, far), (far, near)):
            source.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            pipe = Pipe(source, sink)
            self._pipes.append(pipe)
            self._selector.register(source, selectors.EVENT_READ, pipe)

    def _drop_all(self) -> None:
        self._dropping = False
        for pipe in self._pipes:
            with contextlib.suppress(KeyError, ValueError):
                self._selector.unregister(pipe.source)
            pipe.source.close()
        self._pipes.clear()


class Pipe:
    """One direction: what was read, and when it must arrive."""

    def __init__(self, source: socket.socket, sink: socket.socket) -> None:
        self.source = source
        self.sink = sink
        self.held: deque[tuple[float, bytes]] = deque()

    def read(self, delay: float) -> bool:
        """Read the data that is there. Return False at the end of the stream, which is passed on like data."""
        try:
            data = self.source.recv(262144)
        except OSError:
            data = b""
        self.held.append((time.monotonic() + delay, data))
        return bool(data)

    def deliver(self) -> int:
        """Write the data that is due. Return how many bytes these were."""
        passed = 0
        while self.held and self.held[0][0] <= time.monotonic():
            _, data = self.held.popleft()
            passed += len(data)
            with contextlib.suppress(OSError):
                if data:
                    self.sink.sendall(data)
                else:
                    self.sink.shutdown(socket.SHUT_WR)
        return passed
