"""Paths on a host, written so that the shell and the rsync there read them as they are meant. Pure.

Three programs read a path: the local rsync (3.2.4 and later escape it for the shell, all but the wildcards), the
login shell (sh, bash, zsh, fish, csh), and with `-s` the remote rsync, which then expands wildcards.
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
    """`~user/` (empty where there is none) and the path from there; a relative path starts with `./`.

    The slash is no part of the path: quoted, it would keep a shell from seeing the home. The prefix keeps
    a dash, `=`, `~` or `#` at the beginning from meaning something to anybody.
    """
    found = None if literal else _HOME.match(path)
    if found:
        return found[0], path[found.end() :]
    return "", path if path.startswith("/") else "./" + path


def is_bare_home(path: str) -> bool:
    """Whether the path is `~` or `~user` and nothing more."""
    return bool(_HOME.fullmatch(path)) and not path.endswith("/")


def for_rsync(path: str, rsync: Rsync, *, literal: bool, source: bool) -> tuple[str, bool]:
    """A host's path in the words of the rsync that asks for it, and whether they are for `-s`."""
    if not rsync.escapes:
        return for_old_rsync(path, literal=literal, wildcards=source), False
    if needs_seclusion(path):
        return secluded(path, literal=literal, source=source), True
    return for_new_rsync(path, literal=literal, wildcards=source), False


def for_old_rsync(path: str, *, literal: bool, wildcards: bool) -> str:
    """The path as an rsync before 3.2.4 (and openrsync) wants it: written for the login shell by us."""
    home, rest = home_and_rest(path, literal=literal)
    if literal or not wildcards:
        return home + (for_shell(rest) if rest else "")
    at, parts = 0, [home]
    for found in _WILD_RUN.finditer(rest):
        parts += [for_shell(rest[at : found.start()]) if found.start() > at else "", found[0]]
        at = found.end()
    return "".join([*parts, for_shell(rest[at:]) if at < len(rest) else ""])


def for_new_rsync(path: str, *, literal: bool, wildcards: bool) -> str:
    """The path as rsync 3.2.4 wants it: it escapes all but wildcards, and those behind a backslash."""
    home, rest = home_and_rest(path, literal=literal)
    return home + (rest if wildcards and not literal else re.sub(r"([*?\[\]])", r"\\\1", rest))


def needs_seclusion(path: str) -> bool:
    """Whether rsync's own escaping fails: a newline (the shell drops an escaped one), a backslash at the end."""
    return "\n" in path or path.endswith("\\")


def secluded(path: str, *, literal: bool, source: bool) -> str:
    """The path for `-s`, where no shell sees it and the remote rsync expands wildcards, part by part.

    UsageError for a destination with both a newline and wildcards in it, which cannot be written.
    """
    home, rest = home_and_rest(path, literal=literal)
    if home not in ("", "~", "~/"):
        raise UsageError(f"cannot name {path!r} on a host", "leave out the newline, or the ~user", code="bad_path")
    rest = "./" + rest if home else rest
    if not literal and source:
        return rest
    if not source and any(char in rest for char in WILDCARDS):
        raise UsageError(
            f"cannot name {path!r} on a host", "leave out the newline or the wildcards", code="bad_path"
        )
    return "/".join(_escaped(part) for part in rest.split("/"))


def _escaped(part: str) -> str:
    """One part for rsync's own matching, which reads backslashes only where a wildcard is."""
    return re.sub(r"([\\*?\[])", r"\\\1", part) if any(char in part for char in WILDCARDS) else part


def receiving(destination: str, *, literal: bool, make: bool) -> str:
    """`--rsync-path` of a host that receives: its process id on stderr, and with `make` the folders above
    `destination` made first."""
    return (making_parents(destination, literal=literal) if make else "") + PROCESS


def making_parents(destination: str, *, literal: bool) -> str:
    """The beginning of a command line that makes the folders above `destination`; empty where there are none."""
    home, rest = home_and_rest(destination, literal=literal)
    parent = posixpath.dirname(rest.rstrip("/"))
    return "" if parent in ("", ".", "/") else f"mkdir -p -- {home}{for_shell(parent)} && "


def asking_link(path: str, literal: bool) -> str:
    """The command that prints `folder` or `file` for a symbolic link that leads to one, and else nothing."""
    return call_written("link_kind", for_old_rsync(path, literal=literal, wildcards=False))


def ending(process: int) -> str:
    """The command that ends a remote rsync that has not noticed that its connection is gone, and waits for that.

    It then keeps what it has of a file, where the next one finds it.
    """
    return call("end_rsync", process)


def removing_empty(sources: list[tuple[str, bool]]) -> str:
    """The command that removes the empty folders which a move left in `sources` (paths, and whether literal).

    It is one `sh` whatever the login shell is. A source that means contents keeps its own folder.
    """
    words = []
    for path, literal in sources:
        written = for_old_rsync(path, literal=literal, wildcards=True)
        words.append(written + "." if path.endswith("/") else written)
    return call_written("remove_empty_folders", *words)
