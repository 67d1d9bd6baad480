"""What a job's events add up to. Reading it is a fold; a running job applies each event as it is written."""

from collections.abc import Iterable
from typing import Any

import msgspec

from trainsh_recipe.store.journal import Event, seconds_of

# Verbs after which what the tool's earlier verbs made sure of holds no more, on purpose.
ENDS = frozenset(("stop", "destroy", "close", "down", "delete", "remove", "terminate", "disconnect"))


ENDED = frozenset(("stopped", "destroyed", "exited", "terminated"))


class StepState(msgspec.Struct, kw_only=True):
    """One step so far. `status`: running, ok, failed, timeout, lost, cancelled, skipped, again (to be run anew)."""

    id: str
    kind: str = ""
    text: str = ""
    line: int = 0
    status: str = "running"
    attempt: int = 1
    tries: int = 1  # attempts since the recipe was started or resumed
    started: str = ""
    ended: str = ""
    exit: int | None = None
    reason: str = ""
    seconds: float = 0.0
    offset: int | None = None
    since: int | None = None
    bytes: int = 0
    allowed: bool = False
    gone: bool = False  # lost for good: the session it ran in is not there any more
    closing: bool = False
    round: int = 1
    session: str = ""

    @property
    def over(self) -> bool:
        """Whether its last attempt has ended."""
        return self.status != "running"

    @property
    def done(self) -> bool:
        """Whether it needs no more: it went well, or it may fail, or it was left out."""
        return self.status in ("ok", "skipped") or (self.over and self.allowed)


class SessionState(msgspec.Struct, kw_only=True):
    """A session the job opened; the offsets in its log are where a pattern wait begins to look."""

    name: str
    host: str
    host_name: str = ""
    open: bool = True
    waited: int | None = None
    background: int | None = None
    step: int | None = None
    end: int | None = None
    left: list[str] = []  # background steps that no `wait idle` has seen the end of

    def since(self) -> int | None:
        """From the last satisfied wait, else the earliest background step, else the latest step."""
        return next((at for at in (self.waited, self.background, self.step) if at is not None), None)


class State(msgspec.Struct, kw_only=True):
    """A job. `status` is what its journal says: a job without an end is running only while its lock is held."""

    id: str = ""
    name: str = ""
    kind: str = "recipe"
    file: str = ""
    digest: str = ""
    cwd: str = ""
    version: str = ""
    pid: int = 0
    started: str = ""
    ended: str = ""
    status: str = "running"
    reason: str = ""
    seconds: float = 0.0
    total: int = 0
    round: int = 1
    max_time: float | None = None
    overrides: dict[str, dict[str, str]] = {}
    failing: bool = False  # a step has failed for good, and `finally` comes next
    closing: str = ""  # the status `finally` was entered with, while it is not over
    steps: dict[str, StepState] = {}
    sessions: dict[str, SessionState] = {}
    hosts: dict[str, str] = {}
    vars: dict[str, str | None] = {}
    storages: dict[str, str] = {}
    filled: dict[str, str] = {}  # host -> the tool whose answer bound it
    stopped: list[str] = []  # hosts that a step of the job stopped
    instances: dict[str, dict[str, Any]] = {}
    active: float = 0.0  # seconds a runner was at work, up to the last event
    last: str = ""
    _since: str = ""

    def billing(self) -> list[dict[str, Any]]:
        """The instances that no step has stopped: they cost money beyond the end of the job."""
        found = []
        for instance in self.instances.values():
            hosts = [name for name, tool in self.filled.items() if tool == instance.get("provider")]
            stopped = instance.get("state") in ENDED or (hosts and all(name in self.stopped for name in hosts))
            if not stopped:
                found.append(instance)
        return found

    def apply(self, event: Event) -> None:
        """Take one event in; an unknown one changes nothing."""
        handler = _HANDLERS.get(event["event"])
        if self._since:
            self.active += max(0.0, seconds_of(event["t"]) - seconds_of(self.last or self._since))
        self.last = event.get("t", "")
        if handler:
            handler(self, event)


def fold(events: Iterable[Event]) -> State:
    """The state that the events lead to."""
    state = State()
    for event in events:
        try:
            state.apply(event)
        except (KeyError, TypeError, ValueError, AttributeError):
            continue  # written by another version: what cannot be understood is skipped
    return state


def _job_started(state: State, event: Event) -> None:
    for key in ("name", "kind", "file", "digest", "cwd", "version", "pid", "overrides"):
        if key in event:
            setattr(state, key, event[key])
    state.id = event.get("job", "")
    state.total = event.get("steps", 0)
    state.max_time = event.get("max_time")
    state.started = event["t"]
    state._since = event["t"]


def _job_resumed(state: State, event: Event) -> None:
    state.pid = event.get("pid", 0)
    state._since = event["t"]
    state.last = event["t"]
    if event.get("new_round"):
        state.round += 1
        state.closing, state.failing = "", False
    for key in ("digest", "overrides", "max_time"):
        if key in event:
            setattr(state, key, event[key])
    if "steps" in event:
        state.total = event["steps"]
    for step in state.steps.values():
        step.tries = 0 if step.over else step.tries
    for id in event.get("again", []):
        state.steps[id].status = "again"
    state.status, state.reason, state.ended = "running", "", ""


def _job_left(state: State, event: Event) -> None:
    state.reason = event.get("reason", "")
    state._since = ""


def _job_finished(state: State, event: Event) -> None:
    state.status = event["status"]
    state.reason = event.get("reason", "")
    state.seconds = event.get("seconds", 0.0)
    state.ended = event["t"]
    state._since = ""
    state.closing = ""


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
    )  # fmt: skip


def _step_finished(state: State, event: Event) -> None:
    step = state.steps.get(event["step"])
    if step is None:
        step = state.steps[event["step"]] = StepState(id=event["step"], round=state.round)
    step.status = event["status"]
    step.ended = event["t"]
    for key in ("exit", "reason", "seconds", "offset", "bytes", "allowed", "gone"):
        if key in event:
            setattr(step, key, event[key])
    state.failing = state.failing or event.get("final", False)
    session = state.sessions.get(event.get("session", ""))
    if session is not None:
        _session_moved(session, step, event)


def _session_moved(session: SessionState, step: StepState, event: Event) -> None:
    if step.kind == "execute" and event.get("offset") is not None:
        session.step = event["offset"]
        if event.get("background"):
            session.background = event["offset"] if session.background is None else session.background
            session.left.append(step.id)
    if step.kind == "wait" and step.status == "ok":
        session.waited = event["offset"] if event.get("offset") is not None else session.waited
        session.left = [] if event.get("idle") else session.left
    session.end = event["end"] if event.get("end") is not None else session.end


def _session(state: State, event: Event) -> None:
    name = event["session"]
    if event.get("state") == "closed":
        if name in state.sessions:
            state.sessions[name].open = False
        return
    if event.get("fresh") or name not in state.sessions:
        state.sessions[name] = SessionState(name=name, host=event["host"], left=[])
    session = state.sessions[name]
    session.open, session.host = True, event["host"]
    session.host_name = event.get("host_name", "")
    session.end = event.get("offset") if session.end is None else session.end


def _binding(state: State, event: Event) -> None:
    state.hosts |= event.get("hosts", {})
    state.vars |= event.get("vars", {})
    state.storages |= event.get("storages", {})
    for name in event.get("hosts", {}):
        if event.get("tool"):
            state.filled[name] = event["tool"]


def _stopped(state: State, event: Event) -> None:
    names = event.get("hosts", [])
    others = [name for name in state.stopped if name not in names]
    state.stopped = others + (list(names) if event.get("state") == "stopped" else [])


def _instance(state: State, event: Event) -> None:
    state.instances[str(event.get("id"))] = {
        key: value for key, value in event.items() if key not in ("t", "event")
    }


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
}
