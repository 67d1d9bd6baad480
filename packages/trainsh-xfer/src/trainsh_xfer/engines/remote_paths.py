"""Quotes paths on a host so that the remote shell and the remote rsync read them as intended. Pure.

Three programs read a path: the local rsync (3.2.4 and later escape it for the shell, except wildcards), the login
shell (sh, bash, zsh, fish, csh), and with `-s` the remote rsync, which then expands wildcards.
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
    """Split a path into `~user/` (empty if there is none) and the rest; a relative path starts with `./`.

    The slash belongs to the first part: if it were quoted, the shell would not expand `~user`. The `./` keeps a
    leading dash, `=`, `~` or `#` from having a special meaning.
    """
    found = None if literal else _HOME.match(path)
    if found:
        return found[0], path[found.end() :]
    return "", path if path.startswith("/") else "./" + path


def is_bare_home(path: str) -> bool:
    """Whether the path is only `~` or `~user`."""
    return bool(_HOME.fullmatch(path)) and not path.endswith("/")


def for_rsync(path: str, rsync: Rsync, *, literal: bool, source: bool) -> tuple[str, bool]:
    """A host's path as this version of rsync needs it, and whether to pass it with `-s`."""
    if not rsync.escapes:
        return for_old_rsync(path, literal=literal, wildcards=source), False
    if needs_seclusion(path):
        return secluded(path, literal=literal, source=source), True
    return for_new_rsync(path, literal=literal, wildcards=source), False


def for_old_rsync(path: str, *, literal: bool, wildcards: bool) -> str:
    """The path quoted for the login shell, since rsync before 3.2.4 and openrsync do not quote paths themselves."""
    home, rest = home_and_rest(path, literal=literal)
    if literal or not wildcards:
        return home + (for_shell(rest) if rest else "")
    at, parts = 0, [home]
    for found in _WILD_RUN.finditer(rest):
        parts += [for_shell(rest[at : found.start()]) if found.start() > at else "", found[0]]
        at = found.end()
    return "".join([*parts, for_shell(rest[at:]) if at < len(rest) else ""])


def for_new_rsync(path: str, *, literal: bool, wildcards: bool) -> str:
    """The path for rsync 3.2.4 and later, which escapes all but wildcards. A literal wildcard gets a backslash
    here."""
    home, rest = home_and_rest(path, literal=literal)
    return home + (rest if wildcards and not literal else re.sub(r"([*?\[\]])", r"\\\1", rest))


def needs_seclusion(path: str) -> bool:
    """Whether rsync's own escaping fails: for a newline (the shell drops an escaped one) and a backslash at the
    end."""
    return "\n" in path or path.endswith("\\")


def secluded(path: str, *, literal: bool, source: bool) -> str:
    """The path for `-s`: no shell reads it, and the remote rsync expands wildcards in each part.

    Raises UsageError for a destination that has both a newline and wildcards, which cannot be quoted.
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
    """Escape one part for rsync's wildcard matching, which reads backslashes only if the part has a wildcard."""
    return re.sub(r"([\\*?\[])", r"\\\1", part) if any(char in part for char in WILDCARDS) else part


def receiving(destination: str, *, literal: bool, make: bool) -> str:
    """The `--rsync-path` for a receiving host: prints its process id on stderr, and with `make` first creates the
    folders above `destination`."""
    return (making_parents(destination, literal=literal) if make else "") + PROCESS


def making_parents(destination: str, *, literal: bool) -> str:
    """The start of a command line that creates the folders above `destination`; empty if there are none."""
    home, rest = home_and_rest(destination, literal=literal)
    parent = posixpath.dirname(rest.rstrip("/"))
    return "" if parent in ("", ".", "/") else f"mkdir -p -- {home}{for_shell(parent)} && "


def making_folder(path: str, *, literal: bool) -> str:
    """The command that creates the folder `path` and those above it."""
    return making_parents(f"{path.rstrip('/')}/.", literal=literal) + "true"


def asking_link(path: str, literal: bool) -> str:
    """The command that prints `folder` or `file` for a symbolic link to one, and nothing for any other path."""
    return call_written("link_kind", for_old_rsync(path, literal=literal, wildcards=False))


def ending(process: int) -> str:
    """The command that stops a remote rsync that has not noticed its lost connection, and waits until it has ended.

    rsync then saves its partial file, from which the next attempt continues.
    """
    return call("end_rsync", process)


def removing_empty(sources: list[tuple[str, bool]]) -> str:
    """The command that removes the empty folders that a move left in `sources`, pairs of (path, literal).

    It runs in `sh`, whatever the login shell is. A source that means a folder's contents keeps the folder itself.
    """
    words = []
    for path, literal in sources:
        written = for_old_rsync(path, literal=literal, wildcards=True)
        words.append(written + "." if path.endswith("/") else written)
    return call_written("remove_empty_folders", *words)
