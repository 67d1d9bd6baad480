"""train-ask: asks questions for scripts.

If a recipe runs the script, the question is asked on the terminal that runs the recipe."""

import os
from typing import Annotated, Any

import msgspec

from trainsh_base.errors import Conflict, from_document
from trainsh_base.request import current
from trainsh_base.tool.declare import Arg, Opt, Tool
from trainsh_base.tool.program import run

tool = Tool("ask", "Ask the person at the terminal, from a script")

Message = Annotated[str, Arg("the question")]
Flag = Annotated[
    str, Opt("the flag that answers the question when not interactive, such as --yes", metavar="WORDS")
]


@tool.command(show=print)
def choose(
    message: Message,
    choices: Annotated[list[str], Arg("the answers to choose from", metavar="CHOICE")],
    default: Annotated[str | None, Opt("the answer if only Enter is pressed")] = None,
    flag: Flag = "",
) -> str:
    """Let the person choose one of several answers, and print the answer."""
    return _ask("choose", message, choices=choices, default=default, flag=flag)


@tool.command(show=print)
def confirm(
    message: Message,
    default: Annotated[bool, Opt("pressing only Enter means yes")] = False,
    flag: Flag = "",
) -> str:
    """Ask a yes-or-no question, and print the answer."""
    return _ask("confirm", message, default="yes" if default else "no", flag=flag)


@tool.command(show=print)
def text(
    message: Message,
    default: Annotated[str | None, Opt("the answer if only Enter is pressed")] = None,
    flag: Flag = "",
) -> str:
    """Ask for a line of text, and print it."""
    return _ask("text", message, default=default, flag=flag)


@tool.command(show=print)
def secret(message: Message, flag: Flag = "") -> str:
    """Ask for a text that is not shown while it is typed, and print it."""
    return _ask("secret", message, flag=flag)


def _ask(kind: str, message: str, **more: Any) -> str:
    path = os.environ.get("TRAINSH_ASK")
    if not path:
        return current().ask(kind, message, **more)
    import socket  # noqa: PLC0415 - only when a recipe runs the script

    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.connect(path)
            with connection.makefile("rwb") as stream:
                stream.write(msgspec.json.encode({"kind": kind, "message": message, **more}) + b"\n")
                stream.flush()
                line = stream.readline()
    except OSError as error:
        raise Conflict(
            f"the program that started this verb has ended: {error.strerror}", code="cannot_ask"
        ) from None
    reply = msgspec.json.decode(line, type=dict[str, Any]) if line else {}
    if "answer" not in reply:
        raise from_document(reply.get("error") or {"message": "the question was not answered", "exit": 5})
    return str(reply["answer"])


def main() -> None:
    """Run train-ask."""
    run(tool)
