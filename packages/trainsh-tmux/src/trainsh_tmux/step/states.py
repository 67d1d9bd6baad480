"""The conversation with a host about one step, as a state machine: states, accepted events, and their handlers.

    HANDED ────begins────▶ RUNNING ────ends────▶ OVER
      │  └──ends, detached──────────────────────▶ │
      ├─────time is up──▶ ENDING ◀──time is up── RUNNING
      │                     └──ended, never─────▶ OVER
      └──ended, gone, closes──▶ SETTLING ◀── RUNNING, ENDING
                                  └──ends, quiet─▶ OVER

* HANDED: the step was sent to the session's shell and may wait there for its turn.
* RUNNING: the step has begun.
* ENDING: the step has timed out. All that it started gets INT, TERM, KILL within its grace. This state lasts until
  the host says that all of it has ended, which may be later than the end of the step itself.
* SETTLING: the host has reported the status, or the session is gone; the rest of the output may still arrive.

From the log come `begins`, `detached` (it runs in the background), `text`, `ends` and `closes` (the session's shell
ended). `said-...` are the host's replies when the step is sent; the host's watcher sends the other events. After
`cut` (the connection was lost) the connection is reopened and the step is sent again, in the same state: the step's
claim prevents a second run.
"""

import enum


class State(enum.Enum):
    """The states of the conversation."""

    HANDED = "handed"
    RUNNING = "running"
    ENDING = "ending"
    SETTLING = "settling"
    OVER = "over"

    __hash__ = object.__hash__  # faster than Enum's own `__hash__`, which is written in Python; each event calls it


_ALWAYS = {
    "cut": "reconnect", "text": "take_text", "ends": "end", "closes": "see_session_end",
    "said-again": "hear_again", "said-gone": "session_gone", "said-elsewhere": "session_elsewhere",
}  # fmt: skip
_ON_ITS_WAY = {
    "begins": "begin", "detached": "detach", "said-slow": "slow", "said-released": "released",
    "said-starting": "starting", "said-full": "full", "released": "released", "unread": "unread",
}  # fmt: skip
_WATCHED = {"ended": "know", "gone": "see_session_end", "reading": "reads_terminal"}
_TOLD_TO_END = {
    "ended": "all_ended", "ends": "end_first", "never": "never_ran", "stuck": "was_stuck", "survived": "survivor",
}  # fmt: skip

# For each state: event -> the method of Conversation that handles the event. Other events are ignored.
HEARD: dict[State, dict[str, str]] = {
    State.HANDED: _ALWAYS | _ON_ITS_WAY | _WATCHED,
    State.RUNNING: _ALWAYS | _ON_ITS_WAY | _WATCHED,
    State.ENDING: _ALWAYS | _ON_ITS_WAY | _WATCHED | _TOLD_TO_END,
    State.SETTLING: {"cut": "reconnect", "text": "take_text", "ends": "end", "begins": "begin"},
    State.OVER: {},
}
