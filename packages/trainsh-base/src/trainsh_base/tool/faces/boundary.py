"""The error boundary: only this module exits, prints errors, and handles tracebacks."""

import contextlib
import os
import signal
import sys
from typing import Any, NoReturn

from trainsh_base.errors import EXIT_INTERRUPTED, EXIT_PIPE, Cancelled, Exit, Terminated, TrainError
from trainsh_base.system import spawn
from trainsh_base.tool.declare import Tool
from trainsh_base.tool.faces.bug_reports import as_failure
from trainsh_base.tool.faces.interrupts import heed_endings, quick_interrupts
from trainsh_base.tool.gate import install


def main(tool: Tool, words: list[str]) -> NoReturn:
    """Run one command for a person or a pipe, and exit."""
    _open_missing_streams()
    heed_endings(_terminate)
    status = EXIT_PIPE
    try:
        status = _run(tool, words)
    except BrokenPipeError:
        silence_stdout()
        status = EXIT_PIPE
    finally:
        quick_interrupts(True)
        if tool.on_close:
            tool.on_close()
        spawn.end_all()
    _leave(status)


def _run(tool: Tool, words: list[str]) -> int:
    machine = machine_format(words)
    try:
        status = _invoke(tool, words)
        _remark(tool, machine)
        return status
    except BrokenPipeError:
        raise
    except KeyboardInterrupt:
        quick_interrupts(True)  # from here on, another Ctrl-C ends the process at once
        print_error(Cancelled("interrupted"), machine)
        return EXIT_INTERRUPTED
    except Terminated as end:
        return end.status
    except TrainError as error:
        print_error(error, machine)
        if error.code != "sandbox_down":
            _remark(tool, machine)
        return error.exit_status
    except Exception as error:
        failure = as_failure(error, tool.program)
        print_error(failure, machine)
        return failure.exit_status


def _remark(tool: Tool, machine: str) -> None:
    """Tell a person whose shell is set to a sandbox that it is not up."""
    if "TRAINSH_SANDBOX_PID" in os.environ and tool.name != "sandbox" and not machine:
        from trainsh_base.tool.sandboxed import note  # noqa: PLC0415 - only in a shell set to a sandbox

        if said := note():
            from trainsh_base.tool.display import remark  # noqa: PLC0415 - as above

            remark(said)


def _invoke(tool: Tool, words: list[str]) -> int:
    from trainsh_base.tool.faces.answering import execute  # noqa: PLC0415 - here, where Ctrl-C is handled
    from trainsh_base.tool.faces.simple_argv import read  # noqa: PLC0415 - as above

    simple = read(tool, words)
    if simple is None:
        from trainsh_base.tool.faces.people import invoke  # noqa: PLC0415 - as above

    quick_interrupts(False)
    try:
        status = invoke(tool, words) if simple is None else execute(tool, *simple)
    except Exit as leave:
        status = leave.status
    sys.stdout.flush()
    return status


def machine_format(words: list[str]) -> str:
    """Return the format that `words` request: `json`, `jsonl`, or "" for a person.

    The format is determined before the options are parsed, so that even a usage error is printed in this format.
    """
    own = words[: words.index("--")] if "--" in words else words
    return "jsonl" if "--jsonl" in own else "json" if "--json" in own else ""


def print_error(error: TrainError, machine: str) -> None:
    """Print an error: with `--json` as JSON on stderr, with `--jsonl` as the last event on stdout, otherwise as
    text.
    """
    document = {"error": error.document()}
    if machine == "jsonl" and not isinstance(sys.stdout, ClosedStream):
        sys.stdout.write(encode({"event": "error", **document}) + "\n")
        sys.stdout.flush()
    elif machine:
        sys.stderr.write(encode(document) + "\n")
    elif error.code == "cancelled":
        sys.stderr.write("\n" if sys.stderr.isatty() else "")
    else:
        sys.stderr.write(for_person(error))


def for_person(error: TrainError) -> str:
    """Return `error: MESSAGE`, in colour if stderr may get colours, and below it the indented hint."""
    from trainsh_base.tool.display import fitted, paint  # noqa: PLC0415 - only an error needs it

    text = f"{paint('error:', '1;31', sys.stderr)} {fitted(error.message, len('error: '))}\n"
    for line in error.hint.splitlines():
        text += fitted(f"  {line}") + "\n"
    return text


def encode(value: Any) -> str:
    """Return a JSON document on one line."""
    from trainsh_base.tool.wire import encode_text  # noqa: PLC0415 - msgspec is loaded inside the boundary too

    return encode_text(value)


def _open_missing_streams() -> None:
    """Open each closed standard stream on /dev/null. Install the gates, which make text printable."""
    spawn.open_standard_files()
    if sys.stdin is None:
        sys.stdin = open(0)  # noqa: SIM115 - it lives as long as the process
    if sys.stdout is None:
        sys.stdout = ClosedStream()
    if sys.stderr is None:
        sys.stderr = open(2, "w")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace", encoding="utf-8")
    install()


class ClosedStream:
    """Stands for a standard output that the caller has closed. Writing to it is an error."""

    encoding = "utf-8"

    def write(self, text: str) -> int:
        """Raise an error. Otherwise the text would be lost silently."""
        if text:
            raise TrainError("standard output is closed, so the answer cannot be printed", code="stdout_closed")
        return 0

    def flush(self) -> None:
        """Do nothing, because there is no buffer."""

    def isatty(self) -> bool:
        """Return False."""
        return False

    def fileno(self) -> int:
        """Return the descriptor of stdout, which is open on /dev/null."""
        return 1


def _terminate(number: int, _frame: object) -> None:
    signal.signal(number, signal.SIG_DFL)
    raise Terminated(128 + number)


def silence_stdout() -> None:
    """Send what stdout still holds, and all that follows, to /dev/null."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _leave(status: int) -> NoReturn:
    """Exit with `status`. If it is negative, let the signal of that number end this process."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    if status < 0:
        signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    os._exit(status if status >= 0 else 128 - status)
