"""Finds the runtime to which a reference refers. Without a reference, finds the only runtime."""

from typing import Any

from trainsh_base.errors import NotFound, UsageError
from trainsh_base.request import current
from trainsh_base.system.suggest import did_you_mean
from trainsh_colab import runtimes
from trainsh_colab.connections import hosts, old_file
from trainsh_colab.google import program as google
from trainsh_colab.google.program import Session
from trainsh_colab.holds import PREFIX, holds, plain_ref
from trainsh_colab.model import Connection

CONNECT = "connect one: train colab connect NAME"


def connection(ref: str) -> Connection | Session:
    """Return the connection, or the session of Google's program, with the name `ref`.

    Raises NotFound if there is none with this name.
    """
    old_file.move()
    name = plain_ref(ref)
    known = hosts.every()
    found = next((one for one in known if one.name == name), None)
    if found:
        return found
    names = [one.name for one in known]
    if google.was_used():
        sessions = google.sessions()
        for session in sessions:
            if session.name == name:
                return session
        names += [session.name for session in sessions]
    raise NotFound(
        f"there is no Colab runtime {name!r}", did_you_mean(name, names, CONNECT), code="no_instance",
        data={"ref": name, "gone": True},
    )  # fmt: skip


def only(name: str | None, flag: str) -> str:
    """Return `name`. If it is None, return the only runtime; if there are several, ask which one.

    Raises NotFound if there is no runtime.
    """
    if name:
        return name
    rows = runtimes.every()
    if not rows:
        raise NotFound("there is no Colab runtime yet", CONNECT, code="no_instance")
    running = [str(row.id) for row in rows if row.state == "running"] or [str(row.id) for row in rows]
    if len(running) == 1:
        return running[0]
    return current().ask("choose", "Which runtime?", choices=running, default=running[0], flag=flag)


def meant(ref: str | None, job: str | None, recipe_hosts: dict[str, Any] | None) -> list[str]:
    """Return the names of the runtimes on which a command acts.

    `ref` is a runtime or a host of the job. If it is empty, the command acts on all runtimes that the job holds.
    """
    spec = (recipe_hosts or {}).get(ref or "")
    if isinstance(spec, dict):
        spec = spec.get("name")
    if isinstance(spec, str) and spec.startswith(PREFIX):
        return [plain_ref(spec)]
    held = {name: hold for name, hold in holds().items() if job and hold.job == job}
    as_host = [name for name, hold in held.items() if hold.host == ref]
    if as_host or not ref:
        found = as_host or list(held)
        if not found:
            raise (
                NotFound("this job holds no runtime", "pick one first: colab.pick @HOST", code="no_instance")
                if job
                else UsageError("which runtime?", "give its name: train colab list", code="missing_parameter")
            )
        return found
    return [plain_ref(ref)]
