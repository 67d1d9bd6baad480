"""Looks at the GPUs of many hosts at the same time. If a host fails, its row has the error."""

import contextlib
import shlex
from collections.abc import Callable

import msgspec

from trainsh_base.errors import NotFound, TimedOut, TrainError
from trainsh_base.remote.channel import Channel, ChannelLost
from trainsh_base.remote.target import Target
from trainsh_base.request import Request, current, limited, serve_in_this_thread, side_by_side
from trainsh_base.system.deadline import Deadline
from trainsh_host.gpus.model import HostGpus
from trainsh_host.gpus.reading import host_gpus, script

Resolve = Callable[[str], Target]


class Watched:
    """A host whose GPUs are looked at repeatedly. One shell on the host is used for all looks."""

    def __init__(self, name: str, resolve: Resolve, request: Request, timeout: float) -> None:
        self.name = name
        self._resolve, self._request, self._timeout = resolve, request, timeout
        self._channel: Channel | None = None

    def look(self) -> HostGpus:
        """Look once at the GPUs. If this fails, the row of the host has the error."""
        serve_in_this_thread(self._request)
        try:
            return self._asked()
        except ChannelLost:
            self.close()
        except TrainError as error:
            self.close()
            return _failure(self.name, error)
        try:  # if the shell of an earlier look was lost, try once with a new shell
            return self._asked()
        except TrainError as error:
            self.close()
            return _failure(self.name, error)

    def _asked(self) -> HostGpus:
        with limited(Deadline.after(self._timeout).at) as request:
            if self._channel is None or self._channel.lost:
                self._channel = Channel(self._resolve(self.name), request)
            left = Deadline(request.until).within(self._timeout)
            return host_gpus(self.name, self._channel.ask(script()).wait(left))

    def close(self) -> None:
        """End the shell on the host."""
        channel, self._channel = self._channel, None
        if channel:
            with contextlib.suppress(OSError):
                channel.close()


def _failure(name: str, error: TrainError) -> HostGpus:
    hint = error.hint
    if isinstance(error, TimedOut) and error.code == "host_silent":
        hint = f"nvidia-smi may hang there; see: train host run {shlex.quote(name)} -- nvidia-smi"
    return HostGpus(
        host=name, state="failed", problem=error.message, hint=hint, code=error.code, exit=error.exit_status
    )


def watched(names: list[str], resolve: Resolve, timeout: float) -> list[Watched]:
    """The hosts to look at, without duplicates.

    A question, for instance for a password, is asked only if there is just one host.
    """
    request = current() if len(set(names)) == 1 else Silent(current())
    return [Watched(name, resolve, request, timeout) for name in dict.fromkeys(names)]


class Silent(Request):
    """A request that asks no questions. It is cancelled when `request` is cancelled."""

    def __init__(self, request: Request) -> None:
        super().__init__()
        self.cancelled = request.cancelled
        self.on_cancel = request.on_cancel  # type: ignore[method-assign]


def every() -> list[str]:
    """The names of all configured hosts, and of the running machines of providers that are not configured hosts."""
    from trainsh_host.checks.instances import instances  # noqa: PLC0415 - not needed if names are given
    from trainsh_host.checks.listing import rows  # noqa: PLC0415 - as above

    configured = rows([])
    named = {row.address for row in configured}
    # the form PROVIDER:NAME; it is for a host whose type is a provider
    named |= {f"{row.type}:{row.name}" for row in configured}
    rented = [row.name for row in instances() if row.state == "running" and row.name not in named]
    found = [row.name for row in configured] + rented
    if not found:
        raise NotFound(
            "there are no hosts yet", "add one: train host add NAME user@host, or: train host gpus local",
            code="no_host",
        )  # fmt: skip
    return found


def look(hosts: list[Watched]) -> list[HostGpus]:
    """Look at all hosts at the same time. The rows are in the order of `hosts`."""
    return side_by_side(hosts, Watched.look)


def close(hosts: list[Watched]) -> None:
    """End the shells on all hosts."""
    for host in hosts:
        host.close()


def documents(rows: list[HostGpus]) -> list[dict[str, object]]:
    """The rows as JSON values, for events."""
    return [msgspec.to_builtins(row) for row in rows]
