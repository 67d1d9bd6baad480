"""The tools that a run uses.

A tool that has `serve` runs as one process. For a tool without `serve`, each verb runs in a process of its own.
"""

import os
import threading
from typing import TYPE_CHECKING, Any, Union

import msgspec

from trainsh_base.errors import TimedOut, TrainError
from trainsh_base.system import spawn
from trainsh_base.tool.peer import OnAsk, OnEvent, Peer, PeerLost, Pending, find
from trainsh_recipe import prestart
from trainsh_recipe.plan.document import Control, Transfer
from trainsh_recipe.plan.numbering import Numbered, every

if TYPE_CHECKING:
    from trainsh_base.tool.one_shot import OneShot

# The tools of this project that the runner uses; all of them have `serve`.
SUITE = frozenset(("dsl", "tmux", "xfer", "secrets", "host"))
ANSWER_WITHIN = 5.0  # seconds within which another tool must answer the first request to its `serve`


AnyPending = Union[Pending, "OneShot"]


class Tools:
    """Starts each tool once, in the folder `cwd`.

    The error output of tools outside SUITE goes to files in `folder`.
    """

    def __init__(self, folder: str, on_ask: OnAsk | None = None, cwd: str = "") -> None:
        self._folder = folder
        self._cwd = cwd if cwd and cwd != os.getcwd() and os.path.isdir(cwd) else ""  # noqa: PTH109, PTH112
        self._on_ask = on_ask
        self._peers: dict[str, Peer] = {}
        self._schemas: dict[str, dict[str, Any]] = {}
        self._once: dict[str, str] = {}
        self._lock = threading.RLock()
        self._count = 0

    def prepare(self, steps: list[Numbered]) -> None:
        """Start the tools of SUITE that these steps need.

        A missing program is reported later, by the step that needs it.
        """
        names = {"tmux"} if steps else set()
        for each in every(steps):
            if isinstance(each.step, Transfer):
                names.add("xfer")
            elif isinstance(each.step, Control):
                names.add(each.step.tool)
        for name in names:
            if spawn.tool_path(name) and name in SUITE:
                self.peer(name)

    def peer(self, name: str) -> Peer:
        """Return the running `serve` of a tool, and start it if necessary. Raises MissingProgram."""
        with self._lock:
            if name not in self._peers:
                child = prestart.take(name) or spawn.start(spawn.in_folder(self._cwd, [find(name), "serve"]))
                self._peers[name] = Peer(name, child=child, on_ask=self._on_ask)
            return self._peers[name]

    def forget(self, name: str) -> None:
        """Forget a tool that has died, so that the next request starts it again."""
        with self._lock:
            self._peers.pop(name, None)

    def start(self, name: str, method: str, params: dict[str, Any], on_event: OnEvent | None = None) -> AnyPending:
        """Send a request to any tool."""
        if name not in SUITE:
            self._meet(name)
        if name in self._once:
            self._count += 1
            from pathlib import Path  # noqa: PLC0415 - not for `exec`

            from trainsh_base.tool.one_shot import OneShot  # noqa: PLC0415 - sockets are loaded for such tools only

            errors = Path(self._folder) / f"{name}-{self._count}.err"
            return OneShot(
                self._once[name], method, params, errors, on_event=on_event, on_ask=self._on_ask, cwd=self._cwd
            )  # fmt: skip
        return self.peer(name).start(method, params, on_event=on_event)

    def schema(self, name: str) -> dict[str, Any]:
        """Return the tool's description of its verbs, VERB -> {params, ensures, ...}, or {} if it has none."""
        with self._lock:
            if name not in self._schemas:
                self._schemas[name] = self._peer_schema(name) if name in SUITE else self._meet(name)
            return self._schemas[name]

    def _peer_schema(self, name: str) -> dict[str, Any]:
        return _commands(self.peer(name).request("schema", timeout=60))

    def _meet(self, name: str) -> dict[str, Any]:
        """Start `serve` of a tool outside SUITE, and return the tool's schema.

        If the tool does not answer the request `schema`, each verb gets a process of its own.
        """
        with self._lock:
            if name in self._schemas:
                return self._schemas[name]
            program = find(name)
            handle = os.open(
                f"{self._folder}/{name}.err", os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600
            )
            try:
                child = spawn.start(spawn.in_folder(self._cwd, [program, "serve"]), stderr=handle)
            finally:
                os.close(handle)
            peer = Peer(name, child=child, on_ask=self._on_ask)
            try:
                found = _commands(peer.request("schema", timeout=ANSWER_WITHIN))
                self._peers[name] = peer
            except (PeerLost, TimedOut):
                child.end()
                self._once[name] = program
                found = printed_schema(program)
            except TrainError:
                self._peers[name] = peer
                found = {}
            self._schemas[name] = found
            return found

    def close(self) -> None:
        """Close all tools; each releases its own resources."""
        with self._lock:
            peers, self._peers = list(self._peers.values()), {}
        for peer in peers:
            peer.close(timeout=2.0)


def printed_schema(program: str) -> dict[str, Any]:
    """Return the commands that `PROGRAM schema` prints, or {} if it prints no schema."""
    from trainsh_base.system.proc import run  # noqa: PLC0415 - tools without serve only

    try:
        done = run([program, "schema"], input=b"", timeout=ANSWER_WITHIN)
        return _commands(msgspec.json.decode(done.stdout))
    except (TrainError, OSError, msgspec.DecodeError, UnicodeDecodeError):
        return {}


def _commands(document: Any) -> dict[str, Any]:
    commands = document.get("commands") if isinstance(document, dict) else None
    return commands if isinstance(commands, dict) else {}
