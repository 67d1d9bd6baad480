"""Runs one command of a tool that has no `serve`, as a process of its own.

Progress, questions and cancellation work as for a request. The child gets two variables. TRAINSH_EVENTS is the
child's descriptor for events (one JSON object on each line). TRAINSH_ASK is the socket that `train ask` uses to ask
on the terminal (docs/protocol.md, "One call").
"""

import contextlib
import os
import socket
import threading
from pathlib import Path
from typing import Any

import msgspec

from trainsh_base.errors import TimedOut, TrainError, from_document
from trainsh_base.request import nobody
from trainsh_base.system import spawn
from trainsh_base.system.bad_answer import BadAnswer
from trainsh_base.system.paths import runtime_folder
from trainsh_base.tool.peer import OnAsk, OnEvent, PeerLost, encoded

EVENTS = 3  # the child's descriptor for events; it has one digit, because a redirection in a shell needs that
LONGEST = 1 << 20  # the most bytes of an event or a question
ANSWER = 1 << 26  # the most bytes of the answer


class OneShot:
    """A running `train-NAME VERB --input - --json`. It corresponds to `Pending`, for a tool without `serve`.

    The program's stderr goes to the file `errors`. The program runs in the folder `cwd`, or in the current folder
    if `cwd` is empty. Raises OSError if the program cannot be started.
    """

    def __init__(
        self, program: str, verb: str, params: dict[str, Any], errors: Path, *,
        on_event: OnEvent | None = None, on_ask: OnAsk | None = None, cwd: str = "",
    ) -> None:  # fmt: skip
        self._program = os.path.basename(program)  # noqa: PTH119 - a name, not a path
        self._errors = errors
        self._on_event = on_event
        self._on_ask = on_ask
        self._done = threading.Event()
        self._output = b""
        self._status = 0
        self._failure: Exception | None = None
        self._cancelled = False
        data = encoded(params)
        self._questions = Questions(on_ask)
        reader, writer = os.pipe()
        handle = os.open(errors, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        env = {**os.environ, "TRAINSH_EVENTS": str(EVENTS), "TRAINSH_ASK": self._questions.path}
        try:
            words = spawn.in_folder(cwd, [program, verb, "--input", "-", "--json"])
            self._child = spawn.start(words, env=env, stderr=handle, events=writer)
        except BaseException:
            os.close(reader)
            self._questions.close()
            raise
        finally:
            os.close(handle)
            os.close(writer)
        threading.Thread(target=self._read_events, args=(reader,), daemon=True).start()
        threading.Thread(target=self._run, args=(data,), daemon=True).start()

    def _run(self, data: bytes) -> None:
        try:
            with contextlib.suppress(OSError):
                view = memoryview(data)
                while view:
                    view = view[os.write(self._child.stdin, view) :]
            self._child.close_stdin()
            with os.fdopen(self._child.stdout, "rb") as stream:
                self._output = stream.read(ANSWER)
            self._status = self._child.wait()
        finally:
            self._questions.close()
            self._done.set()

    def _read_events(self, reader: int) -> None:
        with os.fdopen(reader, "rb") as lines:
            while line := lines.readline(LONGEST):
                with contextlib.suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                    event = msgspec.json.decode(line)
                    if isinstance(event, dict) and isinstance(event.get("event"), str):
                        self._tell(event)

    def _tell(self, event: dict[str, Any]) -> None:
        kind = event.pop("event")
        if self._on_event:
            try:
                self._on_event({**event, "kind": kind})
            except Exception as error:  # the caller's callback failed; `result` raises this error
                self._failure = self._failure or error

    @property
    def pid(self) -> int:
        """Process id of the child."""
        return self._child.pid

    @property
    def ready(self) -> bool:
        """Whether the child has ended."""
        return self._done.is_set()

    def result(self, timeout: float | None = None) -> Any:
        """Wait for the child. Return the JSON that it printed, or None if it printed nothing.

        If the child failed, raise the error that it printed last on stderr.
        """
        if not self._done.wait(timeout):
            raise TimedOut(f"{self._program} did not answer within {timeout:g} seconds")
        if self._failure:
            raise self._failure
        if self._status != 0:
            raise self._error()
        if not self._output.strip():
            return None
        try:
            return msgspec.json.decode(self._output)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise BadAnswer(f"{self._program} did not answer with JSON: {error}") from None

    def _error(self) -> TrainError:
        lines = self._errors.read_bytes()[-LONGEST:].splitlines()
        for line in reversed(lines):
            with contextlib.suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                document = msgspec.json.decode(line)
                if isinstance(document, dict) and isinstance(document.get("error"), dict):
                    return from_document(document["error"])
        said = lines[-1].decode(errors="replace").strip() if lines else "it printed nothing"
        if self._cancelled:
            return from_document({"message": "cancelled", "exit": 130})
        if self._status < 0:
            return PeerLost(f"{self._program} was ended by signal {-self._status}: {said}")
        return from_document({"message": f"{self._program} ended with status {self._status}: {said}", "exit": 1})

    def cancel(self) -> None:
        """Send SIGTERM to the child. It asks the child to stop, as `$/cancel` asks a `serve`."""
        self._cancelled = True
        self._child.end()


class Questions:
    """A socket for the questions of children.

    Each connection is for one question and its answer, two JSON lines.
    """

    def __init__(self, on_ask: OnAsk | None) -> None:
        self._on_ask = on_ask
        self.path = f"{runtime_folder()}/ask-{os.getpid()}-{id(self):x}"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.bind(self.path)
        self._socket.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rwb") as stream, contextlib.suppress(OSError):
            try:
                params = msgspec.json.decode(stream.readline(LONGEST), type=dict[str, Any])
                if self._on_ask is None:
                    raise nobody(str(params.get("message")), str(params.get("flag") or ""))
                reply: dict[str, Any] = {"answer": self._on_ask(params)}
            except TrainError as error:
                reply = {"error": error.document()}
            except Exception as error:  # the question is malformed, so the script gets an error
                reply = {"error": {"code": "usage", "message": f"cannot ask that: {error}", "exit": 2}}
            stream.write(encoded(reply) + b"\n")

    def close(self) -> None:
        """Close the socket, so that no more questions are accepted."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        with contextlib.suppress(OSError):
            os.unlink(self.path)  # noqa: PTH108
