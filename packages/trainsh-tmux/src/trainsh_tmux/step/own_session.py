"""Runs a command in a new session. When the command ends, the session is closed and removed."""

import msgspec

from trainsh_base.request import current
from trainsh_tmux.model import Outcome
from trainsh_tmux.remote import session_scripts
from trainsh_tmux.session.live import Live
from trainsh_tmux.session.opening import open_session, start_folder
from trainsh_tmux.step.conversation import Conversation
from trainsh_tmux.step.failures import raise_for
from trainsh_tmux.step.handing import Step


def run_alone(live: Live, step: Step) -> Outcome:
    """Open the session, run the step in it, and remove the session.

    If the step runs in the background, the session stays.
    """
    open_session(live, start_folder(live.host, None))
    try:
        return _of_command(Conversation(live, step, current()).run())
    finally:
        if not step.background:
            live.host.ask(session_scripts.close_session(live.job, live.name, snapshot=False))
            live.host.ask(session_scripts.remove(live.job, live.name))


def _of_command(outcome: Outcome) -> Outcome:
    """Return `outcome` with the exit status of the command. The command had a session of its own.

    Such a session may end together with its command. In this case the command's exit status decides the state.
    """
    if outcome.state == "session_ended" and outcome.exit is not None:
        return msgspec.structs.replace(outcome, state="ok" if outcome.exit == 0 else "failed")
    return raise_for(outcome)
