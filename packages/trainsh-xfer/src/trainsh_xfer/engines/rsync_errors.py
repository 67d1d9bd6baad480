"""Turns rsync's exit status and messages (rsync(1), "EXIT VALUES") into typed errors."""

import re
import shlex
import signal

from trainsh_base.errors import (
    CredentialError,
    MissingProgram,
    NotFound,
    RemoteError,
    TimedOut,
    TrainError,
    Unreachable,
)
from trainsh_xfer.engines.rsync_output import as_text

VANISHED = 24
LOST = frozenset({10, 12, 255})
SHOWN, LISTED = 20, 10  # how many messages the error's data has, and how many its text has

_NOISE = re.compile(r"rsync error: |rsync: connection unexpectedly closed|train-xfer process |\s*$")
_ABSENT = re.compile(
    r'(?:link_stat|change_dir) "(.*)"(?: \(.*\))? failed: No such file or directory \(2\)', re.DOTALL
)
# The errors of zsh, fish and csh for a pattern that matches nothing.
_NO_MATCH = re.compile(r"no matches found: (.*)|No matches for wildcard '(.*?)'|(?:rsync|sh): No match\.()")
_NO_PROGRAM = re.compile(
    r"rsync\S*: (?:command )?not found|command not found: rsync|unknown command:? '?rsync", re.I
)
# The messages that ssh and rsync print when a connection ends. All lines before these come from the host.
_SSH = re.compile(
    r"^(?:ssh:|mux_client|client_loop|kex_|packet_|Timeout, server|Control socket|Shared connection|Connection "
    r"|Write failed|lost connection)|Broken pipe|Connection reset|timed out",
    re.M,
)
_DENIED = re.compile(
    r"^.*(?:Permission denied \((?:publickey|password|keyboard)|Host key verification failed).*$", re.M
)
_PROCESS = re.compile(r"^train-xfer process (\d+)$", re.M)
_FULL = re.compile(r"No space left on device|Disk quota exceeded")


def said(stderr: str) -> list[str]:
    """The lines of rsync's stderr that tell something, with rsync's escapes decoded."""
    lines = (as_text(line.encode(errors="surrogateescape")) for line in stderr.splitlines())
    return [line for line in lines if not _NOISE.match(line)]


def is_full(stderr: str) -> bool:
    """Whether the host refused a new channel, because sshd limits the channels of one connection (MaxSessions)."""
    return "Session open refused by peer" in stderr


def never_began(status: int, stderr: str) -> bool:
    """Whether the receiving host's rsync never started: the login failed, or the host did not run the command."""
    return status in LOST | {5, 14, 30, 126, 127} and far_process(stderr) is None


def is_noisy(stderr: str) -> bool:
    """Whether login files printed something before rsync started."""
    return "is your shell clean" in stderr


def far_process(stderr: str) -> int | None:
    """The process id of the remote rsync, or None. The shell function `announce_rsync` prints this id on stderr."""
    found = _PROCESS.search(stderr)
    return int(found[1]) if found else None


def error_for(status: int, stderr: str, host: str, name: str = "") -> TrainError:
    """The error for an exit status other than 0 and 24.

    `host` is the label of the other side, or empty for a local copy. `name` is the name that `train host` has for
    the other side.
    """
    lines = said(stderr)
    message = lines[0].removeprefix("rsync: ") if lines else f"rsync ended with status {status}"
    data = {"status": status, "said": lines[:SHOWN]}
    if found := _ABSENT.search(stderr):
        path = as_text(found[1].encode(errors="surrogateescape"))
        return NotFound(_on(host, f"no such file or folder: {path}"), code="no_file", data={**data, "path": path})
    if host and (found := _NO_MATCH.search(stderr)):
        pattern = found[1] or found[2] or "the pattern"
        return NotFound(f"{host}: nothing matches {pattern}", code="no_file", data=data)
    if host and (found := _DENIED.search(stderr)):
        return CredentialError(f"{host}: {found[0].strip()}", code="refused", data=data)
    if host and (status == 127 or _NO_PROGRAM.search(stderr)):
        return MissingProgram(
            f"rsync is not installed on {name or host}",
            f"install it there, for example: {installing(name or host)}",
            data=data,
        )
    if status < 0:
        name = signal.Signals(-status).name
        return TrainError(
            _on(host, f"rsync was killed ({name})"),
            "out of memory? to continue: run the command again", code="killed", data=data,
        )  # fmt: skip
    if _FULL.search(stderr):
        return TrainError(
            _on(host, message),
            "free some space there, then run the command again to continue",
            code="full",
            data=data,
        )
    if status == 23:
        rows = [line.removeprefix("rsync: ") for line in lines[:LISTED]]
        more = f"\nand {len(lines) - LISTED} more" if len(lines) > LISTED else ""
        return TrainError(
            _on(host, "these were not copied; the others were:\n" + "\n".join(rows) + more),
            "run the command again: files that have arrived are not sent again", code="partial", data=data,
        )  # fmt: skip
    if status in (30, 35):
        again = "to continue: run the command again"
        return TimedOut(_on(host, message), again, code="connection_lost" if host else "", data=data)
    if host and status in LOST and (status == 255 or not lines or _SSH.search(stderr)):
        return _lost(host, message, bool(lines), data)
    return (
        RemoteError(_on(host, message), data=data) if host else TrainError(message, code="rsync_failed", data=data)
    )


def _lost(host: str, message: str, explained: bool, data: dict[str, object]) -> TrainError:
    text = message if explained else "the connection was lost"
    return Unreachable(f"{host}: {text}", "to continue: run the command again", code="connection_lost", data=data)


def installing(host: str) -> str:
    """The command that installs rsync on `host`. It assumes Debian or Ubuntu."""
    return f"train host run {shlex.quote(host)} -- apt-get install -y rsync"


def _on(host: str, message: str) -> str:
    return f"{host}: {message}" if host else message
