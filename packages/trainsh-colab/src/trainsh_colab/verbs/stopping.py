"""Gives runtimes back, and waits until they are gone."""

import os
import signal
from pathlib import Path

from trainsh_base.errors import Conflict, TimedOut, TrainError
from trainsh_base.provider.seen import until_seen
from trainsh_base.remote import ssh
from trainsh_base.remote.target import Target
from trainsh_base.request import current
from trainsh_base.system.deadline import Deadline
from trainsh_colab.connections import hosts, tunnel
from trainsh_colab.google import program as google
from trainsh_colab.google.program import Session
from trainsh_colab.holds import changed_holds
from trainsh_colab.model import Connection
from trainsh_colab.verbs.finding import connection

PAUSE = 1.0
BY_HAND = "end it in the notebook: Runtime, Disconnect and delete runtime"
NOT_OURS = "no-cell"


def stop(name: str, timeout: float) -> str:
    """Give a runtime back, and return a sentence for the person. Raises TimedOut if the runtime is still there."""
    try:
        found = connection(name)
    except TrainError as error:
        if error.code != "no_instance" or not _forget(name):
            raise
        return f"{name} is gone"
    if isinstance(found, Session):
        until_seen(
            lambda: google.stop(name), lambda: {session.name for session in google.sessions()},
            lambda names: name not in names, Deadline.after(timeout), pause=PAUSE,
        )  # fmt: skip
    else:
        _stop_cell(found, Deadline.after(timeout))
    _forget(name)
    return f"{name} was given back"


def _forget(name: str) -> bool:
    with changed_holds() as held:
        return held.pop(name, None) is not None


def _stop_cell(found: Connection, deadline: Deadline) -> None:
    """Ask the notebook's cell to give the runtime back, and wait until nothing answers through the tunnel."""
    target = hosts.target(found.name)
    tunnel.need_program(target)
    if not tunnel.ask(target, deadline.within(10.0)).alive:
        return
    if _ask_cell(target) == NOT_OURS:
        raise Conflict(
            f"the runtime {found.name} runs, but its cell is not from train colab connect", BY_HAND,
            code="not_stopped",
        )  # fmt: skip
    request = current()
    while True:
        ssh.disconnect(target)  # an open shared connection would count as an answer
        if not tunnel.ask(target, deadline.within(5.0)).alive:
            return
        if deadline.expired:
            raise TimedOut(f"the runtime {found.name} still runs", BY_HAND, code="not_stopped")
        request.cancelled.wait(deadline.within(PAUSE))
        request.check()


def _ask_cell(target: Target) -> str:
    script = Path(__file__).with_name("stop.sh").read_bytes()
    child = ssh.start(target, "exec sh")
    try:
        os.write(child.stdin, script)
        child.close_stdin()
        with os.fdopen(child.stdout, "r", errors="replace") as output:
            return output.read().strip()
    finally:
        child.end(signal.SIGTERM)
        child.wait()
