"""The client's side of JSON-RPC: starts `serve` of another tool, and keeps it running as long as it is needed."""

import contextlib
import os
import threading
from collections.abc import Callable
from typing import Any

import msgspec

from trainsh_base.errors import (
    MissingProgram,
    TimedOut,
    TrainError,
    from_document,
    not_utf8,
)
from trainsh_base.system import spawn
from trainsh_base.system.bad_answer import BadAnswer
from trainsh_base.system.suggest import did_you_mean

OnEvent = Callable[[dict[str, Any]], None]
OnAsk = Callable[[dict[str, Any]], str]
READ = 1 << 16  # bytes to read at once: as many as a pipe holds
ANSWER_LIMIT = 30.0  # seconds within which `call` expects the answer of a tool that only looks something up
SECRET_LIMIT = 120.0  # seconds for train-secrets, because its store may first ask a person
LONGEST = 1 << 26  # the most bytes of a message; a longer line counts as an error of the tool


class PeerLost(TrainError):
    """The tool ended while a request was running."""

    default_code = "peer_lost"


class Pending:
    """A request that was sent. Its reply may not have arrived yet."""

    def __init__(self, peer: "Peer", number: int, on_event: OnEvent | None, on_ask: OnAsk | None) -> None:
        self.number = number
        self.on_event = on_event
        self.on_ask = on_ask
        self.reply: dict[str, Any] | None = None
        self.failure: Exception | None = None
        self._peer = peer
        self._done = threading.Lock()
        self._done.acquire()

    def settle(self, reply: dict[str, Any]) -> None:
        """Store the reply. The reader thread of the peer calls this once."""
        self.reply = reply
        self._done.release()

    def result(self, timeout: float | None = None) -> Any:
        """Wait for the answer. Raises the tool's own error, PeerLost, or TimedOut after `timeout` seconds.

        If `on_event` raised an exception, this exception is raised here when the answer has arrived.
        """
        if not self._done.acquire(timeout=-1 if timeout is None else timeout):
            raise TimedOut(f"{self._peer.program} did not answer within {timeout:g} seconds")
        self._done.release()
        if self.failure:
            raise self.failure
        reply = self.reply or {}
        error = reply.get("error")
        if error is None and "result" in reply:
            return reply["result"]
        if not isinstance(error, dict):
            raise self._peer.bad_answer("neither a result nor an error object")
        data = error.get("data")
        known = isinstance(data, dict) and "message" in data
        raise from_document(data if known else {"message": error.get("message"), "exit": 2, "code": "rpc"})

    @property
    def ready(self) -> bool:
        """Whether the reply has arrived."""
        return self.reply is not None

    def cancel(self) -> None:
        """Ask the tool to cancel the request. The tool still replies to the request, usually with an error."""
        self._peer.notify("$/cancel", {"id": self.number})


class Peer:
    """A running `train-NAME serve`. Any thread may send requests, and several requests may run at the same time.

    If the process was started earlier by `spawn.start`, it is passed as `child`. With `asked`, it was also sent a
    request with the id 0, whose reply `first` waits for. Raises MissingProgram if there is no such tool.
    """

    def __init__(
        self, name: str, *, child: spawn.Child | None = None, on_ask: OnAsk | None = None, asked: bool = False
    ) -> None:
        self.name = name
        self.program = f"train-{name}"
        self._on_ask = on_ask
        self._child = child or spawn.start([find(name), "serve"])
        self._lock = threading.Lock()
        self._write_lock = threading.Lock()
        self._pending: dict[int, Pending] = {}
        self._number = 0
        self._lost = False
        self.first = Pending(self, 0, None, on_ask)
        if asked:
            self._pending[0] = self.first
        threading.Thread(target=self._read, daemon=True, name=self.program).start()

    def start(
        self,
        method: str,
        params: dict[str, Any] | None = None,
        *,
        on_event: OnEvent | None = None,
        on_ask: OnAsk | None = None,
    ) -> Pending:
        """Send a request and return at once. The reader's thread calls `on_event`, so it must be quick."""
        with self._lock:
            self._number += 1
            pending = Pending(self, self._number, on_event, on_ask or self._on_ask)
            lost = self._lost
            if not lost:
                self._pending[pending.number] = pending
        if lost:
            self._lose(pending)
        else:
            self._send({"id": pending.number, "method": method, "params": params or {}})
        return pending

    def request(
        self,
        method: str,
        params: dict[str, Any] | None = None,
        *,
        on_event: OnEvent | None = None,
        on_ask: OnAsk | None = None,
        timeout: float | None = None,
    ) -> Any:
        """Send a request, wait for its answer, and return the decoded JSON."""
        return self.start(method, params, on_event=on_event, on_ask=on_ask).result(timeout)

    def notify(self, method: str, params: dict[str, Any]) -> None:
        """Send a message that has no answer."""
        self._send({"method": method, "params": params})

    def close(self, timeout: float = 10.0) -> None:
        """Close the tool's stdin and wait until the tool exits. Kill it after `timeout` seconds."""
        import time  # noqa: PLC0415 - at the end, once

        self._child.close_stdin()
        deadline = time.monotonic() + timeout
        while self._child.poll() is None:
            if time.monotonic() > deadline:
                self._child.end(9)
                self._child.wait()
            time.sleep(0.002)

    @property
    def pid(self) -> int:
        """Process id of the `serve`."""
        return self._child.pid

    def _send(self, message: dict[str, Any]) -> None:
        line = encoded({"jsonrpc": "2.0", **message}) + b"\n"
        with self._write_lock, contextlib.suppress(OSError):
            view = memoryview(line)
            while view and self._child.stdin >= 0:
                view = view[os.write(self._child.stdin, view) :]

    def _read(self) -> None:
        """Run the reader thread. When it ends, for any reason, every pending request gets a reply or an error."""
        try:
            with os.fdopen(self._child.stdout, "rb", READ) as lines:
                while line := lines.readline(LONGEST):
                    if len(line) == LONGEST and not line.endswith(b"\n"):
                        self._child.end(9)
                        self._fail_all(self.bad_answer(f"a line of more than {LONGEST} bytes"))
                        break
                    self._take(line)
        finally:
            with self._lock:
                self._lost = True
            self._fail_all(None)

    def _take(self, line: bytes) -> None:
        """Handle one line. Text that is not JSON is ignored.

        A line that begins like JSON but is broken may be a reply, so it makes all requests fail.
        """
        try:
            message = msgspec.json.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            if line.lstrip().startswith(b"{"):
                self._fail_all(self.bad_answer(str(error)))
            return
        self._receive(message)

    def bad_answer(self, why: str) -> BadAnswer:
        """Return the error for an invalid answer."""
        return BadAnswer(f"{self.program} gave a malformed answer: {why}", data={"tool": self.name})

    def _fail_all(self, error: TrainError | None) -> None:
        """Make every pending request fail, with `error` or with PeerLost."""
        with self._lock:
            left, self._pending = list(self._pending.values()), {}
        for pending in left:
            if error is None:
                self._lose(pending)
            else:
                pending.failure = error
                pending.settle({})

    def _receive(self, message: Any) -> None:
        """Act on one message. Anything outside the protocol is ignored, because a plugin may print other text."""
        if not isinstance(message, dict):
            return
        if message.get("method") == "event":
            self._event(message.get("params"))
        elif message.get("method") == "ask":
            threading.Thread(target=self._answer, args=(message,), daemon=True).start()
        elif type(message.get("id")) is int:
            with self._lock:
                found = self._pending.pop(message["id"], None)
            if found:
                found.settle(message)

    def _event(self, params: Any) -> None:
        pending = self._whose(params)
        if pending and pending.on_event:
            try:
                pending.on_event(params)
            # the caller's callback failed; `result` raises this error in the caller's thread
            except Exception as error:
                pending.failure = pending.failure or error

    def _whose(self, params: Any) -> Pending | None:
        number = params.get("request") if isinstance(params, dict) else None
        return self._pending.get(number) if type(number) is int else None

    def _answer(self, message: dict[str, Any]) -> None:
        params = message.get("params")
        pending = self._whose(params)
        params = params if isinstance(params, dict) else {}
        ask = pending.on_ask if pending else self._on_ask
        try:
            if ask is None:
                from trainsh_base.request import nobody  # noqa: PLC0415 - a question is rare

                raise nobody(str(params.get("message")), str(params.get("flag") or ""))
            self._send({"id": message.get("id"), "result": ask(params)})
        except TrainError as error:
            body = {"code": -32000, "message": error.message, "data": error.document()}
            self._send({"id": message.get("id"), "error": body})
        except Exception as error:  # the question is malformed, so the tool that asks gets an error
            self._send({"id": message.get("id"), "error": {"code": -32602, "message": f"cannot ask that: {error}"}})

    def _lose(self, pending: Pending) -> None:
        pending.failure = PeerLost(f"{self.program} ended before it answered", "run the command again")
        pending.settle({})


def encoded(message: Any) -> bytes:
    """Encode `message` as JSON. Raises UsageError for text that is not UTF-8, which JSON cannot represent."""
    try:
        return msgspec.json.encode(message)
    except UnicodeEncodeError as error:
        raise not_utf8(error) from None


def find(name: str) -> str:
    """Return the path of `train-NAME`. Raises MissingProgram, whose hint has the most similar name of a tool."""
    path = spawn.tool_path(name)
    if path is None:
        raise MissingProgram(
            f"there is no program train-{name} on PATH", did_you_mean(name, installed(), "see: train --list"),
            code="no_tool", data={"tool": name},
        )  # fmt: skip
    return path


def installed() -> list[str]:
    """Return the names of all tools beside this program and on PATH."""
    import sys  # noqa: PLC0415 - only an error needs it

    names = set()
    for folder in [os.path.dirname(os.path.abspath(sys.argv[0])), *os.get_exec_path()]:  # noqa: PTH100, PTH120
        with contextlib.suppress(OSError):
            names |= {entry.name[6:] for entry in os.scandir(folder) if entry.name.startswith("train-")}
    return sorted(names)


def call(name: str, method: str, params: dict[str, Any] | None = None, *, timeout: float) -> Any:
    """Run `train-NAME METHOD --input - --json` once. Return the JSON that it prints, or raise its error.

    Raises TimedOut (`tool_silent`) if it takes longer than `timeout` seconds.
    """
    from trainsh_base.system.proc import run  # noqa: PLC0415 - subprocess costs 10 ms, and a Peer does without

    argv = [find(name), method, "--input", "-", "--json"]
    try:
        done = run(argv, input=encoded(params or {}), check=False, timeout=timeout)
    except TimedOut:
        raise TimedOut(
            f"train-{name} {method} did not answer within {timeout:g} seconds",
            f"run it by hand: train {name} {method}",
            code="tool_silent", data={"tool": name},
        ) from None  # fmt: skip
    if done.status == 0 or (done.status > 0 and done.stdout.strip() and not done.stderr.strip()):
        return _decoded(done.argv, done.stdout)
    raise _typed_error(done.argv, done.status, done.stderr)


def _decoded(argv: list[str], text: bytes) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadAnswer(f"{os.path.basename(argv[0])} did not answer with JSON: {error}") from None  # noqa: PTH119


def _typed_error(argv: list[str], status: int, stderr: bytes) -> TrainError:
    for line in reversed(stderr.splitlines()):
        with contextlib.suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            document = msgspec.json.decode(line)
            if isinstance(document, dict) and isinstance(document.get("error"), dict):
                return from_document(document["error"])
    said = stderr.decode(errors="replace").strip().splitlines()
    message = said[-1] if said else "it printed nothing"
    program = os.path.basename(argv[0])  # noqa: PTH119
    if status < 0:
        return PeerLost(f"{program} was ended by signal {-status}: {message}")
    return from_document({"message": f"{program} ended with status {status}: {message}", "exit": status})
