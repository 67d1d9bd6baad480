"""The errors of the suite: one class tree, each class with its exit status (docs/protocol.md, "Exit codes")."""

from typing import Any

EXIT_HANGUP = 129
EXIT_INTERRUPTED = 130
EXIT_PIPE = 141


class TrainError(Exception):
    """The work itself failed. This is the base class of every error that is shown to a person.

    `message` says what happened, and includes the wrong value. `hint` says what to do next, ready to paste.
    `code` is a stable snake_case word for programs. `data` holds further JSON values for programs.
    """

    exit_status = 1
    default_code = "failed"

    def __init__(self, message: str, hint: str = "", *, code: str = "", data: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.message = message.replace("\\udc", "\\x")  # repr() writes the byte ff of an argument as \udcff
        self.hint = hint
        self.code = code or self.default_code
        self.data = data or {}

    def document(self) -> dict[str, Any]:
        """Return the error as a JSON document: {code, message, hint, exit, data}."""
        return {
            "code": self.code,
            "message": self.message,
            "hint": self.hint,
            "exit": self.exit_status,
            "data": self.data,
        }


class UsageError(TrainError):
    """The command was used wrongly, or an input file or document is bad."""

    exit_status = 2
    default_code = "usage"


class NotFound(TrainError):
    """The named object does not exist."""

    exit_status = 3
    default_code = "not_found"


class CredentialError(TrainError):
    """A credential is missing or was refused."""

    exit_status = 4
    default_code = "credential"


class Conflict(TrainError):
    """The object exists already, is locked, or is in the wrong state."""

    exit_status = 5
    default_code = "conflict"


class TimedOut(TrainError):
    """The deadline passed."""

    exit_status = 6
    default_code = "timed_out"


class RemoteError(TrainError):
    """A remote service or host returned an error."""

    exit_status = 7
    default_code = "remote_error"


class Unreachable(TrainError):
    """A remote service or host cannot be reached."""

    exit_status = 8
    default_code = "unreachable"


class MissingProgram(TrainError):
    """A needed program is not installed."""

    exit_status = 9
    default_code = "missing_program"


class Bug(TrainError):
    """An unexpected exception; `data.report` is the file that holds the traceback."""

    exit_status = 70
    default_code = "bug"


class Cancelled(TrainError):
    """The request was cancelled: Ctrl-C, or `$/cancel` from the program on the other side."""

    exit_status = EXIT_INTERRUPTED
    default_code = "cancelled"


class Terminated(BaseException):
    """SIGTERM or SIGHUP arrived. The process must exit with this status, which is 128 plus the signal's number."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Exit(BaseException):
    """The process must exit now with this status and print nothing more (after `--help`, for example)."""

    def __init__(self, status: int = 0) -> None:
        super().__init__(status)
        self.status = status


BY_STATUS: dict[int, type[TrainError]] = {
    kind.exit_status: kind
    for kind in (
        TrainError, UsageError, NotFound, CredentialError, Conflict, TimedOut, RemoteError, Unreachable,
        MissingProgram, Bug, Cancelled,
    )
}  # fmt: skip


def unreadable(path: object, error: OSError, *, folder: object) -> Conflict:
    """Return the error for a file of ours that exists and cannot be read. `folder` is the settings folder."""
    hint = f"make it readable, or set TRAINSH_HOME to a folder other than {folder}"
    return Conflict(f"cannot read {path}: {error.strerror}", hint, code="file_system", data={"path": str(path)})


def not_utf8(error: UnicodeError) -> UsageError:
    """Return the error for text that is not UTF-8, such as an argument, a variable or a folder's name."""
    if not isinstance(error, UnicodeEncodeError):
        return UsageError(f"not UTF-8: {error}", code="not_utf8")
    around = error.object[max(0, error.start - 100) : error.end + 100]
    before, after = around[: min(error.start, 100)], around[min(error.start, 100) :]
    line = before.rpartition("\n")[2] + after.partition("\n")[0]
    shown = line.encode(errors="surrogateescape").decode(errors="backslashreplace")
    return UsageError(f"not UTF-8: {shown}", code="not_utf8")


def from_document(document: Any) -> TrainError:
    """Return an error made from a document that `TrainError.document` returned. Its exit status selects the class.

    The document comes from another program, so a field of the wrong type counts as missing.
    """
    fields = document if isinstance(document, dict) else {}
    status = fields.get("exit", 1)
    kind = BY_STATUS.get(status, TrainError) if isinstance(status, int) else TrainError
    data = fields.get("data")
    return kind(
        _text(fields, "message") or "it failed without saying why",
        _text(fields, "hint"),
        code=_text(fields, "code"),
        data=data if isinstance(data, dict) else {},
    )


def _text(fields: dict[str, Any], key: str) -> str:
    value = fields.get(key)
    return value if isinstance(value, str) else ""
