"""The verbs of the checkpoint pump: follow, unfollow, status. The pump copies new checkpoints to a storage."""

from contextlib import ExitStack

import msgspec

from trainsh_base.errors import TrainError, UsageError
from trainsh_base.request import Request
from trainsh_xfer.endpoints.file_names import printable
from trainsh_xfer.endpoints.places import InStorage, Place
from trainsh_xfer.endpoints.storages import HostFolder
from trainsh_xfer.model import Following, Order
from trainsh_xfer.on_host import pump
from trainsh_xfer.on_host.pump import Pump, PumpShell
from trainsh_xfer.on_host.rclone_host import HostRclone
from trainsh_xfer.pairs.storage_routes import Impossible, environment, find_rclone, told
from trainsh_xfer.transfer import sides


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """How to follow a folder.

    The fields, in order: the number of copies to keep (0 for all); the seconds between two looks at the folder; the
    seconds after which an unchanged entry counts as complete; a pattern for names.
    """

    keep: int = 0
    every: float = 60
    settle: float = 10
    match: str = "*"
    job: str = ""


def follow(order: Order, wish: Wish, request: Request) -> Following:
    """Start to follow a folder on a host. Do nothing if the folder is already followed.

    Raises the errors of the storage.
    """
    if wish.keep < 0:
        raise UsageError(f"--keep must be 0 or more, not {wish.keep}", "0 keeps all checkpoints", code="bad_keep")
    with ExitStack() as stack:
        wanted, shell = _opened(order, wish, request, stack)
        path = _rclone(shell, request)
        program = HostRclone(shell, path, told(order).partition(" -> ")[2], request, "077")
        program.rows(wanted.remote)  # if the storage refuses the credentials, this raises the error now
        if pump.start(wanted, shell, path):
            request.emit("log", message=f"{wanted.host} follows {wanted.asked[0]} already")
        else:
            request.emit(
                "log", message=f"following {told(order)}: the host looks for new checkpoints every {wanted.every} s"
            )
        found, _ = pump.look(wanted, shell)
    return msgspec.structs.replace(found, message=f"{wanted.host} follows {wanted.asked[0]}")


def unfollow(order: Order, job: str, request: Request) -> Following:
    """Make the pump do a last round, wait until the pump has ended, and remove it.

    If there is no pump, return at once. Raises `not_safe` if something could not be copied in the last round.
    """
    with ExitStack() as stack:
        wanted, shell = _opened(order, Wish(job=job), request, stack)
        before = pump.known(wanted.key)
        found, _ = pump.look(wanted, shell)
        if before is None and not found.kept and found.state == "lost":
            shell.tidy("xfer_forget_pump")
            return msgspec.structs.replace(found, state="ended", message=f"{wanted.asked[0]} is not followed")
        request.emit("log", message=f"copying the last checkpoints of {wanted.asked[0]}")
        if found.state == "following":
            shell.call("xfer_stop_pump")
        elif found.state == "lost" or found.failed:
            pump.start(before or wanted, shell, _rclone(shell, request), last=True)
        found = pump.wait_for(before or wanted, shell, request, end=True)
        if found.failed:
            raise TrainError(
                f"not every checkpoint of {wanted.asked[0]} is uploaded: {found.failed}", "to try again: run "
                "the command again",
                code="not_safe", data=msgspec.to_builtins(found),
            )  # fmt: skip
        shell.tidy("xfer_forget_pump")
        pump.forget(before or wanted)
    safe = f"the newest is {found.newest}" if found.newest else "there were none"
    return msgspec.structs.replace(found, message=f"all checkpoints of {wanted.asked[0]} are uploaded: {safe}")


def status(job: str, request: Request) -> list[Following]:
    """Ask the hosts for the state of the pumps of one job. If `job` is empty, ask for all pumps.

    Only pumps that were started from this machine are included.
    """
    return [_asked(one, request) for one in pump.remembered(job)]


def _asked(one: Pump, request: Request) -> Following:
    try:
        shell = PumpShell(one.target, request, one.key, {})
    except TrainError as error:
        request.check()
        return pump.remembered_state(one, "unreachable", error.message)
    try:
        found, _ = pump.look(one, shell)
    finally:
        shell.close()
    pump.remember(msgspec.structs.replace(one, last=found))
    return found


def _rclone(shell: PumpShell, request: Request) -> str:
    """The path of an rclone on the host. If the host has no rclone, one is sent there for the pump."""
    try:
        return find_rclone(shell, request)[0]
    except Impossible as error:
        raise TrainError(f"{error}: following a folder needs rclone on its host", code="no_rclone") from None


def _opened(order: Order, wish: Wish, request: Request, stack: ExitStack) -> tuple[Pump, PumpShell]:
    """The pump for the source and destination of `order`, and an open shell on the pump's host."""
    try:
        source, destination = sides(order)
    except TrainError as error:
        raise printable(error) from None
    if not isinstance(source, Place) or source.target is None or not isinstance(destination, InStorage):
        raise UsageError(
            "the source must be a folder on a host, and the destination a folder in a storage",
            "write it like: xfer.follow @gpu:/ckpt/ @out:/ckpt/", code="bad_endpoint",
        )  # fmt: skip
    if destination.storage.own_config:
        raise UsageError(
            f"the settings of {destination.storage.label} are in your own rclone configuration, which is not "
            f"sent to hosts",
            "use a storage whose credentials are in train secrets; to add one: train "
            "storage add", code="own_config",
        )  # fmt: skip
    remote = destination.storage.at(destination.path)
    shown = Pump(
        key=pump.key_of(source.target, source.path, remote), source=source.path, remote=remote,
        asked=(order.source, order.destination), host=told(order).partition(" -> ")[0], target=source.target,
        job=wish.job, keep=wish.keep, every=max(1, round(wish.every)), settle=max(1, round(wish.settle)),
        match=wish.match,
    )  # fmt: skip
    shell = PumpShell(source.target, request, shown.key, environment(destination))
    stack.callback(shell.close)
    if not shell.folder:
        raise TrainError(f"the home folder of {shown.host} cannot be written to", code="no_folder")
    folder = HostFolder(label="", remote="", root="", env={}, secret_env=[], own_config=False, home=shell.home)
    return msgspec.structs.replace(shown, source=folder.at(source.path)), shell
