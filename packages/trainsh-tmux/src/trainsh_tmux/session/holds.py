"""Asks a host which sessions and steps of a job still exist, without changing anything there."""

from typing import Literal, cast

from trainsh_tmux.model import HeldSession, HeldStep, Holds
from trainsh_tmux.names import session_name, word
from trainsh_tmux.remote import session_scripts
from trainsh_tmux.remote.host import Host
from trainsh_tmux.remote.reply import fields, malformed, natural
from trainsh_tmux.statuses import judge


def ask_holds(host: Host, job: str, sessions: list[str], steps: list[str]) -> Holds:
    """Ask the host. Raises BadAnswer, Unreachable."""
    names = [session_name(name) for name in sessions]
    ids = [word("step", step) for step in steps]
    return parse(host, names, ids, host.ask(session_scripts.holds(job, names, ids)))


def parse(host: Host, sessions: list[str], steps: list[str], lines: list[str]) -> Holds:
    """Parse the host's answer.

    A session that is not in the answer is gone; a step that is not in it never began.
    """
    found_sessions = {name: HeldSession(state="gone") for name in sessions}
    found_steps = {step: HeldStep(state="never") for step in steps}
    for line in lines:
        kind, _, rest = line.partition(" ")
        if kind == "session":
            name, token, state, covers, left_out = fields(host.name, rest + "   ", 5)
            if state not in ("running", "released", "gone"):
                raise malformed(host.name, line)
            found_sessions[name] = HeldSession(
                state=cast(Literal["running", "released", "gone"], state), session=_given(token),
                covers=_given(covers), left_out=left_out.split() if _given(covers) else [],
            )  # fmt: skip
        elif kind == "step":
            step, state, status, why = fields(host.name, rest + "  ", 4)
            found_steps[step] = _held(state, status, why.strip(), host, line)
    return Holds(machine=host.machine or None, node=host.node or None, sessions=found_sessions, steps=found_steps)


def _given(text: str) -> str | None:
    return None if text in ("", "-") else text


def _held(state: str, status: str, why: str, host: Host, line: str) -> HeldStep:
    """Parse what the host reports about a step.

    A step whose command has no exit status is lost or never ran.
    """
    if state not in ("running", "ended", "lost", "never"):
        raise malformed(host.name, line)
    if state != "ended":
        return HeldStep(state=cast(Literal["running", "lost", "never"], state), reason=why)
    number = natural(status, host.name, line) if status not in ("", "-", "none", "lost") else None
    judged, reason = judge(number, why, "its time limit")
    if judged in ("lost", "not_started"):
        return HeldStep(state="lost" if judged == "lost" else "never", reason=reason)
    return HeldStep(state="ended", exit=number, reason=reason)
