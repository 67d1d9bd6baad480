"""The checks of the commands that change a rented machine. After each command, `list` must show the effect."""

import shlex
import time

from trainsh_base.errors import TrainError
from trainsh_base.system.deadline import Deadline
from trainsh_plugin.check.rentals import REACHED, Rentals
from trainsh_plugin.check.verdict import Broken, LeftOut, need


def restarts(rented: Rentals) -> str:
    """Check that `list` shows the machine as stopped when `stop` returns, and that `start` starts the machine."""
    row, subject = rented.machine(), rented.subject
    if subject.last == "stop" or "stop" not in subject.commands:
        raise LeftOut("its stop releases the machine for good")
    _call(rented, "stop")
    states = rented.states(row.id)
    need(states == ["stopped"], f"after stop, list shows the state {', '.join(states) or 'not there'}")
    if "start" not in subject.commands:
        return "stopped"
    _call(rented, "start")
    deadline = Deadline.after(REACHED)
    while (states := rented.states(row.id)) == ["failed"] and not deadline.expired:
        time.sleep(1.0)  # the cloud may show the old state for a while
    need(
        states in (["running"], ["starting"]),
        f"after start, list shows the state {', '.join(states) or 'not there'}",
    )
    return f"stopped, {states[0]}"


def ends(rented: Rentals) -> str:
    """Run the command in the row's `end`, as a person would.

    Check that the command ends the costs, and that `list` shows this when the command has returned.
    """
    row, subject = rented.machine(), rented.subject
    words = shlex.split(row.end)
    need(words[:2] == ["train", subject.name] and words[2:], f"its end is {row.end!r}")
    done = subject.run(*words[2:])
    need(done.status == 0, f"{row.end}: status {done.status}: {done.stderr.decode(errors='replace').strip()}")
    states = rented.states(row.id)
    need(all(state in ("stopped", "gone") for state in states), f"list shows the state {', '.join(states)}")
    return states[0] if states else "gone"


def destroys(rented: Rentals) -> str:
    """Run the command that gives the machine back.

    Check that `list` does not show the machine after the command has returned.
    """
    row, subject = rented.machine(), rented.subject
    states = rented.states(row.id)
    if subject.last == "stop" and states == ["stopped"]:
        raise LeftOut("it has no verb that releases the disk")
    if states not in ([], ["gone"]):
        _call(rented, subject.last)
        states = rented.states(row.id)
    need(states in ([], ["gone"]), f"after {subject.last}, list shows the state {', '.join(states)}")
    return "gone"


def says_gone(rented: Rentals) -> str:
    """Check that `resolve` of a destroyed machine fails with `"gone": true` in the error's data."""
    row = rented.machine()
    if rented.states(row.id) not in ([], ["gone"]):
        raise LeftOut("the machine is still there")
    try:
        rented.subject.once("resolve", {"ref": str(row.id)})
    except TrainError as error:
        need(error.data.get("gone") is True, f'the data of the error has no "gone": true: {error.message}')
        return error.message
    raise Broken("resolve returns a target for a machine that list does not show")


def _call(rented: Rentals, verb: str) -> None:
    try:
        rented.subject.act(verb, str(rented.machine().id))
    except TrainError as error:
        raise Broken(f"{verb}: {error.message}") from None
