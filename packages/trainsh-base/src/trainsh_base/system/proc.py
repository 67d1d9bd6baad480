"""Runs child processes to their end: takes an argv, and returns the result.

All children with a result are run here.
"""

import os
import signal
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from trainsh_base.errors import MissingProgram, RemoteError, TimedOut, TrainError, UsageError
from trainsh_base.request import current
from trainsh_base.system.installing import install_hint
from trainsh_base.system.spawn import show_argv

if TYPE_CHECKING:
    import subprocess

TAIL = 2000
KILL_AFTER = 3.0  # seconds from TERM to KILL; must be less than GRACE in tool/faces/serve.py


class Completed(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a child process: its argv, its exit status and what it printed.

    If a signal ended the child, the status is the signal's number with a minus sign.
    """

    argv: list[str]
    status: int
    stdout: bytes
    stderr: bytes

    def text(self) -> str:
        """Return the standard output as text, without the newline at its end."""
        return self.stdout.decode(errors="replace").rstrip("\n")


class ProcessFailed(RemoteError):
    """A child process ended with a status that is not 0.

    `data` has argv, status and the ends of stdout and stderr.
    """

    default_code = "process_failed"

    def __init__(self, done: Completed) -> None:
        said = (done.stderr or done.stdout).decode(errors="replace").strip()
        last = said.splitlines()[-1] if said else "it printed nothing"
        super().__init__(
            f"{done.argv[0]} ended with status {done.status}: {last}",
            data={
                "argv": done.argv,
                "status": done.status,
                "stdout": done.stdout[-TAIL:].decode(errors="replace"),
                "stderr": done.stderr[-TAIL:].decode(errors="replace"),
            },
        )


def run(
    argv: Sequence[str],
    *,
    input: bytes | None = None,
    env: Mapping[str, str] | None = None,
    cwd: Path | str | None = None,
    timeout: float | None = None,
    check: bool = True,
) -> Completed:
    """Run `argv` to its end and return its result.

    Raises MissingProgram if there is no such program. With `check`, raises ProcessFailed for a status other than 0.
    Raises TimedOut after `timeout` seconds, and Cancelled if the request is cancelled; in these two cases the child
    is ended first.
    """
    request = current()
    held = HeldSignals()  # without this, a signal that arrives now would leave the child running
    try:
        child = _start(argv, input is not None, env, cwd)
    except BaseException:
        held.release()
        raise
    take_back = request.on_cancel(lambda: _end(child))
    try:
        with child:
            try:
                held.release()
            except BaseException:
                child.kill()
                raise
            stdout, stderr = _communicate(child, input, timeout)
    finally:
        take_back()
    request.check()
    result = Completed(argv=list(argv), status=child.returncode, stdout=stdout, stderr=stderr)
    if check and result.status != 0:
        raise ProcessFailed(result)
    return result


class HeldSignals:
    """Holds back SIGTERM and SIGHUP in the main thread. `release` passes the first held signal to its handler."""

    def __init__(self) -> None:
        self._came: list[int] = []
        self._before: dict[int, Any] = {}
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGHUP):
                if callable(handler := signal.getsignal(number)):
                    self._before[number] = handler
                    signal.signal(number, lambda came, _frame: self._came.append(came))

    def release(self) -> None:
        """Restore the handlers. If a signal was held back, call its handler, which may raise an exception."""
        before, self._before = self._before, {}
        for number, handler in before.items():
            signal.signal(number, handler)
        if self._came and before:
            before[self._came[0]](self._came[0], None)


def _start(
    argv: Sequence[str], has_input: bool, env: Mapping[str, str] | None, cwd: Path | str | None
) -> "subprocess.Popen[bytes]":
    import subprocess  # noqa: PLC0415 - takes 4 ms, and most commands start no child

    if "TRAINSH_DEBUG" in os.environ:
        show_argv(list(argv))
    try:
        return subprocess.Popen(
            argv,
            stdin=subprocess.PIPE if has_input else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=env,
            cwd=cwd,
        )
    except FileNotFoundError:
        if cwd is not None and not os.path.isdir(cwd):  # noqa: PTH112 - the same error for both
            raise UsageError(f"no such folder: {cwd}", code="no_folder") from None
        raise missing(argv[0]) from None
    except OSError as error:
        raise TrainError(f"cannot run {argv[0]}: {error.strerror}", code="cannot_run") from None


def _communicate(
    child: "subprocess.Popen[bytes]", input: bytes | None, timeout: float | None
) -> tuple[bytes, bytes]:
    import subprocess  # noqa: PLC0415 - see _start

    try:
        return child.communicate(input, timeout)
    except subprocess.TimeoutExpired:
        child.kill()
        argv = [str(word) for word in child.args]  # type: ignore[union-attr]
        raise TimedOut(f"{argv[0]} did not end within {timeout:g} seconds", data={"argv": argv}) from None
    except BaseException:
        child.kill()
        raise


def _end(child: "subprocess.Popen[bytes]") -> None:
    """Send TERM to the child and, after KILL_AFTER seconds, KILL."""
    child.terminate()
    killer = threading.Timer(KILL_AFTER, child.kill)
    killer.daemon = True
    killer.start()


def missing(program: str) -> MissingProgram:
    """Return the error for a program that is not installed; its hint is the command that installs it."""
    return MissingProgram(f"{program} is not installed", install_hint(program), data={"program": program})
