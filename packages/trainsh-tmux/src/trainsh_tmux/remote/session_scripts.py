"""The bodies of requests that open, show and end sessions (see scripts.py)."""

import functools
import os

from trainsh_tmux.names import server, session_name
from trainsh_tmux.remote.library import words
from trainsh_tmux.remote.scripts import at, holds

__all__ = ["holds"]

# The default grace: the seconds between INT, the first signal, and KILL when a session is closed.
GRACE = 30


def open_session(
    job: str, name: str, start: str, *, plain: bool, log_limit: int, token: str = "", restore: bool = False,
    without: tuple[str, ...] = (),
) -> str:  # fmt: skip
    """Open a session. `without` names secret variables that the session must not inherit.

    The first line of the reply is one of these: `open OFFSET STATE FOLDER` if the session was open already, `fresh
    OFFSET FOLDER` if it was opened now, or the reason why it could not be opened: `lib`, `no-tmux`, `no-processes`,
    `no-programs NAMES`, `full`, `failed WORDS`. After `open` and `fresh` comes the line `session TOKEN`; the TOKEN is new each time the
    session is opened. After `fresh` there may be a line `elsewhere NODE` and, with `restore`, the lines `restored
    yes|no`, `covers STEP`, `left-out NAMES`.
    """
    key = os.urandom(8).hex()
    return words(
        "session_open", *at(job, name), _hidden(name), token or os.urandom(8).hex(), key, log_limit, start,
        "plain" if plain else "login", "restore" if restore else "fresh", "driven" if job else "hand", *without,
    )  # fmt: skip


def log_again(job: str, name: str) -> str:
    """Start the program that writes a session's log, if it has ended. The host replies `restarted`, `runs` or `none`."""
    return words("session_log_again", *at(job, name), _hidden(name))


def _hidden(name: str) -> str:
    """Return `name` as a shell word with empty quotes between its letters.

    Command lines get this word, so that `pkill -f NAME` does not match them.
    """
    return "''".join(session_name(name))


def log_limit() -> int:
    """Return the setting `tmux.log_limit`: how many bytes of a session's output its host keeps."""
    from trainsh_base.system.configuration.config import config_value  # noqa: PLC0415 - only a new session needs it

    return int(config_value("tmux.log_limit"))


@functools.cache
def grace_setting() -> float:
    """Return the setting `tmux.grace`: how many seconds a step has to end after its first signal.

    A process reads the setting only once.
    """
    from trainsh_base.system.configuration.config import config_value  # noqa: PLC0415 - as above

    return float(config_value("tmux.grace"))


def install_tmux(command: str) -> str:
    """Install tmux with `command`. The host named this command when it replied `no-tmux`.

    The host replies `ok`, or the last line of the error.
    """
    return words("session_install", *command.split())


def close_session(
    job: str, name: str, grace: float = GRACE, *, snapshot: bool = True, wait: bool = True
) -> str:  # fmt: skip
    """Close a session. With `snapshot`, its shell first writes a snapshot.

    The host replies `survived PID COMMAND` for each process that did not end, and then `closed`. It replies `none`
    if the session was not open. Without `wait`, it replies `closing` at once, and closes the session in the
    background.
    """
    call = "session_close" if wait else "session_close_later"
    return words(call, *at(job, name), round(grace), "snapshot" if snapshot else "-")


def release(job: str, name: str) -> str:
    """Release a session. The host replies `released`, `asked` or `none`.

    `released`: the session was released before. `asked`: it will be released when its step ends. `none`: no such
    session is open.
    """
    return words("session_release", *at(job, name))


def take_back(job: str, name: str) -> str:
    """Type the command that makes a released pane run steps again.

    The host replies `typed`, or `busy` if another program runs in the pane.
    """
    return words("session_take_back", *at(job, name))


def new_window(job: str, name: str, *, log_limit: int) -> str:
    """Give a released session another window, whose shell restores the snapshot.

    The host replies as it does for open_session.
    """
    return words("session_window", *at(job, name), _hidden(name), log_limit, os.urandom(8).hex())


def capture_pane(job: str, name: str, history: int) -> str:
    """The host replies `line TEXT` for each line of the pane and for `history` lines above it; `none` if there is
    no pane.
    """
    return words("session_show", *at(job, name), history)


def press_enter(job: str, name: str) -> str:
    """Press Enter in a session that is being opened, in case its login files wait at a prompt."""
    return words("session_enter", *at(job, name))


def send_keys(job: str, name: str, text: str, *, enter: bool, keys: bool) -> str:
    """Type into the pane. The host replies `sent`, or `none` if there is no pane."""
    typed = text.split() if keys else [text]
    return words("session_type", *at(job, name), "keys" if keys else "text", "enter" if enter else "-", *typed)


def kill_server(job: str, grace: float = GRACE) -> str:
    """End every session of a job.

    The host replies `survived PID COMMAND` for each process that did not end, and then `killed`.
    """
    return words("session_kill", server(job), round(grace))


def remove(job: str, name: str) -> str:
    """Remove a session's files."""
    return words("session_remove", *at(job, name))


def clean(days: int) -> str:
    """Remove the folders of ended sessions that did not change for `days` days.

    The host replies `removed PATH` for each removed folder.
    """
    return words("session_clean", days)
