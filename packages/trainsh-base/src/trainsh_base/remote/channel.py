"""A shell on a machine that answers small requests over one pair of pipes: a request is one round trip.

A request is one compound command, `{ ...; }`: a channel cut in the middle of it leaves the shell with a syntax
error and nothing run. Answers are lines `R NUMBER TEXT` of at most 4,000 bytes (a pipe keeps such a write whole
when requests answer side by side) and at last `E NUMBER STATUS`.
"""

import contextlib
import os
import threading
from collections.abc import Callable

from trainsh_base.errors import TimedOut, TrainError, Unreachable
from trainsh_base.remote.target import Target
from trainsh_base.request import Request
from trainsh_base.system import spawn

OnLine = Callable[[str], None]
Over = Callable[[int | None], None]
START_LIMIT = 30.0


class ChannelLost(Unreachable):
    """The channel went: the connection was cut, or its shell was killed. What it had been sent may have run."""

    default_code = "channel_lost"


def lost(error: BaseException) -> bool:
    """Whether it is a cut, after which another channel may do."""
    return isinstance(error, ChannelLost)


class Ask:
    """A request that is out: its reply lines so far, and its status once it is over (None: the channel went)."""

    def __init__(self, number: int, on_line: OnLine | None, on_end: Over | None) -> None:
        self.number = number
        self.lines: list[str] = []
        self.status: int | None = None
        self._on_line = on_line
        self._on_end = on_end
        self._over = threading.Event()

    def line(self, text: str) -> None:
        """One reply line came."""
        self.lines.append(text)
        if self._on_line:
            self._on_line(text)

    def end(self, status: int | None) -> None:
        """The request is over."""
        self.status = status
        self._over.set()
        if self._on_end:
            self._on_end(status)

    def wait(self, timeout: float) -> list[str]:
        """The reply lines, once the request is over. Raises ChannelLost, TimedOut."""
        if not self._over.wait(timeout):
            raise TimedOut(f"the host did not answer within {timeout:g} seconds", code="host_silent")
        if self.status is None:
            raise ChannelLost("the connection to the host was cut")
        return self.lines


class Channel:
    """One shell on `target`. Requests may come from any thread; they run one after the other, at once."""

    def __init__(
        self, target: Target, request: Request, *, within: float = 0.0, anew: Callable[[], Target] | None = None
    ) -> None:
        """Start it, connecting where needed (`anew`: to where); raises what `ssh.start` raises."""
        self.target = target
        self.lost = False
        self._lock = threading.Lock()
        self._write = threading.Lock()
        self._asks: dict[int, Ask] = {}
        self._number = 0
        self._child = open_shell(target, request, within=within, anew=anew)
        self._lines = os.fdopen(self._child.stdout, "rb")
        try:
            self._greet()
        except BaseException:
            self._child.end()
            self._lines.close()
            raise
        threading.Thread(target=self._reap, daemon=True, name=f"end of channel {target.name}").start()
        threading.Thread(target=self._read, daemon=True, name=f"channel {target.name}").start()

    def _greet(self) -> None:
        """Login files may have printed: what counts begins at a mark. Diagnostics of requests go nowhere."""
        mark = f"train-{os.urandom(8).hex()}"
        with contextlib.suppress(OSError):
            self._send(f"exec 2>/dev/null; umask 077; set +e; printf '\\n%s\\n' {mark}\n")
            for line in self._lines:
                if line.strip() == mark.encode():
                    return
        raise ChannelLost(f"the shell on {self.target.label or self.target.name} ended before it answered")

    def ask(
        self, body: str, *, on_line: OnLine | None = None, on_end: Over | None = None, silent: bool = False
    ) -> Ask:
        """Send a script that prints its answers with `say TEXT...`; returns at once. Its input is empty.

        `on_line` and `on_end` are called from the reader's thread: they must be quick. A `silent` request does not
        report its end (something else shows that it worked): it is heard until `forget`.
        """
        with self._lock:
            self._number += 1
            ask = Ask(self._number, on_line, on_end)
            if not self.lost:
                self._asks[ask.number] = ask
        if self.lost:
            ask.end(None)
            return ask
        try:
            self._send(compound(ask.number, body, silent=silent))
        except OSError:
            self.lost = True  # before the end is told: whoever hears of it looks whether to connect again
            self.forget(ask.number)
            ask.end(None)
        return ask

    def listen(self, on_line: OnLine, on_end: Over) -> int:
        """A number of its own, for reply lines that belong to no request: what a background script finds out.

        `on_end` is called with None when the channel goes, at once when it is gone.
        """
        with self._lock:
            self._number += 1
            number = self._number
            if not self.lost:
                self._asks[number] = Ask(number, on_line, on_end)
                return number
        on_end(None)
        return number

    def forget(self, number: int) -> None:
        """Hear no more of `number`."""
        with self._lock:
            self._asks.pop(number, None)

    def close(self) -> None:
        """End the shell."""
        self._child.end()

    def _send(self, text: str) -> None:
        with self._write:
            view = memoryview(text.encode("utf-8", "surrogateescape"))
            while view:
                if self._child.stdin < 0:
                    raise OSError("closed")
                view = view[os.write(self._child.stdin, view) :]

    def _read(self) -> None:
        with contextlib.suppress(OSError, ValueError), self._lines:
            for line in self._lines:
                self._receive(line.decode("utf-8", "surrogateescape").rstrip("\n"))
        self._over()
        self._child.end()

    def _reap(self) -> None:
        """The shell's end is seen by waiting for it: what it left running may hold its output open."""
        self._child.wait()
        self._over()

    def _over(self) -> None:
        with self._lock:
            self.lost = True
            left, self._asks = list(self._asks.values()), {}
        for ask in left:
            ask.end(None)

    def _receive(self, line: str) -> None:
        kind, _, rest = line.partition(" ")
        number, _, text = rest.partition(" ")
        ask = self._asks.get(int(number)) if number.isdigit() else None
        if ask is None:
            return
        if kind == "R":
            ask.line(text)
        elif kind == "E":
            self.forget(ask.number)
            ask.end(int(text) if text.isdigit() else 1)


def compound(number: int, body: str, *, silent: bool = False) -> str:
    """The text of a request: whole, or a syntax error."""
    end = "" if silent else f"printf 'E {number} %s\\n' \"$?\"; "
    return f"{{ say() {{ printf 'R {number} %s\\n' \"$*\"; }}\n{{ {body}\n}} </dev/null; {end}}}\n"


def open_shell(
    target: Target,
    request: Request,
    *,
    within: float = 0.0,
    bulk: bool = False,
    anew: Callable[[], Target] | None = None,
) -> spawn.Child:
    """A plain sh on `target` that reads commands from its input: on this machine, or over the shared connection."""
    if target.kind == "local":
        return spawn.start(["sh"])
    from trainsh_base.remote import ssh  # noqa: PLC0415 - this machine needs none

    try:
        return ssh.start(
            target, "exec sh", bulk=bulk, request=request, within=within or START_LIMIT, nudge=b"\n", anew=anew
        )
    except TrainError as error:
        error.data.setdefault("host", target.name)
        raise


def quote(text: str) -> str:
    """`text` as one shell word. A NUL cannot be in one and is left out."""
    return "'" + text.replace("\0", "").replace("'", "'\\''") + "'"
