"""Shows the pane of a session: as text, or in the person's terminal."""

from trainsh_base.remote.channel import quote
from trainsh_base.tool.declare import Handover
from trainsh_tmux.model import Screen
from trainsh_tmux.names import server, session_name
from trainsh_tmux.remote import session_scripts
from trainsh_tmux.remote.host import Host
from trainsh_tmux.session.errors import not_open


def screen(host: Host, job: str, name: str, history: int) -> Screen:
    """Return the lines of the pane, and `history` lines above it. Raises NotFound if the session is not open."""
    lines = host.ask(session_scripts.capture_pane(job, session_name(name), history))
    if lines[:1] == ["none"]:
        raise not_open(host, job, name)
    shown = [line.removeprefix("line").removeprefix(" ") for line in lines]
    while shown and not shown[-1].strip():
        shown.pop()
    return Screen(name=name, host=host.spec, lines=shown)


def attach_handover(host: Host, job: str, name: str) -> Handover:
    """Return the argv of a tmux that attaches the terminal to the session."""
    words = ["tmux", "-u", "-L", server(job), "attach-session", "-t", f"={name}"]
    if host.target.kind == "local":
        return Handover(argv=["env", "-u", "TMUX", *words])
    command = " ".join(quote(part) for part in words)
    return Handover(argv=host.target.remote_argv(command, terminal=True), env=host.target.env)
