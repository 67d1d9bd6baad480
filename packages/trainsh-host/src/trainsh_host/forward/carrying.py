"""Keeps the ports of a host forwarded: watches the connection, and connects again when the connection is lost."""

import contextlib
import os
import select
import time
from collections.abc import Callable

import msgspec

from trainsh_base.errors import Cancelled, TrainError
from trainsh_base.remote import ssh
from trainsh_base.remote.control_socket import master_pid
from trainsh_base.remote.retry import persist, transient
from trainsh_base.remote.target import Target
from trainsh_base.request import Request, serve_in_this_thread
from trainsh_base.system.deadline import Deadline
from trainsh_base.system.spawn import Child
from trainsh_host.forward import mux, registry
from trainsh_host.forward.model import Forward

LOOK_EVERY = 0.5  # seconds between two checks of the connection

Resolve = Callable[[str], Target]


class Carrier:
    """Keeps one forward open as long as this process lives.

    The caller holds the lock of the forward (`registry.held`). `resolve` is a function that returns how the host
    can be reached now.
    """

    def __init__(self, forward: Forward, resolve: Resolve, request: Request) -> None:
        self.forward = forward
        self._resolve, self._request = resolve, request
        self._child: Child | None = None
        self._master: int | None = None

    def carry(self, opened: Callable[[Forward], None] = lambda _forward: None) -> None:
        """Forward until the request is cancelled. `opened` is called once, when the ports are open.

        The first connection must succeed. A later connection is tried again without end, with growing pauses. If it
        is impossible to connect, because the login is refused or the host no longer exists, this error is raised.
        """
        try:
            self._change(state="opening", pid=os.getpid(), since=time.time())
            self._open()
            opened(self.forward)
            while True:
                self._until_lost()
                persist(self._request, Deadline.never(), self._open, _again, self._tell)
                self._request.emit("log", message=f"connected to {self.forward.host} again")
        except Cancelled:
            raise
        except TrainError as error:
            self._change(state="failed", problem=error.document())
            raise
        finally:
            self._close()
            if self.forward.state != "failed" or not self.forward.detached:
                registry.forget(self.forward.id)

    def _change(self, **values: object) -> None:
        self.forward = registry.save(msgspec.structs.replace(self.forward, **values))

    def _open(self) -> None:
        """Connect, open a channel that ends when the connection is lost, and add the ports."""
        target = ssh.ensure_master(self._resolve(self.forward.host), self._request)
        path = target.control_path or ""
        # The channel has a second purpose: without it, the connection would end some minutes after the last use of
        # a port.
        self._child = ssh.start(target, "exec cat", request=self._request)
        self._master = master_pid(path)
        self._change(control_path=path, argv=target.argv, problem=None)
        try:
            for port in self.forward.ports:
                mux.add(self.forward, port)
        except BaseException:
            self._close()
            raise
        self._change(state="open")

    def _until_lost(self) -> None:
        """Wait until the connection is lost. Raises Cancelled when the request is cancelled."""
        child = self._child
        assert child is not None
        output = select.poll()
        output.register(child.stdout, select.POLLIN | select.POLLHUP)
        while not output.poll(LOOK_EVERY * 1000) and master_pid(self.forward.control_path) == self._master:
            self._request.check()
        self._close()
        self._change(state="lost")

    def _tell(self, error: BaseException, _left: float) -> None:
        problem = error.document() if isinstance(error, TrainError) else None
        self._change(state="lost", problem=problem)
        self._request.emit("log", message=f"{error}; trying again until it is back")

    def _close(self) -> None:
        serve_in_this_thread(Request())  # a new request, because a cancelled request cannot run a program
        try:
            with contextlib.suppress(TrainError):
                mux.take_away(self.forward)
        finally:
            serve_in_this_thread(self._request)
        child, self._child = self._child, None
        if child is not None:
            child.end()
            os.close(child.stdout)
            child.wait()


def _again(error: BaseException) -> bool:
    return transient(error) or (isinstance(error, TrainError) and error.code in ("port_in_use", "timed_out"))
