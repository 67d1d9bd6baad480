"""Runs one command for a person or a pipe, and prints the answer in the requested format."""

import os
import sys
from typing import Any

import msgspec

from trainsh_base.errors import Terminated, TrainError, UsageError
from trainsh_base.request import serve_in_this_thread
from trainsh_base.system.secret import Secret
from trainsh_base.tool.declare import Arg, Command, Handover, Param, Tool
from trainsh_base.tool.display import show
from trainsh_base.tool.faces.given import parameters, read_input
from trainsh_base.tool.faces.pager import paged
from trainsh_base.tool.faces.terminal import TerminalRequest
from trainsh_base.tool.faces.typed import command_words
from trainsh_base.tool.gate import Gate
from trainsh_base.tool.wire import encode_text


class Formats(msgspec.Struct, frozen=True, kw_only=True):
    """The options that every command has."""

    json: bool = False
    jsonl: bool = False
    input: str | None = None
    no_color: bool = False
    no_pager: bool = False
    quiet: bool = False
    verbose: bool = False


def execute(tool: Tool, command: Command, formats: Formats, typed: dict[str, Any]) -> int:
    """Run `command` and print its answer. Return the exit status.

    `typed` has the parameters from the command line. They override the parameters in the document of `--input`.
    """
    if formats.json and formats.jsonl:
        raise UsageError("--json and --jsonl exclude each other")
    if formats.no_color:
        os.environ["NO_COLOR"] = "1"
    if formats.verbose:
        os.environ["TRAINSH_DEBUG"] = "1"  # tools that this tool starts are verbose too
    machine = "jsonl" if formats.jsonl else "json" if formats.json else ""
    given = parameters(tool, command, read_input(formats.input)) | typed
    request = TerminalRequest(machine, quiet=formats.quiet)
    serve_in_this_thread(request)
    try:
        answer = command.call(given)
    except TrainError as error:
        request.finish()
        raise error if error.code != "missing_parameter" else _with_usage(error, tool, command) from None
    except KeyboardInterrupt:
        request.cancel()
        request.finish()
        raise
    printing: Any = None
    try:
        request.finish()
        status = command.status(answer) if command.status else 0
        with paged(not formats.no_pager and not isinstance(answer, Handover)):
            if isinstance(sys.stdout, Gate):
                sys.stdout.used = False
            printing = sys.stdout
            print_answer(command, answer, machine)
    except Terminated:
        # The command is done and may have cost money, so its answer must not be lost.
        if printing is None or (isinstance(printing, Gate) and not printing.used):
            print_answer(command, answer, machine)
        raise
    return status


def placeholder(param: Param) -> str:
    """Return an argument's word in a usage line: `NAME`, `[NAME]`, `[NAME...]`."""
    word = param.flag + ("..." if param.many else "")
    return word if param.required else f"[{word}]"


def pair(param: Param, text: str) -> tuple[str, str]:
    """Return the two parts of NAME=VALUE. Raises UsageError when `text` has another form."""
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise UsageError(f"{param.flag} takes NAME=VALUE, got {text!r}")
    return key, value


def usage_line(typed_as: str, command: Command) -> str:
    """Return the line of a message that says how the command is called; `typed_as` is what the user typed."""
    words = [placeholder(param) for param in command.params if isinstance(param.spec, Arg)]
    return " ".join(["usage:", typed_as, *words, "[OPTIONS], or --input FILE"])


def _with_usage(error: TrainError, tool: Tool, command: Command) -> UsageError:
    typed_as = command_words(tool.program, command.name)
    usage = usage_line(typed_as, command)
    own = error.message.startswith(command.name + " ")
    said = typed_as + error.message.removeprefix(command.name) if own else f"{typed_as}: {error.message}"
    return UsageError(said, f"{error.hint}\n{usage}" if error.hint else usage, code=error.code)


def print_answer(command: Command, answer: Any, machine: str) -> None:
    """Print the answer in the requested format. If the answer is a Handover, exec its program instead."""
    if machine == "jsonl":
        sys.stdout.write(encode_text({"event": "result", "result": answer}) + "\n")
    elif machine == "json":
        text = encode_text(answer)
        sys.stdout.write((msgspec.json.format(text, indent=2) if sys.stdout.isatty() else text) + "\n")
    elif isinstance(answer, Handover):
        hand_over(answer)
    elif command.show:
        command.show(answer)
    else:
        show(answer)


def hand_over(answer: Handover) -> None:
    """Exec the program that `answer` names."""
    sys.stdout.flush()
    added = {key: value.reveal() if isinstance(value, Secret) else value for key, value in answer.env.items()}
    env = {key: value for key, value in {**os.environ, **added}.items() if value is not None}
    if "TRAINSH_DEBUG" in os.environ:
        from trainsh_base.system.spawn import show_argv  # noqa: PLC0415 - only when it was asked for

        show_argv(answer.argv)
    try:
        os.execvpe(answer.argv[0], answer.argv, env)
    except FileNotFoundError:
        from trainsh_base.system.proc import missing  # noqa: PLC0415 - only after this error

        raise missing(answer.argv[0]) from None
    except OSError as error:
        raise UsageError(f"cannot run {answer.argv[0]}: {error.strerror}", code="cannot_run") from None
