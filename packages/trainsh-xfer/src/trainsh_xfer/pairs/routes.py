"""Routes that begin or end on this machine, and the choice of a route."""

import os
import posixpath
from contextlib import ExitStack

import msgspec

from trainsh_base.request import Request
from trainsh_xfer.endpoints import guards, local_paths
from trainsh_xfer.endpoints.places import Place
from trainsh_xfer.engines import remote_paths
from trainsh_xfer.engines.rsync import Rsync
from trainsh_xfer.hosts.machines import Connection
from trainsh_xfer.model import Options
from trainsh_xfer.pairs import host_routes, links
from trainsh_xfer.pairs.route import Route


def between(
    source: Place, destination: Place, options: Options, *, rsync: Rsync, request: Request, stack: ExitStack
) -> Route:
    """The route from `source` to `destination`.

    Everything that is set up for the route is removed when `stack` is closed. Raises UsageError if the copy would
    destroy its source or delete too much.
    """
    if source.target and destination.target:
        return host_routes.between(source, destination, options, request, stack)
    there = Connection(source.target, request) if source.target else None
    source, destination, follow = links.followed(source, destination, there)
    if there:
        route = _download(source, destination, options, rsync, there)
    elif destination.target:
        route = _upload(source, destination, options, rsync, Connection(destination.target, request))
    else:
        route = _local(source, destination, options, rsync)
    return msgspec.structs.replace(route, follow=follow)


def _local(source: Place, destination: Place, options: Options, rsync: Rsync) -> Route:
    sources = local_paths.expanded(source.path, source.fixed, literal=source.literal)
    _guard_local(sources, destination, options)
    guards.check_overlap(sources, destination.path, options)
    return Route(rsync=rsync, sources=sources, destination=destination.path, parents=destination.path, tidy=sources)


def _upload(source: Place, destination: Place, options: Options, rsync: Rsync, connection: Connection) -> Route:
    sources = local_paths.expanded(source.path, source.fixed, literal=source.literal)
    if options.delete and not options.force:
        guards.check_deletion(sources, posixpath.normpath(destination.path), [])
    if not destination.literal and remote_paths.is_bare_home(destination.path):
        destination = msgspec.structs.replace(destination, path=destination.path + "/")
    path, secluded = remote_paths.for_rsync(destination.path, rsync, literal=destination.literal, source=False)
    program = remote_paths.receiving(destination.path, literal=destination.literal, make=not options.dry_run)
    return Route(
        rsync=rsync, sources=sources, destination=f"{connection.remote().host}:{path}", connection=connection,
        program=program, secluded=secluded, tidy=sources,
        root=_root(sources), making=remote_paths.making_folder(destination.path, literal=destination.literal),
    )  # fmt: skip


def _download(source: Place, destination: Place, options: Options, rsync: Rsync, connection: Connection) -> Route:
    if not source.literal and remote_paths.is_bare_home(source.path):
        home = connection.run(f"cd {source.path} && pwd")
        source = Place(target=source.target, path=home, literal=True, text=source.text)
    _guard_local([source.path], destination, options)
    path, secluded = remote_paths.for_rsync(source.path, rsync, literal=source.literal, source=True)
    return Route(
        rsync=rsync, sources=[f"{connection.remote().host}:{path}"], destination=destination.path,
        connection=connection, program=remote_paths.PROCESS, secluded=secluded, parents=destination.path,
        foreign=True, root=_far_root(source, rsync, connection),
        tidy_far=remote_paths.removing_empty([(source.path, source.literal)]),
    )  # fmt: skip


def _root(sources: list[str]) -> str:
    """The folder to which the names of these sources are relative, or "" if the sources have several such
    folders.
    """
    roots = {local_paths.root_of(source) for source in sources}
    return roots.pop() if len(roots) == 1 else ""


def _far_root(source: Place, rsync: Rsync, connection: Connection) -> str:
    root = local_paths.root_of(source.path)
    if not source.literal and local_paths.WILDCARDS & set(root):
        return ""
    path, secluded = remote_paths.for_rsync(root, rsync, literal=source.literal, source=True)
    if secluded != remote_paths.for_rsync(source.path, rsync, literal=source.literal, source=True)[1]:
        return ""
    return f"{connection.remote().host}:{path}"


def _guard_local(sources: list[str], destination: Place, options: Options) -> None:
    if options.delete and not options.force:
        home = os.path.realpath(os.path.expanduser("~"))  # noqa: PTH111 - text in, text out
        guards.check_deletion(sources, os.path.realpath(destination.path), [home])
