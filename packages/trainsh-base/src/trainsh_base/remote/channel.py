"""A shell on a machine that answers small requests over one pair of pipes. A request takes one round trip.

A request is one compound command, `{ ...; }`. If the channel is cut in the middle of a request, the shell sees a
syntax error and runs nothing. A reply consists of lines `R NUMBER TEXT`, and then one line `E NUMBER STATUS`. A
line has at most 4,000 bytes, so that it is written in one piece even if several requests reply at once. All other
lines are dropped, because they come from programs that the login files left running.
"""

import contextlib
import os
import re
import select
import threading
from collections.abc import Callable

from trainsh_base.errors import TimedOut, TrainError, Unreachable
from trainsh_base.remote.line_reader import LineReader
from trainsh_base.remote.target import Target
from trainsh_base.request import Request
from trainsh_base.system import spawn
from trainsh_base.system.bad_answer import BadAnswer
from trainsh_base.system.deadline import Deadline

OnLine = Callable[[str], None]
Over = Callable[[int | None], None]
Relocate = Callable[[], Target]
START_LIMIT = 30.0
SEND_LIMIT = 60.0  # seconds within which a shell must read what it was sent
MOST_ANSWER = 16 << 20  # the most bytes of one reply
_REPLY = re.compile(r"([RE]) ([0-9]{1,18})(?: (.*))?", re.DOTALL)
_STATUS = re.compile(r"[0-9]{1,3}")


class ChannelLost(Unreachable):
    """The connection was cut, or the shell was killed. Requests that were sent before may have run."""

    default_code = "channel_lost"


def lost(error: BaseException) -> bool:
    """Whether `error` means that the channel was lost, so that a new channel may work."""
    return isinstance(error, ChannelLost)


class Ask:
    """A request that was sent. `lines` has the reply so far.

    `status` has the status as soon as the request has ended. If the channel was lost, `status` is None. If there is
    an `on_line`, it is called with each line, and no line is kept.
    """

    def __init__(self, number: int, on_line: OnLine | None, on_end: Over | None) -> None:
        self.number = number
        self.lines: list[str] = []
        self.status: int | None = None
        self.failure: BaseException | None = None
        self._size = 0
        self._on_line = on_line
        self._on_end = on_end
        self._over = threading.Event()

    def line(self, text: str) -> None:
        """Take one reply line. Raises BadAnswer if the lines together exceed MOST_ANSWER.

        Also raises what `on_line` raises.
        """
        if self._on_line:
            self._on_line(text)
            return
        self._size += len(text)
        if self._size > MOST_ANSWER:
            raise BadAnswer(f"the host answered with more than {MOST_ANSWER} bytes")
        self.lines.append(text)

    def end(self, status: int | None, failure: BaseException | None = None) -> None:
        """Mark the request as ended. If there is a `failure`, `wait` will raise it."""
        self.status, self.failure = status, failure
        self._over.set()
        if self._on_end:
            self._on_end(status)

    def wait(self, timeout: float) -> list[str]:
        """Wait until the request has ended; returns the reply lines. Raises ChannelLost, BadAnswer, TimedOut."""
        if not self._over.wait(timeout):
            raise TimedOut(f"the host did not answer within {timeout:g} seconds", code="host_silent")
        if self.failure is not None:
            raise self.failure
        if self.status is None:
            raise ChannelLost("the connection to the host was cut")
        return self.lines


class Channel:
    """One shell on `target`. Any thread may send requests. The shell runs the requests in order, without pauses."""

    def __init__(
        self,
        target: Target,
        request: Request,
        *,
        deadline: Deadline | None = None,
        relocate: Relocate | None = None,
    ) -> None:
        """Start the shell, after connecting to the machine if needed.

        `deadline` and `relocate` mean the same as for `ssh.start`, and the same errors are raised.
        """
        self.target = target
        self.lost = False
        self._lock = threading.Lock()
        self._write = threading.Lock()
        self._asks: dict[int, Ask] = {}
        self._number = 0
        self._child = open_shell(target, request, deadline=deadline, relocate=relocate)
        os.set_blocking(self._child.stdin, False)
        self._lines = LineReader(self._child.stdout)
        try:
            self._greet(request)
        except BaseException:
            self._child.end()
            self._lines.close()
            raise
        threading.Thread(target=self._reap, daemon=True, name=f"end of channel {target.name}").start()
        threading.Thread(target=self._read, daemon=True, name=f"channel {target.name}").start()

    def _greet(self, request: Request) -> None:
        """Make the shell print a random line, and discard what the login files print before that line.

        From then on, the stderr of every request goes to /dev/null. The umask is 077, $TS_MASK the account's.
        """
        sentinel = f"train-{os.urandom(8).hex()}"
        deadline = Deadline.after(START_LIMIT).sooner(Deadline(request.until))
        with contextlib.suppress(OSError):
            self._send(f"exec 2>/dev/null; TS_MASK=$(umask); umask 077; set +e; printf '\\n%s\\n' {sentinel}\n")
            while (line := self._lines.line(deadline)) is not None:
                if line.strip() == sentinel.encode():
                    return
        raise ChannelLost(f"the shell on {self.target.label or self.target.name} ended before it answered")

    def ask(
        self, body: str, *, on_line: OnLine | None = None, on_end: Over | None = None, silent: bool = False
    ) -> Ask:
        """Send the shell script `body` and return at once. The script prints each reply line with `say TEXT...`.

        The script has an empty stdin. The reader's thread calls `on_line` and `on_end`, so they must be quick. A
        `silent` request does not report its end, because its caller learns in another way that it worked. Lines of
        a `silent` request are accepted until `forget` is called.
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
            self.lost = True  # set before the end is reported, because the callbacks read `lost`
            self.forget(ask.number)
            ask.end(None)
        return ask

    def listen(self, on_line: OnLine, on_end: Over) -> int:
        """Return a number that a background script can use to send reply lines outside of a request.

        When the channel is lost, `on_end` is called with None. If the channel is lost already, `on_end` is called
        at once.
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
        """From now on, drop the reply lines of the request with this number."""
        with self._lock:
            self._asks.pop(number, None)

    def close(self) -> None:
        """End the shell."""
        self._child.end()

    def _send(self, text: str) -> None:
        """Write all of `text`. Raises OSError if the channel is gone or accepts nothing for SEND_LIMIT seconds."""
        with self._write:
            view = memoryview(text.encode("utf-8", "surrogateescape"))
            while view:
                if self._child.stdin < 0:
                    raise OSError("closed")
                try:
                    view = view[os.write(self._child.stdin, view) :]
                except BlockingIOError:
                    self._await_room()

    def _await_room(self) -> None:
        ready, handle = select.poll(), self._child.stdin
        if handle < 0:
            raise OSError("closed")
        ready.register(handle, select.POLLOUT)
        if not ready.poll(SEND_LIMIT * 1000):
            raise OSError("the shell reads no more")

    def _read(self) -> None:
        """Run the reader's thread. However the thread ends, every request gets a result or an error."""
        failure: BaseException | None = None
        try:
            while (line := self._lines.line()) is not None:
                self._receive(line.decode("utf-8", "surrogateescape"))
        except OSError:
            pass
        except Exception as error:
            failure = error
        finally:
            self._over(failure)
            self._child.end()
            self._lines.close()

    def _reap(self) -> None:
        """Wait for the shell to exit.

        The end of the shell's output does not show this, because its background processes may keep stdout open.
        """
        self._child.wait()
        self._over(None)

    def _over(self, failure: BaseException | None) -> None:
        with self._lock:
            self.lost = True
            left, self._asks = list(self._asks.values()), {}
        for ask in left:
            with contextlib.suppress(Exception):  # a callback that fails must not affect other requests
                ask.end(None, failure)

    def _receive(self, line: str) -> None:
        """Pass a reply line to its request. Raises BadAnswer for an `E` line without a status."""
        reply = _REPLY.fullmatch(line)
        ask = self._asks.get(int(reply[2])) if reply else None
        if reply is None or ask is None:
            return
        text = reply[3] or ""
        if reply[1] == "E":
            if not _STATUS.fullmatch(text):
                raise BadAnswer(f"the host ended a request without a status: {text[:80]!r}")
            self.forget(ask.number)
            ask.end(int(text))
            return
        try:
            ask.line(text)
        except BadAnswer:
            raise
        except Exception as error:  # the caller's callback failed; `wait` will raise this error
            self.forget(ask.number)
            ask.end(None, error)


def compound(number: int, body: str, *, silent: bool = False) -> str:
    """Return the text of a request. If the text is cut short, the shell sees a syntax error and runs nothing."""
    end = "" if silent else f"printf 'E {number} %s\\n' \"$?\"; "
    return f"{{ say() {{ printf 'R {number} %s\\n' \"$*\"; }}\n{{ {body}\n}} </dev/null; {end}}}\n"


def open_shell(
    target: Target,
    request: Request,
    *,
    deadline: Deadline | None = None,
    bulk: bool = False,
    relocate: Relocate | None = None,
) -> spawn.Child:
    """Start a plain sh on `target` that reads commands from stdin.

    If `target` is not this machine, the shell uses the shared connection.
    """
    if target.kind == "local":
        return spawn.start(["sh"])
    from trainsh_base.remote import ssh  # noqa: PLC0415 - this machine needs none

    try:
        return ssh.start(
            target, "exec sh", bulk=bulk, request=request, deadline=deadline, limit=START_LIMIT, nudge=b"\n",
            relocate=relocate,
        )  # fmt: skip
    except TrainError as error:
        error.data.setdefault("host", target.name)
        raise


def quote(text: str) -> str:
    """Quote `text` as one shell word. NUL characters, which a word cannot contain, are removed."""
    return "'" + text.replace("\0", "").replace("'", "'\\''") + "'"
