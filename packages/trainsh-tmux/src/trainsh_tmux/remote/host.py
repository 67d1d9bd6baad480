"""A machine that sessions are on: its channel, made anew when it is lost, and what scripts need to know."""

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import msgspec

from trainsh_base.errors import RemoteError, TimedOut, TrainError, Unreachable
from trainsh_base.remote.channel import START_LIMIT, Channel, OnLine, Over, lost
from trainsh_base.remote.retry import persist
from trainsh_base.remote.target import Target
from trainsh_base.request import Request, current
from trainsh_base.system.deadline import Deadline
from trainsh_base.tool.peer import call
from trainsh_tmux.remote import library, scripts

T = TypeVar("T")
ANSWER_LIMIT = 60.0
TURN_LIMIT = 30.0


@contextlib.contextmanager
def turn(lock: threading.Lock, request: Request, within: float, name: str) -> Iterator[None]:
    """Hold `lock`, which another thread may keep for as long as its own request may take.

    Waits `within` seconds for it (0: TURN_LIMIT). Raises Unreachable, Cancelled.
    """
    deadline = time.monotonic() + (within or TURN_LIMIT)
    while not lock.acquire(timeout=0.1):
        request.check()
        if time.monotonic() > deadline:
            raise Unreachable(f"{name} cannot be reached: another request is still trying", code="host_silent")
    try:
        yield
    finally:
        lock.release()


def _cut(error: BaseException) -> bool:
    """Whether another connection may do: this one was cut, or is so silent that it might as well be."""
    return lost(error) or (isinstance(error, TimedOut) and error.code != "shell")


def resolve(spec: str) -> Target:
    """How to reach `spec`: `local`, or what train-host says of a name or of `user@host -p PORT`."""
    if spec == "local":
        return Target.local()
    return msgspec.convert(call("host", "resolve", {"name": spec}), Target)


class Host:
    """One machine, for this process: one channel carries all small requests of all its threads."""

    def __init__(self, spec: str) -> None:
        self.spec = spec
        self.target = resolve(spec)
        self.root = ""
        self.queue = f"{os.getpid()}.{os.urandom(4).hex()}"
        self._channel: Channel | None = None
        self._lock = threading.Lock()

    def channel(self, request: Request, within: float = 0.0) -> Channel:
        """The channel, connected: anew for up to `within` seconds where it was lost.

        One thread connects; the others wait for it, each for its own time. Raises Unreachable, Cancelled.
        """
        channel = self._channel
        if channel is not None and not channel.lost:
            return channel
        with turn(self._lock, request, within, self.name):
            if self._channel is None or self._channel.lost:
                self._channel = self.persist(request, within, lambda: self._connect(request, within), _cut)
            return self._channel

    def persist(
        self,
        request: Request,
        within: float,
        attempt: Callable[[], T],
        again: Callable[[BaseException], bool] = lost,
    ) -> T:
        """The result of `attempt`, made again after cuts for `within` seconds (0: ANSWER_LIMIT), saying so once."""
        deadline = Deadline.after(within or ANSWER_LIMIT)
        return persist(request, deadline, attempt, again, lambda _error, _left: self.say_cut(request))

    def anew(self) -> Target:
        """How to reach it by now: a rented machine may have been restarted elsewhere."""
        with contextlib.suppress(TrainError):
            self.target = resolve(self.spec)
        return self.target

    def _connect(self, request: Request, within: float) -> Channel:
        deadline = Deadline.after(within or START_LIMIT)
        channel = Channel(self.target, request, deadline=deadline, relocate=self.anew)
        try:
            self._greet(channel)
        except BaseException:
            channel.close()
            raise
        self.queue = f"{os.getpid()}.{os.urandom(4).hex()}"
        return channel

    def _greet(self, channel: Channel) -> None:
        answer = channel.ask(scripts.ROOT).wait(ANSWER_LIMIT)
        kind, _, self.root = answer[0].partition(" ") if answer else ("", "", "")
        if kind != "root":
            raise RemoteError(
                f"there is no folder on {self.name} that train may write to (tried {self.root or 'HOME and /tmp'})",
                "free some space there, or set XDG_STATE_HOME to a folder that is writable", code="no_folder",
            )  # fmt: skip

    @property
    def name(self) -> str:
        """What people call the machine."""
        return self.target.label or self.target.name

    @property
    def lost(self) -> bool:
        """Whether there is no channel now."""
        return self._channel is None or self._channel.lost

    def ask(self, body: str, *, within: float = 0.0, limit: float = ANSWER_LIMIT) -> list[str]:
        """One request and its reply lines. Sent again after a cut: only for bodies that may run twice."""
        request = current()
        return self.persist(request, within, lambda: self.channel(request, within).ask(body).wait(limit))

    def say_cut(self, request: Request) -> None:
        """One line for people."""
        request.emit("log", message=f"the connection to {self.name} was cut; connecting again")

    def watch(
        self, job: str | None, name: str, kind: str, arguments: list[str], on_line: OnLine, on_end: Over,
        *, within: float = 0.0,
    ) -> Any:  # fmt: skip
        """Have the host look for something; `on_line` gets the answer, `on_end` is called when the channel goes.

        Connects for `within` seconds where it has to. Returns a function that takes it back.
        """
        channel = self.channel(current(), within)
        number = channel.listen(on_line, on_end)
        queue = self.queue
        channel.ask(scripts.watch(job, name, number, kind, arguments, queue))

        def take_back() -> None:
            channel.forget(number)
            channel.ask(scripts.unwatch(number, queue))

        return take_back

    def install(self) -> None:
        """Put the scripts on the host."""
        if "full" in self.ask(library.install()):
            raise disk_full(self)

    def close(self) -> None:
        """Let go of the channel."""
        if self._channel:
            self._channel.close()


def disk_full(host: Host) -> RemoteError:
    """The error for a host that cannot be written to."""
    return RemoteError(
        f"cannot write to {host.root} on {host.name}: is its disk full?", "see: df -h there", code="disk_full"
    )


class Hosts:
    """The machines this process talks to."""

    def __init__(self) -> None:
        self._hosts: dict[str, Host] = {}
        self._locks: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()

    def get(self, spec: str) -> Host:
        """The host `spec`, resolved once."""
        with self._lock:
            lock = self._locks.setdefault(spec, threading.Lock())
        with lock:
            if spec not in self._hosts:
                self._hosts[spec] = Host(spec)
            return self._hosts[spec]

    def close(self) -> None:
        """Let go of all."""
        for host in self._hosts.values():
            host.close()
