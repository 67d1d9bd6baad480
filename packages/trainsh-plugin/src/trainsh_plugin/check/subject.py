"""The tool that is checked. It is called as a runner of recipes calls it: all calls go to one `serve`.

If the tool has no `serve`, each call is a process of its own.
"""

import contextlib
import json
import os
import secrets
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import msgspec

from trainsh_base.errors import NotFound, TrainError
from trainsh_base.provider.installed import SCHEMA_LIMIT, provides_hosts, schema_of
from trainsh_base.provider.instance import Instance
from trainsh_base.request import nobody
from trainsh_base.system import spawn
from trainsh_base.system.proc import Completed, run
from trainsh_base.tool.one_shot import OneShot
from trainsh_base.tool.peer import Peer, Pending, find

LIMIT = 20.0  # seconds within which a call that rents nothing must end
LONGEST = 900.0  # seconds within which a call that rents must end
CANARY = "TRAINSH_CHECK_SECRET"  # a variable with a secret that no tool has a reason to print
HOST = "check"


class Call:
    """A call in progress: its pending answer, the pid of its process, and the events and questions that it has
    sent.
    """

    def __init__(self, begin: Callable[["Call"], tuple[OneShot | Pending, int]], answers: bool) -> None:
        self.events: list[dict[str, Any]] = []
        self.asked: list[dict[str, Any]] = []
        self._answers = answers
        self.pending, self.pid = begin(self)

    def answer(self, question: dict[str, Any]) -> str:
        """Answer a question as a user does who takes the default, or else the first choice.

        If this call must not give answers, raise the error that is usual without a terminal.
        """
        self.asked.append(question)
        if not self._answers:
            raise nobody(str(question.get("message")), str(question.get("flag") or ""))
        if question.get("kind") == "confirm":
            return "yes"
        return str(question.get("default") or next(iter(question.get("choices") or []), ""))


class Subject:
    """A tool, given by its name or the path of its program. `options` are the parameters for `pick`."""

    def __init__(self, name: str, options: dict[str, str]) -> None:
        path = Path(name)
        if "/" in name:
            if not path.is_file() or not path.name.startswith("train-"):
                raise NotFound(f"no such program: {name}", "the path of a program train-NAME", code="no_tool")
            os.environ["PATH"] = f"{path.resolve().parent}{os.pathsep}{os.environ['PATH']}"
            name = path.name.removeprefix("train-")
        self.name = name
        self.program = str(path.resolve()) if "/" in str(path) else find(name)
        self.printed: list[str] = []
        self.options = options
        self._peer: Peer | None = None
        self._folder = tempfile.TemporaryDirectory(prefix="train-plugin-")
        os.environ.setdefault(CANARY, secrets.token_hex(16))
        self.described = schema_of(self.program)
        self.provides = provides_hosts(self.described)
        self.serves = self._serves()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
        self._folder.cleanup()

    def close(self) -> None:
        """End the tool's `serve`, as a runner does at the end of a job."""
        peer, self._peer = self._peer, None
        if peer:
            peer.close()

    def _serves(self) -> bool:
        """Whether `serve` answers. A tool without `serve` exits at once with an error."""
        try:
            self.peer().request("schema", timeout=SCHEMA_LIMIT)
        except TrainError:
            self.close()
            return False
        return True

    def peer(self) -> Peer:
        """Return the tool's running `serve`. If none runs, start one."""
        if self._peer is None:
            with Path(self._folder.name, "serve").open("ab") as errors:
                child = spawn.start([self.program, "serve"], stderr=errors.fileno())
            self._peer = Peer(self.name, child=child)
        return self._peer

    def forget(self) -> None:
        """Forget a `serve` that has ended, so that `peer` starts a new one."""
        self._peer = None

    def verb(self, key: str, value: str, default: str) -> str:
        """Return the name of the command that has `value` under `key` in the schema, or `default` if there
        is none.
        """
        found = [name for name, entry in self.commands.items() if entry.get(key) == value]
        return default if default in found or not found else found[0]

    @property
    def commands(self) -> dict[str, Any]:
        """The commands in the tool's schema."""
        found = self.described.get("commands") if isinstance(self.described, dict) else None
        return {name: entry for name, entry in (found or {}).items() if isinstance(entry, dict)}

    def run(self, *words: str, document: Any = None) -> Completed:
        """Run the tool to its end. Its standard input is `document`, or empty if `document` is None."""
        data = b"" if document is None else json.dumps(document).encode()
        done = run([self.program, *words], input=data, check=False, timeout=LIMIT)
        self.printed += [done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")]
        return done

    def once(self, verb: str, document: Any) -> Any:
        """Call a command that rents nothing, in a process of its own. Return its answer, or raise its error."""
        file = Path(self._folder.name, "errors")
        try:
            return self._noted(OneShot(self.program, verb, document, file).result(LIMIT))
        finally:
            self.printed.append(file.read_text(errors="replace"))

    def begin(self, verb: str, params: dict[str, Any], *, answers: bool = True) -> Call:
        """Start a command as a runner of recipes does. Without `answers`, its questions are not answered."""

        def start(call: Call) -> tuple[OneShot | Pending, int]:
            if self.serves:
                peer = self.peer()
                return peer.start(verb, params, on_event=call.events.append, on_ask=call.answer), peer.pid
            file = Path(self._folder.name, f"errors-{time.monotonic_ns()}")
            one = OneShot(
                self.program, verb, params, file, on_event=call.events.append, on_ask=call.answer
            )  # fmt: skip
            return one, one.pid

        return Call(start, answers)

    def result(self, call: Call) -> Any:
        """Return the answer of a call. Its output is kept, for the check that no secret was printed."""
        try:
            return self._noted(call.pending.result(LONGEST))
        finally:
            self.printed.append(json.dumps(call.events))
            for file in Path(self._folder.name).iterdir():
                self.printed.append(file.read_text(errors="replace"))

    def _noted(self, answer: Any) -> Any:
        self.printed.append(json.dumps(answer))
        return answer

    def wanted(self, job: str) -> dict[str, Any]:
        """Return the parameters of a `pick` for `job`.

        The parameters that a runner adds are left out if the schema does not have them.
        """
        entry = self.commands.get(self.pick, {})
        properties = entry.get("params", {}).get("properties", {})
        given = {key: _typed(text, properties.get(key, {})) for key, text in self.options.items()}
        return {entry.get("fills") or "host": HOST, **_sent(properties, job, {}), **given}

    def about(self, verb: str, job: str, ref: str) -> dict[str, Any]:
        """Return the parameters for a command that acts on the job's host HOST, which is the machine `ref`."""
        properties = self.commands[verb].get("params", {}).get("properties", {})
        host = next((key for key, entry in properties.items() if entry.get("x-positional")), "host")
        return {host: HOST, **_sent(properties, job, {HOST: ref})}

    @property
    def pick(self) -> str:
        """The name of the command that rents a machine for a host."""
        return self.verb("fills", "host", "pick")

    def act(self, verb: str, ref: str) -> Any:
        """Call a command with one machine as its argument. Answer its questions as a runner does."""
        properties = self.commands.get(verb, {}).get("params", {}).get("properties", {})
        key = next((key for key, entry in properties.items() if entry.get("x-positional")), "ref")
        return self.result(self.begin(verb, {key: ref}))

    @property
    def last(self) -> str:
        """The name of the command that gives a machine and its disk back, or `stop` if there is none."""
        return self.verb("releases", "disk", "destroy" if "destroy" in self.commands else "stop")

    def instances(self) -> list[Instance]:
        """Return the instances that the tool's `list` prints."""
        return msgspec.convert(self.once("list", {}), list[Instance])

    def held(self, job: str) -> list[Instance]:
        """Return the instances that are rented for a job, including stopped ones."""
        return [row for row in self.instances() if row.job == job and row.state not in ("gone", "failed")]

    def give_back(self, job: str) -> list[str]:
        """Destroy every instance of the job. Return a line for each instance that is neither gone nor stopped."""
        for row in self.held(job):
            with contextlib.suppress(TrainError):
                self.act(self.last, str(row.id))
        return [
            f"{self.name} {row.id} is still there: {row.end}" for row in self.held(job) if row.state != "stopped"
        ]


def _sent(properties: dict[str, Any], job: str, hosts: dict[str, str]) -> dict[str, Any]:
    """Return the parameters that a runner sends with every call.

    Those that the schema does not have are left out.
    """
    runner = {"_job": job, "_step": "001-1", "_hosts": hosts, "_resuming": False}
    return {key: value for key, value in runner.items() if key in properties}


def _typed(text: str, entry: dict[str, Any]) -> Any:
    """Convert a text to the type of a parameter.

    If the type may be a number or a boolean, parse the text as JSON.
    """
    kinds = json.dumps(entry)
    if any(f'"{kind}"' in kinds for kind in ("integer", "number", "boolean")):
        with contextlib.suppress(ValueError):
            return json.loads(text)
    return text
