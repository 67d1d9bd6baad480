"""Makes a released session run steps again, in its old shell or in a new window of the session."""

import time

from trainsh_base.errors import TrainError
from trainsh_base.system.deadline import Deadline
from trainsh_tmux.remote import scripts, session_scripts
from trainsh_tmux.remote.reply import said
from trainsh_tmux.session.live import Live

TYPED_LIMIT = 2.0  # seconds within which a shell must run the command that was typed into it
LOGIN_LIMIT = 20.0  # seconds within which the shell of a new window must be ready for steps


def reclaim(live: Live) -> tuple[list[str], list[str]]:
    """Make a released session run steps again.

    The old shell is used if possible, else a new shell in another window. Returns (notes for people, the host's
    reply about the new shell). Both are empty if the old shell is used. Raises TrainError `session_busy` if neither
    shell becomes ready for steps.
    """
    answer = live.host.ask(session_scripts.take_back(live.job, live.name))
    if answer[:1] == ["typed"] and _comes_to(live, "open", TYPED_LIMIT):
        return [], []
    answer = live.host.ask(session_scripts.new_window(live.job, live.name, log_limit=session_scripts.log_limit()))
    if not (answer and answer[0].startswith("fresh") and _comes_to(live, "open", LOGIN_LIMIT)):
        raise TrainError(
            f"session {live.name} was released and cannot be reclaimed: {' '.join(answer) or 'no answer'}",
            f"to look at it: train tmux attach {live.name}", code="session_busy",
        )  # fmt: skip
    restored = said(answer, "restored") == "yes"
    state = "with the directory and variables that the steps had left" if restored else "with a fresh environment"
    note = f"session {live.name} was released and is in use: from now on its steps run in a new window, {state}"
    return [note], answer


def released(live: Live) -> bool:
    """Wait up to a second, and return whether the session is released now.

    A session is released when its step has ended.
    """
    return _comes_to(live, "released", 1.0)


def _comes_to(live: Live, state: str, limit: float) -> bool:
    deadline = Deadline.after(limit)
    while not deadline.expired:
        if live.host.first(scripts.log_end(live.job, live.name)).split()[3:] == [state]:
            return True
        time.sleep(0.02)
    return False
