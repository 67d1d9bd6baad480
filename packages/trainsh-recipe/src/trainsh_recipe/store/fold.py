"""Computes the state of a job by applying its events in order. A running job applies each event when writing it."""

from collections.abc import Iterable

import msgspec

from trainsh_recipe.store import rented
from trainsh_recipe.store.journal import Event, seconds_of
from trainsh_recipe.store.options import RunOptions
from trainsh_recipe.store.state import Held, SessionState, State, StepState


def fold(events: Iterable[Event]) -> State:
    """Return the state that results from the events. Unknown events change nothing."""
    state = State()
    for event in events:
        apply(state, event)
    return state


def apply(state: State, event: Event) -> None:
    """Apply one event. An unknown event changes nothing."""
    handler = _HANDLERS.get(event["event"])
    if state._since:
        state.active += max(0.0, seconds_of(event["t"]) - seconds_of(state.last or state._since))
    state.last = event.get("t", "")
    if handler:
        handler(state, event)


def _job_started(state: State, event: Event) -> None:
    for key in ("name", "kind", "file", "digest", "cwd", "version", "pid"):
        if key in event:
            setattr(state, key, event[key])
    state.options = RunOptions().changed_by(event)
    state.id = event.get("job", "")
    state.total = event.get("steps", 0)
    state.started = event["t"]
    state._since = event["t"]


def _job_resumed(state: State, event: Event) -> None:
    state.pid = event.get("pid", 0)
    state._since = event["t"]
    state.last = event["t"]
    if event.get("new_round"):
        state.round += 1
        state.closing, state.failing, state.resume_from, state.given_up = "", False, "", []
        state.options = msgspec.structs.replace(state.options, retry_lost=False, from_step="", abandon=False)
    state.options = state.options.changed_by(event)
    state.digest = event.get("digest", state.digest)
    if "steps" in event:
        state.total = event["steps"]
    for step in state.steps.values():
        step.tries = 0 if step.over else step.tries
    _again(state, {"steps": event.get("again", [])})
    state.status, state.reason, state.ended = "running", "", ""


def _job_left(state: State, event: Event) -> None:
    state.reason = event.get("reason", "")
    state._since = ""


def _job_finished(state: State, event: Event) -> None:
    state.status = event["status"]
    state.reason = event.get("reason", "")
    state.seconds = event.get("seconds", 0.0)
    state.ended = event["t"]
    state.resume_from = event.get("from", state.resume_from)
    state._since = ""
    state.closing, state.held = "", None


def _finally(state: State, event: Event) -> None:
    state.closing = event["status"]


def _step_started(state: State, event: Event) -> None:
    before = state.steps.get(event["step"])
    same = before is not None and not before.over and before.attempt == event.get("attempt", 1)
    state.steps[event["step"]] = StepState(
        id=event["step"], kind=event.get("kind", ""), text=event.get("text", ""), line=event.get("line", 0),
        attempt=event.get("attempt", 1), tries=before.tries + (0 if same else 1) if before else 1,
        started=before.started if before and same else event["t"], since=event.get("since"),
        closing=event.get("closing", False), round=state.round, session=event.get("session", ""),
        token=event.get("token", ""), background=event.get("background", False),
        parts=_parts(before, event),
    )  # fmt: skip


def _parts(before: StepState | None, event: Event) -> list[tuple[int, int]]:
    """Return the parts of the step's log, one for each attempt.

    If a resume waits for an attempt, the output of that attempt is printed again, from its start.
    """
    if before is None or not event.get("log"):
        return []
    return [*(before.parts or [(before.attempt, 0)]), (event.get("attempt", 1), event["log"])]


def _step_finished(state: State, event: Event) -> None:
    step = state.steps.get(event["step"])
    if step is None:
        step = state.steps[event["step"]] = StepState(id=event["step"], round=state.round)
    step.status = event["status"]
    step.ended = event["t"]
    for key in ("exit", "reason", "seconds", "offset", "bytes", "allowed", "gone", "process"):
        if key in event:
            setattr(step, key, event[key])
    state.resume_from = event.get("from", state.resume_from)
    state.failing = state.failing or event.get("final", False)
    state.arrived = [id for id in state.arrived if id != step.id] + ([step.id] if event.get("arrived") else [])
    session = state.sessions.get(event.get("session", ""))
    if session is not None:
        _session_moved(state, session, step, event)


def _session_moved(state: State, session: SessionState, step: StepState, event: Event) -> None:
    if step.kind == "execute" and event.get("offset") is not None:
        session.step = event["offset"]
        if event.get("background"):
            session.background = event["offset"] if session.background is None else session.background
            step.background = True
            session.left.append(step.id)
    if step.kind == "wait" and step.status == "ok":
        session.waited = event["offset"] if event.get("offset") is not None else session.waited
        if event.get("idle"):
            for id in session.left:
                state.steps[id].settled = True
            session.left = []
    session.end = event["end"] if event.get("end") is not None else session.end


def _session(state: State, event: Event) -> None:
    name = event["session"]
    if event.get("state") in ("closed", "closing"):
        if name in state.sessions:
            state.sessions[name].open = False
        return
    if event.get("fresh") or name not in state.sessions:
        state.sessions[name] = SessionState(name=name, host=event["host"], left=[])
    session = state.sessions[name]
    session.open, session.host = True, event["host"]
    session.host_name = event.get("host_name", "")
    for key in ("machine", "token", "node"):
        setattr(session, key, event.get(key) or getattr(session, key))
    if event.get("fresh"):
        session.restored = event.get("restored", False)
        session.covers = event.get("covers")
        session.left_out = event.get("left_out", [])
    if session.machine and session.host_name:
        state.machines[session.host_name] = session.machine
    session.end = event.get("offset") if session.end is None else session.end


def _again(state: State, event: Event) -> None:
    """Mark steps to run again because their effect is gone."""
    state.arrived = [id for id in state.arrived if id not in event["steps"]]
    for id in event["steps"]:
        if id in state.steps:
            state.steps[id].status, state.steps[id].reason = "again", event.get("reason", "")
            state.steps[id].settled = False
        for session in state.sessions.values():
            session.left = [left for left in session.left if left != id]


def _machine(state: State, event: Event) -> None:
    state.machines[event["host"]] = event["machine"]


def _background(state: State, event: Event) -> None:
    """Apply what a host answered about a background step."""
    step = state.steps.get(event["step"])
    if step is None:
        return
    step.settled = event["state"] == "ended" and not event.get("exit")
    step.exit = event.get("exit")
    if event["state"] == "lost":
        step.status, step.gone = "lost", True
        step.reason = event.get("reason", "")


def _binding(state: State, event: Event) -> None:
    state.hosts |= event.get("hosts", {})
    state.vars |= event.get("vars", {})
    state.storages |= event.get("storages", {})
    for name in event.get("hosts", {}):
        if event.get("tool"):
            state.filled[name] = event["tool"]
            for machine in state.instances.values():
                if machine.provider == event["tool"] and not machine.hosts:
                    machine.hosts = [name]


def _stopped(state: State, event: Event) -> None:
    """Apply the event that hosts were stopped or started again. With `disk`, their disks are gone too."""
    names, stopped = list(event.get("hosts", [])), event.get("state") == "stopped"
    state.stopped = [name for name in state.stopped if name not in names] + (names if stopped else [])
    for machine in state.instances.values():
        if machine.hosts and set(machine.hosts) <= set(names) and machine.state not in rented.GONE:
            after = ("gone" if event.get("disk") else "stopped") if stopped else "running"
            if (after == "running") != machine.running or after == "gone":
                machine.change(after, seconds_of(event["t"]))


def _instance(state: State, event: Event) -> None:
    """Apply a provider's answer about a machine.

    If neither the answer nor an earlier one names hosts, the machine gets those that the provider's verbs have
    filled.
    """
    name = rented.key(event.get("provider"), event.get("id"))
    machine = rented.described(state.instances.get(name), event)
    machine.hosts = machine.hosts or [host for host, tool in state.filled.items() if tool == machine.provider]
    state.instances[name] = machine


def _held(state: State, event: Event) -> None:
    state.held = Held(
        reason=event.get("reason", ""), until=event.get("until", ""), hosts=event.get("hosts", []),
        steps=event.get("steps", []),
    )  # fmt: skip


def _hold_ended(state: State, event: Event) -> None:
    state.held = None
    state.given_up += event.get("given_up", [])


_HANDLERS = {
    "job.started": _job_started,
    "job.resumed": _job_resumed,
    "job.left": _job_left,
    "job.finished": _job_finished,
    "finally.started": _finally,
    "step.started": _step_started,
    "step.finished": _step_finished,
    "session": _session,
    "binding": _binding,
    "hosts": _stopped,
    "instance": _instance,
    "again": _again,
    "machine": _machine,
    "background": _background,
    "hold.started": _held,
    "hold.ended": _hold_ended,
}
