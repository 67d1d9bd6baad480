"""The way from one place to another, as rsync is told it."""

import os
import posixpath

import msgspec

from trainsh_base.errors import UsageError
from trainsh_base.request import Request
from trainsh_xfer import folders, guards, quoting
from trainsh_xfer.machines import Connection
from trainsh_xfer.model import Options
from trainsh_xfer.places import Place
from trainsh_xfer.rsync import Remote, Rsync


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """Both sides in rsync's words, and the connection they go over (None: a copy on this machine).

    `program` is the far side's --rsync-path. `parents` is the local path whose parent folders are to be made,
    `tidy` the local sources, `tidy_far` the command that removes the empty folders which a move leaves behind.
    """

    sources: list[str]
    destination: str
    connection: Connection | None = None
    program: str = ""
    secluded: bool = False
    parents: str = ""
    tidy: list[str] = []
    tidy_far: str = ""

    @property
    def host(self) -> str:
        """The far side's name in messages; empty for a copy on this machine."""
        return self.connection.target.label if self.connection else ""

    @property
    def name(self) -> str:
        """What `train host` knows the far side by."""
        return self.connection.target.name if self.connection else ""

    def remote(self) -> Remote | None:
        """How rsync reaches the far side now."""
        return self.connection.remote(self.program) if self.connection else None


def between(source: Place, destination: Place, options: Options, *, rsync: Rsync, request: Request) -> Route:
    """The way from `source` to `destination`; UsageError where it would destroy what it reads, or too much."""
    if source.target and destination.target:
        raise UsageError(
            f"{source.text} -> {destination.text}: both sides are hosts, which is not supported yet",
            "copy to this machine first, then to the other host", code="two_hosts",
        )  # fmt: skip
    if source.target:
        return _download(source, destination, options, rsync, Connection(source.target, request))
    if destination.target:
        return _upload(source, destination, options, rsync, Connection(destination.target, request))
    return _local(source, destination, options)


def _local(source: Place, destination: Place, options: Options) -> Route:
    sources = folders.expanded(source.path, source.fixed, literal=source.literal)
    _guard_local(sources, destination, options)
    guards.check_overlap(sources, destination.path, options)
    return Route(sources=sources, destination=destination.path, parents=destination.path, tidy=sources)


def _upload(source: Place, destination: Place, options: Options, rsync: Rsync, connection: Connection) -> Route:
    sources = folders.expanded(source.path, source.fixed, literal=source.literal)
    if options.delete and not options.force:
        guards.check_deletion(sources, posixpath.normpath(destination.path), [])
    if not destination.literal and quoting.is_bare_home(destination.path):
        destination = msgspec.structs.replace(destination, path=destination.path + "/")
    path, secluded = _far(destination, rsync, source=False)
    program = quoting.receiving(destination.path, literal=destination.literal, make=not options.dry_run)
    return Route(
        sources=sources, destination=f"{connection.remote().host}:{path}", connection=connection, program=program,
        secluded=secluded, tidy=sources,
    )  # fmt: skip


def _download(source: Place, destination: Place, options: Options, rsync: Rsync, connection: Connection) -> Route:
    if not source.literal and quoting.is_bare_home(source.path):
        home = connection.run(f"cd {source.path} && pwd")
        source = Place(target=source.target, path=home, literal=True, text=source.text)
    _guard_local([source.path], destination, options)
    path, secluded = _far(source, rsync, source=True)
    return Route(
        sources=[f"{connection.remote().host}:{path}"], destination=destination.path, connection=connection,
        secluded=secluded, parents=destination.path,
        tidy_far=quoting.removing_empty([(source.path, source.literal)]),
    )  # fmt: skip


def _far(place: Place, rsync: Rsync, *, source: bool) -> tuple[str, bool]:
    """A host's path in rsync's words, and whether they are for `-s`."""
    if not rsync.escapes:
        return quoting.for_old_rsync(place.path, literal=place.literal, wildcards=source), False
    if quoting.needs_seclusion(place.path):
        return quoting.secluded(place.path, literal=place.literal, source=source), True
    return quoting.for_new_rsync(place.path, literal=place.literal, wildcards=source), False


def _guard_local(sources: list[str], destination: Place, options: Options) -> None:
    if options.delete and not options.force:
        home = os.path.realpath(os.path.expanduser("~"))  # noqa: PTH111 - text in, text out
        guards.check_deletion(sources, os.path.realpath(destination.path), [home])
