"""Quotes paths on a host so that the remote shell and the remote rsync read them as intended.

Three programs read a path. The first is the local rsync. From 3.2.4 on, it escapes everything in the path except
wildcards for the shell. The second is the login shell (sh, bash, zsh, fish, csh). The third is the remote rsync,
which expands wildcards itself. With `-s`, no shell reads the path.
"""

import posixpath
import re

from trainsh_base.errors import UsageError
from trainsh_xfer.engines.rsync import Rsync
from trainsh_xfer.remote.library import call, call_written, for_shell

WILDCARDS = "*?["
PROCESS = call("announce_rsync")

_HOME = re.compile(r"~[A-Za-z0-9._-]*(?:/|$)")
_WILD_RUN = re.compile(r"[*?\[\]]+")


def home_and_rest(path: str, *, literal: bool) -> tuple[str, str]:
    """Split a path into `~user/`, which may be empty, and the rest. `./` is put before a relative path.

    The slash belongs to the first part, because the shell would not expand `~user` if the slash were quoted.
    Because of the `./`, a leading dash, `=`, `~` or `#` has no special meaning.
    """
    found = None if literal else _HOME.match(path)
    if found:
        return found[0], path[found.end() :]
    return "", path if path.startswith("/") else "./" + path


def is_bare_home(path: str) -> bool:
    """Whether the path is only `~` or `~user`."""
    return bool(_HOME.fullmatch(path)) and not path.endswith("/")


def for_rsync(path: str, rsync: Rsync, *, literal: bool, source: bool) -> tuple[str, bool]:
    """A path on a host in the form that this version of rsync needs, and whether to use `-s` for it."""
    if not rsync.escapes:
        return for_old_rsync(path, literal=literal, wildcards=source), False
    if needs_seclusion(path):
        return secluded(path, literal=literal, source=source), True
    return for_new_rsync(path, literal=literal, wildcards=source), False


def for_old_rsync(path: str, *, literal: bool, wildcards: bool) -> str:
    """The path, quoted for the login shell.

    This is needed because openrsync, and rsync before 3.2.4, do not quote paths themselves.
    """
    home, rest = home_and_rest(path, literal=literal)
    if literal or not wildcards:
        return home + (for_shell(rest) if rest else "")
    at, parts = 0, [home]
    for found in _WILD_RUN.finditer(rest):
        parts += [for_shell(rest[at : found.start()]) if found.start() > at else "", found[0]]
        at = found.end()
    return "".join([*parts, for_shell(rest[at:]) if at < len(rest) else ""])


def for_new_rsync(path: str, *, literal: bool, wildcards: bool) -> str:
    """The path for rsync 3.2.4 and later, which itself escapes everything except wildcards.

    This function puts a backslash before a wildcard that is literal.
    """
    home, rest = home_and_rest(path, literal=literal)
    return home + (rest if wildcards and not literal else re.sub(r"([*?\[\]])", r"\\\1", rest))


def needs_seclusion(path: str) -> bool:
    """Whether rsync's own escaping would fail for this path.

    It fails for a newline, because the shell drops an escaped newline, and for a backslash at the end.
    """
    return "\n" in path or path.endswith("\\")


def secluded(path: str, *, literal: bool, source: bool) -> str:
    """The path for `-s`. With this option no shell reads the path, and the remote rsync expands wildcards in each
    part.

    Raises UsageError for a destination that has both a newline and wildcards, because it cannot be quoted.
    """
    home, rest = home_and_rest(path, literal=literal)
    if home not in ("", "~", "~/"):
        raise UsageError(
            f"cannot name {path!r} on a host", "use a path without a newline and without ~user", code="bad_path"
        )
    rest = "./" + rest if home else rest
    if not literal and source:
        return rest
    if not source and any(char in rest for char in WILDCARDS):
        raise UsageError(
            f"cannot name {path!r} on a host", "use a path without a newline, or without wildcards", code="bad_path"
        )
    return "/".join(_escaped(part) for part in rest.split("/"))


def _escaped(part: str) -> str:
    """Escape one part for rsync's wildcard matching. rsync reads backslashes as escapes only in a part that has a
    wildcard.
    """
    return re.sub(r"([\\*?\[])", r"\\\1", part) if any(char in part for char in WILDCARDS) else part


def receiving(destination: str, *, literal: bool, make: bool) -> str:
    """The `--rsync-path` for a receiving host.

    It prints its process id on stderr and runs rsync. With `make`, it first creates the folders above
    `destination`.
    """
    return (making_parents(destination, literal=literal) if make else "") + PROCESS


def making_parents(destination: str, *, literal: bool) -> str:
    """The beginning of a command line, which creates the folders above `destination`.

    It is empty if there are no such folders.
    """
    home, rest = home_and_rest(destination, literal=literal)
    parent = posixpath.dirname(rest.rstrip("/"))
    return "" if parent in ("", ".", "/") else f"mkdir -p -- {home}{for_shell(parent)} && "


def making_folder(path: str, *, literal: bool) -> str:
    """The command that creates the folder `path` and the folders above it."""
    return making_parents(f"{path.rstrip('/')}/.", literal=literal) + "true"


def asking_link(path: str, literal: bool) -> str:
    """The command that prints `folder` or `file` if `path` is a symbolic link to a folder or file.

    For all other paths it prints nothing.
    """
    return call_written("link_kind", for_old_rsync(path, literal=literal, wildcards=False))


def ending(process: int) -> str:
    """The command that stops a remote rsync and waits until it has ended.

    It is used if rsync has not noticed that its connection is lost. When rsync ends, it saves its partial file, and
    the next attempt continues this file.
    """
    return call("end_rsync", process)


def removing_empty(sources: list[tuple[str, bool]]) -> str:
    """The command that removes the empty folders that a move left in `sources`.

    `sources` are pairs (path, literal). The command runs in `sh`, whatever the login shell is. If a source stands
    only for a folder's contents, the folder itself is kept.
    """
    words = []
    for path, literal in sources:
        written = for_old_rsync(path, literal=literal, wildcards=True)
        words.append(written + "." if path.endswith("/") else written)
    return call_written("remove_empty_folders", *words)
