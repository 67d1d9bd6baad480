"""The documents of train-tmux."""

from typing import Literal

import msgspec


class Document(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of what goes out: unknown fields are refused."""


class Session(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A session that is open. `fresh`: its shell was made by this request, so directory and exports are new.

    `folder` holds the session's files on the host; `offset` is where its log ends now, in bytes.
    """

    name: str
    host: str
    job: str
    folder: str
    offset: int
    fresh: bool
    notes: list[str] = []


State = Literal["ok", "failed", "timeout", "lost", "started", "never", "running"]


class Outcome(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What became of a step.

    `exit` is its status where it has one, `reason` the same for people; `offset` and `end` are where its output
    begins and ends in the session's log, `bytes` how much it printed, `tail` its last lines without escapes;
    `captured` its standard output alone, where that was asked for. `resumed`: it had been started before.
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


class Waited(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A condition that holds: after how many seconds, in which line (patterns), seen up to where in the log."""

    seconds: float
    line: str | None = None
    offset: int | None = None


class Listed(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A session as `list` shows it: whose job it is, how old it is, what runs in it and for how long (seconds)."""

    name: str
    host: str
    job: str
    state: str
    age: int = 0
    running: str = ""
    seconds: int = 0
    attached: bool = False


class Screen(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a session's pane shows."""

    name: str
    host: str
    lines: list[str]


class Done(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a request on a session did."""

    name: str
    host: str
    job: str
    done: str
