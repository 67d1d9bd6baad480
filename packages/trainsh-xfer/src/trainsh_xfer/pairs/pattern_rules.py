"""The rules of a transfer that come from files: --exclude-from and --gitignore."""

import os
import posixpath

import msgspec

from trainsh_base.errors import UsageError
from trainsh_base.request import Request
from trainsh_xfer.endpoints import pattern_files
from trainsh_xfer.endpoints.local_paths import WILDCARDS, means_contents, working_folder
from trainsh_xfer.endpoints.places import InStorage, Place
from trainsh_xfer.engines.remote_paths import for_old_rsync
from trainsh_xfer.hosts.machines import Connection
from trainsh_xfer.model import Order
from trainsh_xfer.remote.library import call_written


def with_rules(order: Order, source: Place | InStorage, request: Request) -> Order:
    """The order with more rules in its options: those from --exclude-from and from .gitignore files.

    Raises NotFound for a file of patterns that does not exist, and UsageError for .gitignore files that cannot be
    read.
    """
    cwd = working_folder(order.cwd)
    rules = [rule for file in order.exclude_from for rule in pattern_files.excluded_from(file, cwd)]
    if order.gitignore:
        rules += _ignored(source, request)
    options = msgspec.structs.replace(order.options, rules=rules)
    return msgspec.structs.replace(order, options=options)


def _ignored(source: Place | InStorage, request: Request) -> list[str]:
    if isinstance(source, InStorage):
        raise UsageError(
            f"--gitignore does not read .gitignore files in a storage: {source.text}",
            "use --exclude or --exclude-from", code="usage",
        )  # fmt: skip
    if not source.literal and WILDCARDS & set(source.path[source.fixed :]):
        raise UsageError("--gitignore needs one folder as SRC, not wildcards", code="usage")
    contents = means_contents(source.path) or (source.target is None and os.path.islink(source.path))  # noqa: PTH114
    root = "/" if contents else f"/{posixpath.basename(source.path)}/"
    if source.target is None:
        return pattern_files.translated(pattern_files.gitignores(source.path), root)
    folder = for_old_rsync(source.path, literal=source.literal, wildcards=False)
    said = Connection(source.target, request).run(call_written("print_gitignores", folder))
    return pattern_files.translated(pattern_files.printed_gitignores(said), root)
