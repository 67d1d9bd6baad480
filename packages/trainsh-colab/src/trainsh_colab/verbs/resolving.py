"""Checks that a runtime still exists, and returns how it is reached."""

import msgspec

from trainsh_base.errors import Conflict, Unreachable
from trainsh_base.remote.ssh_config import effective, first
from trainsh_base.remote.target import Target
from trainsh_base.request import current
from trainsh_colab.connections import hosts, tunnel
from trainsh_colab.connections.tunnel import Answer
from trainsh_colab.google import reaching
from trainsh_colab.google.program import Session
from trainsh_colab.verbs.finding import connection

TRIES, PATIENCE, PAUSE = 3, 6.0, 1.5  # the number of checks; seconds for each check; seconds between two checks


def resolve(ref: str) -> Target:
    """Return the target of a runtime.

    Raises NotFound if the runtime is not known, Conflict (`runtime_gone`) if Google has taken it back, Unreachable
    if there is no network, and MissingProgram if the tunnel's program is not installed.
    """
    found = connection(ref)
    if isinstance(found, Session):
        return reaching.target(found)
    target = hosts.target(found.name)
    tunnel.need_program(target)
    answer = _patient(target)
    if answer.offline:
        raise Unreachable(f"cannot check whether {found.name} answers: {answer.why}", "is this machine online?")
    if not answer.alive:
        raise gone(found.name, answer.why)
    machine = _machine(target) or f"colab-{found.name}-{found.address}"
    return msgspec.structs.replace(
        target, name=f"colab:{found.name}", rented=True, bootstrap=True, machine=machine
    )  # fmt: skip


def _patient(target: Target) -> Answer:
    """Check several times before the runtime counts as gone. A new tunnel may need some seconds."""
    request, answer = current(), tunnel.ask(target, PATIENCE)
    for _ in range(TRIES - 1):
        if answer.alive or answer.offline:
            break
        request.cancelled.wait(PAUSE)
        request.check()
        answer = tunnel.ask(target, PATIENCE)
    return answer


def gone(name: str, why: str) -> Conflict:
    """Return the error for a runtime that is no longer reached through its tunnel.

    Such a runtime does not come back by itself.
    """
    return Conflict(
        f"the Colab runtime {name} is gone: Google took it back, or its cell was stopped ({why})",
        f"run the cell in the notebook again, then: train colab connect {name} --host ADDRESS",
        code="runtime_gone", data={"gone": True, "ref": name},
    )  # fmt: skip


def _machine(target: Target) -> str:
    """Return the id that `connect` gave to this runtime, which is the alias of its host key. It may be empty."""
    alias = first(effective(target.argv, target.environment()), "hostkeyalias")
    return alias if alias.startswith("colab-") else ""
