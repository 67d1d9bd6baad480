"""The JSON documents that train-tmux returns."""

from typing import Literal

import msgspec


class Document(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base class of the documents; unknown fields are an error."""


class Prepared(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The answer of `prepare`. `ready`: a shell on the machine waits for requests."""

    ready: bool


class Session(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An open session.

    `fresh`: this request started the session's shell, which has its initial directory and variables. `folder` holds
    the session's files on the host. `offset` is the size of the session's log in bytes. `machine` is a random token
    stored on the host, `session` (`token` in JSON) a random token of this shell, and `node` identifies the running
    system (host name and boot). Each of these three is null if it is not known. `restored`: the shell started from
    the snapshot of an earlier shell. `left_out` lists what this snapshot does not have. NAME, NAME(), alias:NAME,
    traps and positional were left out because they contained secrets; fd:N was an open descriptor. `covers` is the
    last step that had ended when the snapshot was taken, "" if none had.
    """

    name: str
    host: str
    job: str
    folder: str
    offset: int
    fresh: bool
    notes: list[str] = []
    machine: str | None = None
    session: str | None = msgspec.field(name="token", default=None)
    node: str | None = None
    restored: bool = False
    left_out: list[str] = []
    covers: str | None = None


State = Literal[
    "ok", "failed", "timeout", "lost", "started", "never", "running", "not_started", "session_ended"
]  # fmt: skip


class Outcome(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a step ended, or that it is still running.

    `exit` is the step's exit status, if it has one. `reason` describes for people how the step ended. `offset` and
    `end` are where the step's output begins and ends in the session's log. `bytes` is the size of the output, and
    `tail` has its last lines without escapes. `captured` is the step's stdout, if it was requested. `resumed`: an
    earlier request had started the step. `survived` names processes that did not end with the step. A background
    step has `pid`, `start` (when that process began, in the units of its kernel) and `node` (the machine and its
    boot, `HOST.BOOT.START`).
    """

    step: str
    state: State
    exit: int | None = None
    reason: str = ""
    seconds: float = 0.0
    offset: int | None = None
    end: int | None = None
    bytes: int = 0
    tail: list[str] = []
    captured: str | None = None
    resumed: bool = False
    survived: list[str] = []
    pid: int | None = None
    start: str | None = None
    node: str | None = None


class Waited(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The result of a wait whose condition holds. It has the seconds that the wait took.

    For a pattern, it also has the line that matched, and the offset of the line's end in the log.
    """

    seconds: float
    line: str | None = None
    offset: int | None = None


class Listed(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A session as `list` shows it: its job, its age, the command that runs in it and for how long (seconds)."""

    name: str
    host: str
    job: str
    state: str
    age: int = 0
    running: str = ""
    seconds: int = 0
    attached: bool = False


class Removed(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Files of sessions that were removed from a host."""

    path: str


class Screen(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a session's pane shows."""

    name: str
    host: str
    lines: list[str]


class Done(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a request on a session did; `survived` names processes that are still running."""

    name: str
    host: str
    job: str
    done: str
    survived: list[str] = []


class HeldSession(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether a session's shell still runs.

    `session` (`token` in JSON) is the token that the session got when it was opened, null if unknown. `covers` is
    the last step in the snapshot that `open restore=true` would restore. `left_out` lists what is not in that
    snapshot.
    """

    state: Literal["running", "released", "gone"]
    session: str | None = msgspec.field(name="token", default=None)
    covers: str | None = None
    left_out: list[str] = []


class HeldStep(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a host knows about a step. `exit` is the step's exit status, if the step ended with one."""

    state: Literal["running", "ended", "lost", "never"]
    exit: int | None = None
    reason: str = ""


class Holds(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which sessions and steps of a job still exist on a host."""

    machine: str | None
    node: str | None
    sessions: dict[str, HeldSession]
    steps: dict[str, HeldStep]
