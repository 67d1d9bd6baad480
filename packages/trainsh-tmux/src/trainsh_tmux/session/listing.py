"""Lists the sessions of many machines in parallel.

If one machine cannot be reached, the others are still listed.
"""

import re
from collections.abc import Callable

import msgspec

from trainsh_base.errors import TrainError
from trainsh_base.request import current, side_by_side
from trainsh_base.system.deadline import Deadline
from trainsh_base.system.printable import printable
from trainsh_base.tool.peer import ANSWER_LIMIT, call
from trainsh_tmux.model import Listed
from trainsh_tmux.remote import scripts
from trainsh_tmux.remote.host import Host
from trainsh_tmux.remote.reply import fields, natural

PATIENCE = 5.0  # seconds during which train tries to reach a machine; the whole list waits for this machine


def configured() -> list[str]:
    """Return the names of the hosts that train-host knows, or no names if train-host is not installed."""
    from trainsh_base.system.paths import config_home  # noqa: PLC0415 - loads pathlib, a recipe needs none

    if not (config_home() / "hosts.toml").exists():
        return []
    try:
        rows = call("host", "list", timeout=ANSWER_LIMIT)
    except TrainError as error:
        current().emit("log", message=f"only this machine is listed: {error.message}")
        return []
    for row in rows:
        if str(row["name"]).endswith(":"):  # a provider that could not be asked for its machines
            current().emit("log", message=f"{row.get('type')}: {row.get('problem')}")
    return [str(row["name"]) for row in rows if row.get("type") != "local" and not str(row["name"]).endswith(":")]


def everywhere(specs: list[str], find: Callable[[str], Host]) -> list[Listed]:
    """Return the sessions on the hosts `specs`, in the order of `specs`.

    A machine that has two names is listed by the first one.
    """
    wrong: list[TrainError] = []
    machines: dict[str, tuple[str, str, str]] = {}

    def look(spec: str) -> list[Listed]:
        try:
            host = find(spec)
            lines = host.ask(scripts.listing(), deadline=Deadline.after(PATIENCE))
            machines[spec] = (host.machine, host.node, host.root)
            return rows(spec, lines)
        except TrainError as error:
            wrong.append(error)
            about = re.search(rf"(?<![\w-]){re.escape(spec)}(?![\w-])", error.message)
            current().emit("log", message=error.message if about else f"{spec}: {error.message}")
            return []

    found = side_by_side(specs, look)
    if wrong and len(specs) == 1:
        raise wrong[0]
    kept: list[Listed] = []
    seen: dict[tuple[str, str, str], str] = {}
    for spec, listed in zip(specs, found, strict=True):
        machine = machines.get(spec)
        first = seen.setdefault(machine, spec) if machine and all(machine) else spec
        if first == spec:
            kept += listed
        elif listed:
            current().emit("log", message=f"{spec} is the same machine as {first}")
    return kept


def rows(spec: str, lines: list[str]) -> list[Listed]:
    """Parse a host's listing into rows. Raises BadAnswer."""
    made: list[Listed] = []
    for line in lines:
        kind, _, rest = line.partition(" ")
        if kind == "session":
            made.append(_row(spec, line, fields(spec, rest, 8)))
        elif kind == "command" and made and rest:
            made[-1] = msgspec.structs.replace(made[-1], running=printable(rest))
    return made


def _row(spec: str, line: str, words: list[str]) -> Listed:
    server, name, state, alive, attached, age, seconds, step = words
    running = step != "-"
    return Listed(
        name=name, host=spec, job=server.removeprefix("train").removeprefix("-"),
        state="ended" if alive != "1" else "running" if running else state,
        attached=attached == "yes", running=step if running else "",
        age=_seconds(age, spec, line), seconds=_seconds(seconds, spec, line),
    )  # fmt: skip


def _seconds(text: str, spec: str, line: str) -> int:
    """Parse a time in seconds. A negative time, which occurs after the host's clock was set back, becomes 0."""
    return 0 if text.startswith("-") else natural(text, spec, line)
