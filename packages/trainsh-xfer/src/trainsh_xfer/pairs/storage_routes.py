"""Decides where rclone runs for a transfer with a storage: on the host at the other end, or on this machine."""

import hashlib
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import msgspec

from trainsh_base.errors import TrainError, Unreachable
from trainsh_base.remote import ssh
from trainsh_base.remote.target import Target
from trainsh_base.request import Request
from trainsh_xfer.endpoints import endpoint_text
from trainsh_xfer.endpoints.places import InStorage, Place
from trainsh_xfer.endpoints.storages import HostFolder
from trainsh_xfer.engines.rclone_program import LocalRclone, RcloneProgram
from trainsh_xfer.model import Order
from trainsh_xfer.on_host import lent
from trainsh_xfer.on_host.host_shell import HostShell
from trainsh_xfer.on_host.rclone_host import HostRclone
from trainsh_xfer.pairs.relay import over_sftp

Side = Place | InStorage
OLDEST = (1, 60)  # an older rclone does not log as JSON what a dry run would do


class StorageRoute(msgspec.Struct, frozen=True, kw_only=True):
    """A route through rclone: both sides as the rclone `program` names them, and whether `program` runs on a host.

    `told` describes the route in words.
    """

    source: Side
    destination: Side
    program: RcloneProgram
    on_host: bool
    told: str


@contextmanager
def route(order: Order, source: Side, destination: Side, request: Request) -> Iterator[StorageRoute]:
    """Yield the route.

    At the end of the block, everything that belongs to the transfer is removed from the host. If the connection is
    lost, or if the client of `serve` has ended, nothing is removed, and what runs on the host continues.
    """
    place, storage = _ends(source, destination)
    if place is None or place.target is None:
        yield _here(order, source, destination, request, "")
        return
    with ExitStack() as stack:
        reason = "its settings are in your own rclone configuration" if storage.storage.own_config else ""
        chosen: StorageRoute | None = None
        if not reason:
            try:
                chosen = _on_host(order, source, destination, request, stack)
            except Impossible as error:
                reason = str(error)
        if chosen is None:
            stack.close()
            chosen = _here(order, source, destination, request, reason)
        yield chosen


def detour(order: Order, source: Side, destination: Side, error: Unreachable, request: Request) -> StorageRoute:
    """The route through this machine, for a transfer whose host does not reach the storage."""
    place, _ = _ends(source, destination)
    name = _name(order.source if place is source else order.destination, order)
    return _here(order, source, destination, request, f"{name} does not reach it ({error.message})")


class Impossible(Exception):
    """The host cannot run rclone. The text of this exception tells why."""


def _ends(source: Side, destination: Side) -> tuple[Place | None, InStorage]:
    """Return (the side that is not a storage, or None if both are storages; the side that is a storage)."""
    if isinstance(source, InStorage):
        return (destination if isinstance(destination, Place) else None), source
    assert isinstance(destination, InStorage)
    return source, destination


def _here(order: Order, source: Side, destination: Side, request: Request, reason: str) -> StorageRoute:
    sides = over_sftp(source, "SRC", request), over_sftp(destination, "DST", request)
    storages = [side.storage for side in sides if isinstance(side, InStorage)]
    program = LocalRclone(
        " or ".join(storage.label for storage in storages),
        {key: value for storage in storages for key, value in storage.env.items()},
        request, own_config=any(storage.own_config for storage in storages),
    )  # fmt: skip
    way = told(order)
    if reason:
        way += f", through this machine, because {reason}"
        request.emit("log", message=way)
    return StorageRoute(source=sides[0], destination=sides[1], program=program, on_host=False, told=way)


def _on_host(order: Order, source: Side, destination: Side, request: Request, stack: ExitStack) -> StorageRoute:
    place, stored = _ends(source, destination)
    assert place
    assert place.target
    shell = HostShell(place.target, request, _key(order, place.target, stored), environment(stored))
    stack.callback(_leave, shell, request)
    if not shell.folder:
        raise Impossible(f"the home folder of {place.target.label} cannot be written to")
    path, whose = find_rclone(shell, request)
    umask = umask_of(place.target, request) if place is destination else "077"
    program = HostRclone(shell, path, stored.storage.label, request, umask)
    way = f"{told(order)}, on the host{whose}"
    request.emit("log", message=way)
    folder = HostFolder(
        label=place.target.label, remote="", root="", env={}, secret_env=[], own_config=False, home=shell.home
    )
    inside = InStorage(storage=folder, path=place.path, literal=place.literal, text=place.text)
    return StorageRoute(
        source=inside if place is source else source, destination=inside if place is destination else destination,
        program=program, on_host=True, told=way,
    )  # fmt: skip


def find_rclone(shell: HostShell, request: Request) -> tuple[str, str]:
    """The path of an rclone on the host, and a note for messages.

    If the host has no usable rclone, one is lent to the host. Raises Impossible if that fails.
    """
    if shell.rclone and version(shell.version) >= OLDEST:
        return shell.rclone, ""
    lack = f"has rclone {shell.version}, which is too old" if shell.rclone else "has no rclone"
    try:
        return lent.lend(shell, request), f" (which {lack}, so rclone is lent to it)"
    except TrainError as error:
        request.check()
        raise Impossible(f"{shell.target.label} {lack}, and {error.message}") from None


def version(text: str) -> tuple[int, ...]:
    """The first three numbers of a version. For example, `1.60.1-DEV` gives (1, 60, 1)."""
    return tuple(int(part) for part in re.findall(r"\d+", text.partition("-")[0])[:3])


def umask_of(target: Target, request: Request) -> str:
    """The umask of the account on the host, such as `022`: the permissions that new files do not get."""
    child = ssh.start(target, "umask", request=request)
    child.close_stdin()
    with open(child.stdout, "rb") as answer:  # noqa: PTH123 - a pipe
        said = answer.read().decode(errors="replace").strip()
    child.wait()
    return said if re.fullmatch(r"[0-7]{3,4}", said) else "022"


def environment(stored: InStorage) -> dict[str, str]:
    """The environment of rclone on a host."""
    return {"RCLONE_CONFIG": "/dev/null", **stored.storage.env}


def _leave(shell: HostShell, request: Request) -> None:
    if request.abandoned:
        shell.drop()
    else:
        shell.close()


def _key(order: Order, target: Target, stored: InStorage) -> str:
    """The name of this transfer on the host.

    The same order always has the same name, so that a running transfer is found.
    """
    hidden = set(stored.storage.secret_env)
    parts = [
        msgspec.json.encode(order.options).decode(), str(order.verify), order.source, order.destination,
        *target.argv, *(f"{key}={value}" for key, value in stored.storage.env.items() if key not in hidden),
    ]  # fmt: skip
    return hashlib.sha256("\0".join(parts).encode(errors="surrogateescape")).hexdigest()[:16]


def told(order: Order) -> str:
    """Source and destination, with the names that they have in the order, such as `gpu -> r2:models`."""
    return f"{_name(order.source, order)} -> {_name(order.destination, order)}"


def _name(text: str, order: Order) -> str:
    return endpoint_text.parse(text, hosts=order.hosts, storages=order.storages).name or "this machine"
