"""train-example: a tool for the tests. It has one command for each thing that the framework promises."""

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from trainsh_base import errors
from trainsh_base.request import current
from trainsh_base.system import spawn
from trainsh_base.system.proc import run as run_process
from trainsh_base.system.secret import Secret
from trainsh_base.system.units import Duration
from trainsh_base.tool.declare import Arg, Handover, Opt, Tool
from trainsh_base.tool.program import run as run_tool


def closed() -> None:
    """Write a file that shows that the tool has closed what it kept open.

    With EXAMPLE_GATE, first make that file, and wait until it is removed.
    """
    mark, gate = os.environ.get("EXAMPLE_CLOSED"), os.environ.get("EXAMPLE_GATE")
    if gate:
        Path(gate).touch()
        while Path(gate).exists():
            time.sleep(0.01)
    if mark:
        with Path(mark).open("a") as file:
            file.write("closed\n")


tool = Tool("example", "Show what the framework does", on_close=closed)


class Said(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The answer of `echo`."""

    word: str
    times: int
    size: float | None = None
    mode: str = "plain"
    wait: float = 0.0
    tags: list[str] = []
    pairs: dict[str, str] = {}
    loud: bool = False
    colour: bool = True


@tool.command()
def echo(
    word: Annotated[str, Arg("what to say")],
    times: Annotated[int, Opt("how often", short="-n")] = 1,
    size: Annotated[float | None, Opt("how large")] = None,
    mode: Annotated[Literal["plain", "fancy"], Opt("how")] = "plain",
    wait: Annotated[Duration, Opt("how long")] = 0.0,  # type: ignore[assignment]
    tag: Annotated[list[str], Opt("labels", also=("tags",))] = [],  # noqa: B006
    pair: Annotated[dict[str, str], Opt("settings")] = {},  # noqa: B006
    loud: Annotated[bool, Opt("louder")] = False,
    colour: Annotated[bool, Opt("in colour")] = True,
) -> Said:
    """Say a word, as often as wanted."""
    return Said(
        word=word, times=times, size=size, mode=mode, wait=wait, tags=tag, pairs=pair, loud=loud, colour=colour
    )


@tool.command()
def rows(count: Annotated[int, Opt("how many")] = 3) -> list[Said]:
    """Answer with a list."""
    return [Said(word=f"word-{number}", times=number) for number in range(count)]


@tool.command()
def fail(
    kind: Annotated[str, Arg("class of the error")], message: Annotated[str, Opt("what it says")] = "it broke"
) -> None:
    """Raise an error of the given class."""
    raise getattr(errors, kind)(message, "try this", data={"n": 1})


@tool.command()
def bug(word: Annotated[str, Arg("what is in the exception")] = "oops") -> None:
    """Raise an unexpected exception."""
    raise ZeroDivisionError(word)


@tool.command()
def strange() -> Any:
    """Answer with a value that JSON cannot represent."""
    return {"f": closed}


@tool.command()
def hidden() -> dict[str, Secret]:
    """Answer with a document that contains a secret."""
    return {"token": Secret("hush")}


@tool.command(status=lambda answer: answer)
def status(number: Annotated[int, Arg("the status")]) -> int:
    """End with an exit status that depends on the answer."""
    return number


@tool.command()
def question(
    kind: Annotated[str, Arg("confirm, choose, text or secret")],
    default: Annotated[str | None, Opt("default")] = None,
) -> str:
    """Ask a question, and answer with the person's answer."""
    return current().ask(
        kind, "Well", choices=["red", "blue"] if kind == "choose" else None, default=default, flag="--x"
    )


@tool.command()
def events() -> str:
    """Emit one event of each kind."""
    request = current()
    request.emit("progress", done=1024, total=2048, unit="bytes", message="half")
    request.emit("log", message="a line")
    request.emit("output", data="some output\n")
    return "done"


@tool.command()
def pause(
    seconds: Annotated[float, Arg("how long")], deaf: Annotated[bool, Opt("cannot be cancelled")] = False
) -> str:
    """Wait until the time is over or the request is cancelled."""
    request = current()
    request.emit("log", message="waiting")
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not deaf:
            request.check()
        time.sleep(0.01)
    return "rested"


@tool.command()
def child(
    way: Annotated[Literal["spawn", "proc"], Arg("which funnel")],
    mark: Annotated[str, Opt("file for its pid")] = "",
) -> str:
    """Start a child that would run for a minute, and wait for it."""
    words = ["sh", "-c", f"echo $$ > '{mark}.new'; mv '{mark}.new' '{mark}'; exec sleep 60"]
    if way == "proc":
        return str(run_process(words).status)
    return str(spawn.start(words).wait())


@tool.command()
def process(script: Annotated[str, Arg("for sh")]) -> str:
    """Run a script to its end."""
    return run_process(["sh", "-c", script]).text()


@tool.command()
def become(words: Annotated[list[str], Arg("the program")]) -> Handover:
    """Hand the terminal over to another program."""
    return Handover(argv=words, env={"GIVEN": Secret("hush"), "PLAIN": "seen", "TAKEN": None})


@tool.command()
def stray() -> str:
    """Print on stdout, which a command must not do."""
    print("a stray print")
    os.write(1, b"a stray write\n")
    return "kept"


@tool.command()
def kill_me() -> None:
    """Send itself a signal while it works."""
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(60)


@tool.command()
def tty() -> bool:
    """Whether standard output is a terminal."""
    return sys.stdout.isatty()


@tool.command()
def hostile(
    view: Annotated[str, Arg("where the text goes")],
    file: Annotated[str | None, Opt("JSON text (default: standard input)")] = None,
) -> Any:
    """Show a text that contains escape sequences."""
    text = str(json.loads(Path(file).read_bytes() if file else sys.stdin.buffer.read()))
    if view in ("log", "progress"):
        current().emit(view, message=text, done=1, total=3)
    elif view == "output":
        for character in text:  # each character is a chunk of its own, so no sequence is in one chunk
            current().emit("output", data=character)
    elif view == "print":
        print(text)
    elif view == "ask":
        current().ask("text", text)
    elif view == "choose":
        current().ask("choose", text, choices=["a", text])
    elif view == "bug":
        raise ValueError(text)
    elif view in ("message", "hint", "code"):
        raise errors.RemoteError(**{"message": "it failed", "code": "c", view: text})
    shown = {"cell": [{"id": 1, "name": text}], "field": {"name": text}, "list": [text], "text": text}
    return shown.get(view)


if __name__ == "__main__":
    run_tool(tool)
