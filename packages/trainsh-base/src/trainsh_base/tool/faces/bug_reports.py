"""Converts unexpected exceptions.

Those about files or encodings become typed errors, others a Bug with a report.
"""

import errno
import os
import time

from trainsh_base import VERSION
from trainsh_base.errors import Bug, Conflict, TrainError, UsageError, not_utf8
from trainsh_base.system.paths import config_folder, private_folder, state_folder, state_home
from trainsh_base.system.printable import printable

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
# Errors of file systems. ENOENT is not included, because commands report missing files themselves.
FILES = (
    errno.EACCES, errno.EPERM, errno.EROFS, errno.EIO, errno.ENAMETOOLONG, errno.ENOTDIR, errno.EISDIR, errno.ELOOP,
    errno.ESTALE, errno.EBUSY, errno.EMFILE, errno.ENFILE, errno.ENOLCK,
)  # fmt: skip


def as_failure(error: Exception, program: str) -> TrainError:
    """Return the typed error for an exception that no command expected."""
    if isinstance(error, TrainError):
        return error
    if isinstance(error, UnicodeEncodeError):
        return not_utf8(error)
    if isinstance(error, FileNotFoundError) and error.filename is None and not _has_folder():
        return UsageError("the current folder has been removed", "cd to another one", code="no_folder")
    if isinstance(error, OSError) and (error.errno in (*FULL, *FILES) or _is_ours(error)):
        return _file_system(error)
    return as_bug(error, program)


def _has_folder() -> bool:
    try:
        os.getcwd()  # noqa: PTH109 - pathlib is not needed for it
    except FileNotFoundError:
        return False
    return True


def _is_ours(error: OSError) -> bool:
    """Whether the error is about our own settings folder or state folder, or about a parent that cannot hold it."""
    if not isinstance(error.filename, str):
        return False
    where = error.filename.rstrip("/")
    return any(
        where.startswith(ours) or f"{ours}/".startswith(f"{where}/") for ours in (config_folder(), state_folder())
    )


def _file_system(error: OSError) -> Conflict:
    """Return an error that contains the path, the system's message and what to do."""
    where = os.fsdecode(error.filename) if isinstance(error.filename, (str, bytes)) else ""
    said = f"{where}: {error.strerror}" if where else str(error.strerror)
    data = {"path": where, "errno": errno.errorcode.get(error.errno or 0, "")}
    if error.errno in FULL:
        return Conflict(
            f"cannot write {said}" if where else f"cannot write: {said}",
            "free some space and run the command again",
            code="no_space",
            data=data,
        )
    hint = f"make {config_folder()} writable, or set TRAINSH_HOME to a folder that is" if _is_ours(error) else ""
    return Conflict(f"cannot use {said}" if where else said, hint, code="file_system", data=data)


def as_bug(error: BaseException, program: str) -> Bug:
    """Save the traceback in the state folder, else in /tmp. Return a Bug with a one-line message."""
    import traceback  # noqa: PLC0415 - only a bug needs it

    text = f"{program} {VERSION}\n" + "".join(traceback.format_exception(error))
    said = " ".join(printable(f"{type(error).__name__}: {error}", keep="\n").split("\n"))[:200]
    report = _saved(text, f"{program}-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}-{time.monotonic_ns()}.txt")
    hint = f"the report is in {report}" if report else "its report could not be saved"
    return Bug(f"{program}: internal error: {said}", hint, data={"report": report})


def _saved(text: str, name: str) -> str:
    """Save the report. Return its path, or "" if it could not be written to any folder."""
    for place in (_state_reports, _temporary):
        try:
            path = os.path.join(place(), name)  # noqa: PTH118
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(text.encode(errors="backslashreplace"))
            return path
        except OSError:
            continue
    return ""


def _state_reports() -> str:
    return str(private_folder(state_home() / "reports"))


def _temporary() -> str:
    return os.environ.get("TMPDIR") or "/tmp"
