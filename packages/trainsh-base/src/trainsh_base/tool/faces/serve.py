"""Serves a tool's commands to programs: JSON-RPC 2.0 over stdin and stdout, one message on each line
(docs/protocol.md).
"""

import io
import os
import queue
import select
import signal
import sys
import threading
import time
from typing import Any, NoReturn

import msgspec

from trainsh_base.errors import Cancelled, Terminated, TrainError
from trainsh_base.request import Request, serve_in_this_thread
from trainsh_base.system import critical, spawn
from trainsh_base.tool.declare import Tool
from trainsh_base.tool.faces.interrupts import heed_endings, quick_interrupts
from trainsh_base.tool.gate import install
from trainsh_base.tool.wire import encode

PARSE_ERROR, INVALID_REQUEST, NO_METHOD, INVALID_PARAMS, APPLICATION = -32700, -32600, -32601, -32602, -32000
GRACE = 5.0
LONGEST = 1 << 26  # the most bytes of a message


class Server:
    """Serves one client over a pair of pipes. Requests run at the same time, in threads that are reused."""

    def __init__(self, tool: Tool, reader: int, writer: int) -> None:
        self._tool = tool
        self._reader = reader
        self._writer = writer
        self._write_lock = threading.Lock()
        self._requests: dict[Any, ServedRequest] = {}
        self._unsent: set[ServedRequest] = set()  # requests whose answer is not sent yet; shutdown waits for them
        self._work: queue.SimpleQueue[tuple[ServedRequest, str, dict[str, Any]]] = queue.SimpleQueue()
        self._idle = 0
        self.over = False
        self._answers: dict[str, Answer] = {}
        self._asked = 0
        self._lock = threading.Lock()

    def run(self) -> None:
        """Serve until stdin closes. Then wait for the running requests, or cancel them (docs/protocol.md)."""
        try:
            with os.fdopen(self._reader, "rb") as lines:
                while line := lines.readline(LONGEST):
                    if len(line) == LONGEST and not line.endswith(b"\n"):
                        self._refuse(None, PARSE_ERROR, f"a message has at most {LONGEST} bytes")
                        _skip_line(lines)
                    elif line.strip():
                        self._receive(line)
            self._await_requests()
        finally:
            self._end_requests()

    def _running(self) -> list["ServedRequest"]:
        with self._lock:
            return list(self._unsent)

    def _await_requests(self) -> None:
        """Wait for the running requests, at most GRACE seconds, as long as the client still reads our output.

        For example, the client of `printf ... | train-NAME serve` has closed its end but still reads.
        """
        client = select.poll()
        client.register(self._writer, 0)
        deadline = time.monotonic() + GRACE
        for request in self._running():
            while not _ended(request, 0.02) and time.monotonic() < deadline and not client.poll(0):
                pass

    def _end_requests(self) -> None:
        """Cancel the running requests, and wait until they have ended, but at most GRACE seconds in total."""
        running = self._running()
        for request in running:
            request.abandoned = True
            request.cancel()
        deadline = time.monotonic() + GRACE
        for request in running:
            _ended(request, max(0.0, deadline - time.monotonic()))

    def send(self, message: dict[str, Any]) -> None:
        """Write one message. Errors are ignored, because the reader notices that the client has ended."""
        line = encode({"jsonrpc": "2.0", **message}) + b"\n"
        with self._write_lock:
            view = memoryview(line)
            try:
                while view:
                    view = view[os.write(self._writer, view) :]
            except OSError:
                return

    def ask(self, request: "ServedRequest", params: dict[str, Any]) -> "Answer":
        """Ask the client a question. Wait for the answer, or until the request is cancelled."""
        answer = Answer()
        with self._lock:
            self._asked += 1
            number = f"ask-{self._asked}"
            self._answers[number] = answer
        take_back = request.on_cancel(answer.ready.set)
        self.send({"id": number, "method": "ask", "params": params})
        answer.ready.wait()
        take_back()
        with self._lock:
            self._answers.pop(number, None)
        request.check()
        return answer

    def _receive(self, line: bytes) -> None:
        try:
            message = msgspec.json.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            self._refuse(None, PARSE_ERROR, f"not JSON: {error}")
            return
        if not isinstance(message, dict):
            self._refuse(None, INVALID_REQUEST, "a message is one JSON object; batches are not supported")
        elif "method" not in message and ("result" in message or "error" in message):
            self._answered(message)
        else:
            self._request(message)

    def _request(self, message: dict[str, Any]) -> None:
        number, method, params = message.get("id"), message.get("method"), message.get("params", {})
        if message.get("jsonrpc") != "2.0" or not isinstance(method, str):
            self._refuse(number, INVALID_REQUEST, 'a request has "jsonrpc": "2.0" and a "method"')
        elif not _is_id(number):
            self._refuse(None, INVALID_REQUEST, "an id is a string or a number")
        elif not isinstance(params, dict):
            self._refuse(number, INVALID_PARAMS, "params are an object of named parameters")
        elif method == "$/cancel":
            self._cancel(params.get("id"))
        elif method == "schema":
            self._describe(number)
        elif method not in self._tool.commands:
            self._refuse(number, NO_METHOD, f"no method {method!r}")
        else:
            self._start(number, method, params)

    def _describe(self, number: Any) -> None:
        from trainsh_base.tool.schema import describe  # noqa: PLC0415 - it is rarely asked for

        try:
            self.send({"id": number, "result": describe(self._tool)})
        except Exception as error:
            self.send({"id": number, "error": self._bug(error)})

    def _bug(self, error: Exception) -> dict[str, Any]:
        from trainsh_base.tool.faces.bug_reports import as_failure  # noqa: PLC0415 - a bug is rare

        return _document(as_failure(error, self._tool.program))

    def _start(self, number: Any, method: str, params: dict[str, Any]) -> None:
        request = ServedRequest(self, number)
        request.key = key = object() if number is None else number
        with self._lock:
            taken = key in self._requests
            if not taken:
                self._requests[key] = request
                self._unsent.add(request)
                idle = self._idle > 0
                self._idle -= idle
        if taken:
            self._refuse(number, INVALID_REQUEST, f"a request with id {number!r} is still running")
            return
        self._work.put((request, method, params))
        if not idle:
            threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        """Serve requests in this thread, one after the other.

        If each request got a new thread, a step would take 10% longer.
        """
        while True:
            self._answer(*self._work.get())

    def _answer(self, request: "ServedRequest", method: str, params: dict[str, Any]) -> None:
        serve_in_this_thread(request)
        reply: dict[str, Any]
        try:
            reply = {"result": self._tool.find(method).call(params)}
            encode(reply)
            if request.cancelled.is_set():
                reply = {"error": _document(Cancelled("cancelled", data=reply))}
        except TrainError as error:
            reply = {"error": _document(error)}
        except Exception as error:
            reply = {"error": self._bug(error)}
        with self._lock:
            self._requests.pop(request.key, None)
            # this is done before the answer is sent, because the client may send its next request at once
            self._idle += 1
        if request.id is not None:
            self.send({"id": request.id, **reply})
        with self._lock:
            self._unsent.discard(request)
        request.over.set()

    def _cancel(self, number: Any) -> None:
        with self._lock:
            found = self._requests.get(number) if _is_id(number) else None
        if found:
            found.cancel()

    def _answered(self, message: dict[str, Any]) -> None:
        with self._lock:
            answer = self._answers.pop(str(message.get("id", "")), None)
        if answer:
            answer.error = message.get("error")
            answer.value = message.get("result")
            answer.ready.set()

    def _refuse(self, number: Any, code: int, text: str) -> None:
        self.send({"id": number, "error": {"code": code, "message": text}})


def _ended(request: "ServedRequest", timeout: float) -> bool:
    """Wait until the request is over, and return whether it is.

    The main thread does not call `request.over.wait`: a handler of a signal may raise an exception there at the
    moment when the lock of the event was taken. Then nobody gives the lock back, and setting the event hangs.
    """
    deadline = time.monotonic() + timeout
    while not request.over.is_set() and (left := deadline - time.monotonic()) > 0:
        time.sleep(min(left, 0.005))
    return request.over.is_set()


def _skip_line(lines: Any) -> None:
    while (part := lines.readline(LONGEST)) and not part.endswith(b"\n"):
        pass


def _is_id(number: Any) -> bool:
    return number is None or (isinstance(number, (str, int, float)) and not isinstance(number, bool))


class Answer:
    """A question that was sent to the client. It holds the answer as soon as that has arrived."""

    def __init__(self) -> None:
        self.ready = threading.Event()
        self.value: Any = None
        self.error: Any = None


class ServedRequest(Request):
    """A request that came over JSON-RPC. Its events are sent as notifications, its questions as requests."""

    def __init__(self, server: Server, number: Any) -> None:
        super().__init__()
        self.id = number
        self.key: Any = number
        self.over = threading.Event()
        self._server = server

    def emit(self, kind: str, **data: Any) -> None:
        """Send an `event` notification."""
        self._server.send({"method": "event", "params": {"request": self.id, "kind": kind, **data}})

    def ask(
        self,
        kind: str,
        message: str,
        *,
        choices: list[str] | None = None,
        default: str | None = None,
        flag: str = "",
    ) -> str:
        """Ask the client the question, because the client owns the terminal."""
        asked = {"kind": kind, "message": message, "choices": choices, "default": default, "flag": flag}
        answer = self._server.ask(self, {"request": self.id, **asked})
        if answer.error is not None:
            from trainsh_base.errors import from_document  # noqa: PLC0415 - a question is rare

            error = answer.error if isinstance(answer.error, dict) else {}
            raise from_document(error.get("data") or {"message": error.get("message"), "exit": 2})
        return str(answer.value)


def _document(error: TrainError) -> dict[str, Any]:
    code = (
        INVALID_PARAMS if error.code in ("unknown_parameter", "missing_parameter", "bad_parameter") else APPLICATION
    )
    return {"code": code, "message": error.message, "data": error.document()}


def main(tool: Tool) -> NoReturn:
    """Serve `tool` on stdin and stdout. Then end the child processes, and exit."""
    writer = os.dup(1)
    os.dup2(2, 1)
    reader = os.dup(0)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    install()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)  # the text of a forgotten print() appears at once, on stderr
    server, status, signals = Server(tool, reader, writer), 0, 0

    def terminated(number: int, _frame: object) -> None:
        if server.over:
            closing(number, _frame)
            return
        signal.signal(number, signal.SIG_DFL)  # a second signal ends the process at once
        raise Terminated(128 + number)

    def closing(number: int, _frame: object) -> None:
        """Handle a signal during shutdown.

        A client may close our stdin and then send a signal, so the first signal is ignored. A second signal waits
        only for critical sections, then ends the process.
        """
        nonlocal signals
        signals += 1
        if signals > 1:
            critical.finish()
            spawn.end_all()
            os._exit(128 + number)

    quick_interrupts(False)
    try:
        heed_endings(terminated)
        server.run()
        # A client may close our stdin and also send a signal. So from here on, no handler may raise an exception.
        server.over = True
    except KeyboardInterrupt:
        status = Cancelled.exit_status
    except Terminated as end:
        status, signals = end.status, 1
    finally:
        heed_endings(closing)
        critical.finish()
        if tool.on_close:
            tool.on_close()
        spawn.end_all()
    sys.stderr.flush()
    os._exit(status)
