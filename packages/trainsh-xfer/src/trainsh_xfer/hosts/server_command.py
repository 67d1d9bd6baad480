"""Checks the command that the source's rsync wants to run at the destination.

The source reports this command, and the command is then run with the destination's account. A source that is not
trusted could report anything, so only an rsync server for the requested path is accepted.
"""

import re
import shlex

from trainsh_base.errors import RemoteError

_SERVER = re.compile(r"--server((?: -[\w.,=%:+-]+| \.train-partial)*) \. ", re.ASCII)
# with -s, rsync sends the options and the path later, inside its protocol
_SECLUDED = re.compile(r"--server -s[\w.]+", re.ASCII)
_WRITES = re.compile(r"--(sender|daemon|config|log-file|temp-dir|backup|suffix|.*-dest|files-from|remote-option)")
_WRITES_SHORT = re.compile(r"-[^-]*[bTM]")


def checked(command: str, program: str, path: str, *, secluded: bool) -> str:
    """Return `command` if it consists of `program`, then rsync's server options, then `path`.

    Otherwise raise RemoteError. `path` is the destination as rsync got it; `command` may contain it with quotes.
    """
    rest = command.removeprefix(program).lstrip()
    if command.startswith(program) and (
        _SECLUDED.fullmatch(rest) if secluded else _is_server(rest, [_split(path), [path], [_unescaped(path)]])
    ):
        return command
    raise RemoteError(f"rsync at the source asked for an unexpected command: {command}", code="rsync_failed")


def _is_server(rest: str, paths: list[list[str]]) -> bool:
    found = _SERVER.match(rest)
    return (
        found is not None
        and not any(_writes(word) for word in found[1].split())
        and _split(rest[found.end() :]) in paths
    )


def _writes(word: str) -> bool:
    """Whether an option makes rsync read or write anything but `path`. Letters after `e.` are not options."""
    return bool(_WRITES.match(word) or _WRITES_SHORT.match(word.split("e.", maxsplit=1)[0]))


def _split(path: str) -> list[str]:
    try:
        return shlex.split(path)
    except ValueError:
        return [path]


def _unescaped(path: str) -> str:
    return re.sub(r"\\(.)", r"\1", path)
