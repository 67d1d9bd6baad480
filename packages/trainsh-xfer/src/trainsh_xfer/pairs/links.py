"""Handles a source that is itself a symbolic link. The target of the link is copied, under the name of the link."""

import os
import posixpath

import msgspec

from trainsh_xfer.endpoints.local_paths import WILDCARDS, means_contents
from trainsh_xfer.endpoints.places import Place
from trainsh_xfer.engines import remote_paths
from trainsh_xfer.hosts.machines import Connection


def followed(source: Place, destination: Place, there: Connection | None) -> tuple[Place, Place, bool]:
    """Return (the source, the destination, whether rsync must follow the source, which is a link to a file).

    If the source is a link to a folder, the source becomes the folder's contents, and the destination becomes a
    folder with the link's name. `there` is the source's host, which is asked once, or None for this machine.
    """
    if means_contents(source.path) or (not source.literal and WILDCARDS & set(source.path[source.fixed :])):
        return source, destination, False
    kind = (
        _kind_here(source.path)
        if there is None
        else there.run(remote_paths.asking_link(source.path, source.literal))
    )
    if kind != "folder":
        return source, destination, kind == "file"
    name = posixpath.basename(source.path)
    inside = posixpath.join(destination.path, name)
    return (
        msgspec.structs.replace(source, path=source.path + "/"),
        msgspec.structs.replace(destination, path=inside),
        False,
    )


def _kind_here(path: str) -> str:
    if not os.path.islink(path):  # noqa: PTH114 - text in, text out
        return ""
    return "folder" if os.path.isdir(path) else "file" if os.path.isfile(path) else ""  # noqa: PTH112, PTH113
