"""The way from one place to another, as rsync is told it."""

import os

import msgspec

from trainsh_base.errors import UsageError
from trainsh_xfer import folders, guards
from trainsh_xfer.model import Options
from trainsh_xfer.places import Place
from trainsh_xfer.rsync import Remote


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """Both sides in rsync's words. `host` names the far side in messages; empty for a copy on this machine.

    `parents` is the local path whose parent folders are to be made, `tidy` the local sources whose empty folders
    a move leaves behind.
    """

    sources: list[str]
    destination: str
    remote: Remote | None = None
    secluded: bool = False
    host: str = ""
    parents: str = ""
    tidy: list[str] = []


def local(source: Place, destination: Place, options: Options, *, force: bool) -> Route:
    """The way between two places on this machine; UsageError where it would destroy what it reads or too much."""
    sources = folders.expanded(source.path, source.fixed, literal=source.literal)
    if options.delete and not force:
        guards.check_deletion(sources, os.path.realpath(destination.path), [_home()])
    guards.check_overlap(sources, destination.path, options)
    return Route(sources=sources, destination=destination.path, parents=destination.path, tidy=sources)


def between(source: Place, destination: Place, options: Options, *, force: bool) -> Route:
    """The way from `source` to `destination`."""
    if not source.host and not destination.host:
        return local(source, destination, options, force=force)
    raise UsageError("hosts are not reached yet", code="not_built")


def _home() -> str:
    return os.path.realpath(os.path.expanduser("~"))  # noqa: PTH111 - text in, text out
