"""Running rclone, and what its messages mean as errors of the suite.

rclone's exit statuses (https://rclone.org/docs/#exit-code): 3 folder not found, 4 file not found, 5 a temporary
error, 1 anything else, told apart by what it printed.
"""

import os
import re

from trainsh_base.errors import CredentialError, NotFound, RemoteError, TimedOut, TrainError, Unreachable
from trainsh_base.system.printable import printable
from trainsh_base.system.proc import Completed, run
from trainsh_storage.model import Resolved

QUICK = ("--retries", "1", "--low-level-retries", "2", "--contimeout", "10s", "--timeout", "30s")
LIMIT = 120.0
NO_CONFIG = os.devnull

_REFUSED = re.compile(
    r"SignatureDoesNotMatch|InvalidAccessKeyId|InvalidSecurity|AuthFailure|bad_auth_token|invalid_grant|"
    r"StatusCode: 401|\b401\b.*[Uu]nauthorized|unauthorized|logon failure",
    re.IGNORECASE,
)
_FORBIDDEN = re.compile(r"AccessDenied|StatusCode: 403|\b403\b|Forbidden|insufficientPermissions|access_denied")
_NO_BUCKET = re.compile(r"NoSuchBucket|directory not found|bucket_not_found|Bucket .* does not exist")
_NETWORK = re.compile(
    r"dial tcp|no such host|connection refused|connection reset|i/o timeout|TLS handshake|certificate|"
    r"network is unreachable|request send failed|EOF"
)


def environment(place: Resolved) -> dict[str, str]:
    """The environment that rclone runs in: this process's, and the remote; no configuration file of the user's."""
    own = {} if place.own_config else {"RCLONE_CONFIG": NO_CONFIG}
    return {**os.environ, **own, **place.env}


def path(place: Resolved, below: str = "") -> str:
    """`remote:root/below`, as rclone's arguments name it; for a folder, its path."""
    root = "/".join(part for part in (place.root.rstrip("/"), below.strip("/")) if part)
    return f"{place.remote}{root}" if place.engine == "rclone" else root or "/"


def ask(place: Resolved, *words: str, input: bytes | None = None) -> bytes:
    """What `rclone WORDS` prints, with short retries; a typed error when it fails."""
    try:
        done = run(["rclone", *words, *QUICK], env=environment(place), input=input, timeout=LIMIT, check=False)
    except TimedOut:
        raise Unreachable(f"{_label(place)} did not answer within {LIMIT:g} seconds", code="no_answer") from None
    if done.status != 0:
        raise error(place, done)
    return done.stdout


def obscure(value: str) -> str:
    """A password as rclone's options take it."""
    return run(
        ["rclone", "obscure", "-"], input=value.encode(), env={**os.environ, "RCLONE_CONFIG": NO_CONFIG}
    ).text()


def error(place: Resolved, done: Completed) -> TrainError:
    """The error that rclone's status and words stand for; the words of the service are in the message."""
    said = last_line(done.stderr)
    label = _label(place)
    if _REFUSED.search(said):
        return CredentialError(f"{label} refused the credentials: {said}", _show(place), code="refused")
    if _NETWORK.search(said):
        return Unreachable(f"{label} cannot be reached: {said}", _show(place), code="unreachable")
    if _NO_BUCKET.search(said) or done.status in (3, 4):
        return NotFound(f"{label}: there is no {place.root or 'such folder'}: {said}", code="no_bucket")
    if _FORBIDDEN.search(said):
        return CredentialError(f"{label} does not allow it: {said}", code="forbidden")
    return RemoteError(f"{label}: {said or f'rclone ended with status {done.status}'}", code="rclone_failed")


def last_line(stderr: bytes) -> str:
    """The last error of rclone's log, without time, level, request ids and what every line repeats."""
    lines = [line for line in stderr.decode(errors="replace").splitlines() if "Config file" not in line]
    lines = [line for line in lines if re.search(r"\b(ERROR|CRITICAL|NOTICE|Failed)\b", line)] or lines
    text = lines[-1] if lines else ""
    text = re.sub(r"^\S+ \S+ (ERROR|NOTICE|CRITICAL|Failed)\s*:?\s*", "", text)
    text = re.sub(r"(RequestID|HostID): [^,]*, ", "", text)
    text = re.sub(r"^Failed to \w+( with \d+ errors)?: (last error was: )?", "", text)
    return printable(text).strip()


def _label(place: Resolved) -> str:
    return place.name or place.kind


def _show(place: Resolved) -> str:
    return f"train storage show {place.name}" if place.name else "train secrets list"
