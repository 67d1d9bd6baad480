"""The conversation about one step as a state machine: its states, what may be heard in each, what is done then.

    HANDED ────begins────▶ RUNNING ────ends────▶ OVER
      │  └──ends, detached──────────────────────▶ │
      ├─────time is up──▶ ENDING ◀──time is up── RUNNING
      │                     └──ends, never──────▶ OVER
      └──ended, gone, closes──▶ SETTLING ◀── RUNNING, ENDING
                                  └──ends, quiet─▶ OVER

* HANDED: the step is on its way to the session's shell, or waits there for its turn.
* RUNNING: its output comes.
* ENDING: it ran out of time and gets INT, TERM, KILL within its grace.
* SETTLING: the host knows how it ended, or its session is gone; the rest of its output may be on the way.

From the log come `begins`, `detached` (it runs in the background), `text`, `ends` and `closes` (the session's shell
ended). The host answers to the handing with `said-...`, and its watcher says the others. `cut` is the end of the
connection: it is opened again, the step handed in again (its claim makes that harmless), and the state stays.
"""

import enum


class State(enum.Enum):
    """Where the conversation stands."""

    HANDED = "handed"
    RUNNING = "running"
    ENDING = "ending"
    SETTLING = "settling"
    OVER = "over"


_ALWAYS = {
    "cut": "reconnect", "text": "take_text", "ends": "end", "closes": "see_session_end",
    "said-again": "hear_again", "said-gone": "session_gone", "said-elsewhere": "session_elsewhere",
}  # fmt: skip
_ON_ITS_WAY = {
    "begins": "begin", "detached": "detach", "said-slow": "hand_in_full", "said-released": "reclaim",
    "said-starting": "hand_in_later", "said-full": "disk_full", "released": "reclaim", "unread": "hand_in_again",
}  # fmt: skip
_WATCHED = {"ended": "know", "gone": "see_session_end", "reading": "reads_terminal"}
_TOLD_TO_END = {"never": "never_ran", "stuck": "was_stuck", "survived": "survivor"}

# What may be heard in a state, and which method of the conversation takes it. All else is passed over.
HEARD: dict[State, dict[str, str]] = {
    State.HANDED: _ALWAYS | _ON_ITS_WAY | _WATCHED,
    State.RUNNING: _ALWAYS | _ON_ITS_WAY | _WATCHED,
    State.ENDING: _ALWAYS | _ON_ITS_WAY | _WATCHED | _TOLD_TO_END,
    State.SETTLING: {"cut": "reconnect", "text": "take_text", "ends": "end", "begins": "begin"},
    State.OVER: {},
}
