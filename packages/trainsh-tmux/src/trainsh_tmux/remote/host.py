"""A machine with sessions, and the channel, the connection to the machine. A lost channel is opened again."""

import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import msgspec

from trainsh_base.errors import RemoteError, TimedOut, TrainError, Unreachable, UsageError
from trainsh_base.remote.channel import START_LIMIT, Channel, OnLine, Over, lost, open_shell
from trainsh_base.remote.retry import persist
from trainsh_base.remote.target import Target
from trainsh_base.request import Request, current
from trainsh_base.system.deadline import Deadline
from trainsh_base.system.spawn import Child
from trainsh_base.tool.peer import ANSWER_LIMIT as TOOL_LIMIT
from trainsh_base.tool.peer import PeerLost, call
from trainsh_tmux.remote import library, scripts
from trainsh_tmux.remote.reply import said

T = TypeVar("T")
ANSWER_LIMIT = 60.0  # seconds within which a host must answer
TURN_LIMIT = 30.0  # seconds to wait while another thread connects
RESOLVE_TRIES = 3


@contextlib.contextmanager
def turn(lock: threading.Lock, request: Request, deadline: Deadline, name: str) -> Iterator[None]:
    """Hold `lock` in this block.

    If another thread holds the lock, wait for it. That thread may hold it during its whole request. Raises
    Unreachable if `deadline` passes during the wait, and Cancelled if `request` is cancelled.
    """
    while not lock.acquire(timeout=0.1):
        request.check()
        if deadline.expired:
            raise Unreachable(
                f"{name} cannot be reached yet: another request is still trying to connect", code="host_silent"
            )
    try:
        yield
    finally:
        lock.release()


def _cut(error: BaseException) -> bool:
    """Return whether the connection was cut or gave no answer in time, so that a new connection may help."""
    return lost(error) or (isinstance(error, TimedOut) and error.code != "shell")


def _until(request: Request, deadline: Deadline) -> Deadline:
    return deadline.sooner(Deadline(request.until))


def resolve(spec: str, *, afresh: bool = False) -> Target:
    """Return the target for `spec`, which is `local`, a target as JSON, or a host spec.

    For a connected machine, a kept answer of train-host is used, unless `afresh` is true. Any other host spec is
    resolved by train-host, which is called again if it was killed. Raises the errors of train-host, and RemoteError
    `bad_answer`.
    """
    if spec == "local":
        return Target.local()
    if spec.startswith("{"):
        try:
            return _target(msgspec.json.decode(spec))
        except msgspec.DecodeError as error:
            raise UsageError(f"not a host: {spec}", f"a target is JSON: {error}", code="bad_host") from None
    from trainsh_base.remote.resolved import kept_target  # noqa: PLC0415 - it loads sockets; this machine needs none

    kept = None if afresh else kept_target.find(spec)
    if kept is not None:
        return kept
    for _ in range(RESOLVE_TRIES - 1):
        with contextlib.suppress(PeerLost):
            return _resolved(spec)
    return _resolved(spec)


def _resolved(spec: str) -> Target:
    return _target(call("host", "resolve", {"name": spec}, timeout=TOOL_LIMIT))


def _target(answer: object) -> Target:
    try:
        return msgspec.convert(answer, Target)
    except msgspec.ValidationError as error:
        raise RemoteError(f"train-host did not answer with a target: {error}", code="bad_answer") from None


class Host:
    """One machine. A single connection, the channel, carries the small requests of all threads of this process."""

    def __init__(self, spec: str) -> None:
        self.spec = spec
        self.target = resolve(spec)
        self.root = self.machine = self.node = ""
        self.queue = f"{os.getpid()}.{os.urandom(4).hex()}"
        self._channel: Channel | None = None
        self._installed = False
        self._lock = threading.Lock()
        self._spare: Child | None = None  # a shell for the next call of `open_shell`
        self._spare_lock = threading.Lock()

    def channel(self, request: Request, deadline: Deadline | None = None) -> Channel:
        """Return the channel.

        If it was lost, try to reconnect until `deadline` (default: ANSWER_LIMIT from now). Only one thread
        connects. Each other thread waits until the channel is open, or until its own deadline. Raises Unreachable,
        Cancelled.
        """
        channel = self._channel
        if channel is not None and not channel.lost:
            return channel
        with turn(self._lock, request, deadline or Deadline.after(TURN_LIMIT), self.name):
            if self._channel is None or self._channel.lost:
                self._channel = self.persist(request, deadline, lambda: self._connect(request, deadline), _cut)
            return self._channel

    def persist(
        self,
        request: Request,
        deadline: Deadline | None,
        attempt: Callable[[], T],
        again: Callable[[BaseException], bool] = lost,
    ) -> T:
        """Call `attempt`. If the connection is lost, reconnect and call it again, until `deadline`.

        The default deadline is ANSWER_LIMIT seconds from now. `again(error)` returns whether to call `attempt`
        again.
        """
        deadline = (deadline or Deadline.after(ANSWER_LIMIT)).sooner(Deadline(request.until))
        return persist(request, deadline, attempt, again, lambda _error, _left: self.say_cut(request))

    def relocated(self) -> Target:
        """Return the present target, because a rented machine may have a new address after a restart."""
        try:
            self.target = resolve(self.spec, afresh=True)
        except TrainError as error:
            if error.data.get("gone"):  # the provider reports that the machine will not come back
                raise
        return self.target

    def _connect(self, request: Request, deadline: Deadline | None) -> Channel:
        channel = Channel(
            self.target, request, deadline=_until(request, deadline or Deadline.after(START_LIMIT)),
            relocate=self.relocated,
        )  # fmt: skip
        try:
            self._greet(channel, Deadline(request.until))
        except BaseException:
            channel.close()
            raise
        self.queue = f"{os.getpid()}.{os.urandom(4).hex()}"
        return channel

    def _greet(self, channel: Channel, deadline: Deadline) -> None:
        answer = channel.ask(library.hello(os.urandom(16).hex())).wait(deadline.within(ANSWER_LIMIT))
        self.root = said(answer, "root")
        self.machine, self.node = said(answer, "machine"), said(answer, "node")
        if not self.root:
            raise RemoteError(
                f"train cannot write to any folder on {self.name} (tried {said(answer, 'nowhere') or 'HOME'})",
                "free some space there, or set XDG_STATE_HOME to a folder that is writable", code="no_folder",
            )  # fmt: skip
        self._installed = "lib" in answer
        if not self._installed:
            # The scripts are not installed on this host, and requests that only read need no files there.
            channel.ask(library.requests()).wait(deadline.within(ANSWER_LIMIT))

    def open_shell(self, request: Request, deadline: Deadline | None) -> Child:
        """Open a separate shell on the host, for a lot of output."""
        deadline = _until(request, deadline or Deadline.after(START_LIMIT))
        with turn(self._spare_lock, request, deadline, self.name):
            spare, self._spare = self._spare, None
        if spare is not None and spare.poll() is None:
            return spare
        return open_shell(self.target, request, deadline=deadline, bulk=True, relocate=self.relocated)

    def prepare_shell(self, request: Request, deadline: Deadline) -> None:
        """Open the shell that the next call of `open_shell` will return.

        If this fails, that call reports the error.
        """
        with contextlib.suppress(TrainError, OSError), self._spare_lock:
            if self._spare is None:
                self._spare = open_shell(self.target, request, deadline=deadline, bulk=True)

    @property
    def name(self) -> str:
        """The machine's name for people."""
        return self.target.label or self.target.name

    @property
    def lost(self) -> bool:
        """Whether there is no channel now."""
        return self._channel is None or self._channel.lost

    def ask(self, body: str, *, deadline: Deadline | None = None, limit: float = ANSWER_LIMIT) -> list[str]:
        """Send a request and return its reply lines.

        After a lost connection the request is sent again, so running `body` twice must be safe.
        """
        request = current()

        def once() -> list[str]:
            return self.channel(request, deadline).ask(body).wait(Deadline(request.until).within(limit))

        return self.persist(request, deadline, once)

    def first(self, body: str, default: str = "") -> str:
        """Send a request and return its first reply line, or `default` if there is no reply line."""
        return (self.ask(body) or [default])[0]

    def say_cut(self, request: Request) -> None:
        """Tell the user in one line that the connection was cut."""
        request.emit("log", message=f"the connection to {self.name} was cut; connecting again")

    def watch(
        self, job: str | None, name: str, kind: str, arguments: list[str], on_line: OnLine, on_end: Over,
        *, deadline: Deadline | None = None,
    ) -> Any:  # fmt: skip
        """Have the host wait for a condition. Returns a function that ends the wait.

        `on_line` is called with the host's answer, `on_end` if the channel is lost.
        """
        channel = self.channel(current(), deadline)
        if not self._installed:
            self.install()
        number = channel.listen(on_line, on_end)
        queue = self.queue
        channel.ask(scripts.watch(job, name, number, kind, arguments, queue))

        def take_back() -> None:
            channel.forget(number)
            channel.ask(scripts.unwatch(number, queue))

        return take_back

    def install(self) -> None:
        """Install the scripts on the host."""
        if "full" in self.ask(library.install()):
            raise disk_full(self)
        self._installed = True

    def close(self) -> None:
        """Close the channel."""
        if self._channel:
            self._channel.close()
        if self._spare:
            self._spare.end()


def disk_full(host: Host) -> RemoteError:
    """Return the error for a host whose disk is full."""
    return RemoteError(
        f"cannot write to {host.root} on {host.name}: is the disk full?", "see: df -h there", code="disk_full"
    )


class Hosts:
    """The machines that this process talks to."""

    def __init__(self) -> None:
        self._hosts: dict[str, Host] = {}
        self._locks: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()

    def get(self, spec: str) -> Host:
        """Return the host for `spec`, which is resolved only once."""
        with self._lock:
            lock = self._locks.setdefault(spec, threading.Lock())
        with lock:
            if spec not in self._hosts:
                self._hosts[spec] = Host(spec)
            return self._hosts[spec]

    def close(self) -> None:
        """Close all hosts."""
        for host in self._hosts.values():
            host.close()
