"""Errors about sessions that several commands raise."""

from trainsh_base.errors import Conflict, NotFound, TrainError
from trainsh_base.remote.channel import quote
from trainsh_base.system.deadline import Deadline
from trainsh_base.system.suggest import nearest
from trainsh_tmux.names import server
from trainsh_tmux.remote import scripts
from trainsh_tmux.remote.host import Host

PATIENCE = 5.0  # seconds to wait for a list of sessions, which is only used for a hint


def as_word(text: str) -> str:
    """Quote `text` as one shell word for a hint, because a host may be `user@host -p 22` or a JSON document."""
    return text if all(letter.isalnum() or letter in "-_.@:/" for letter in text) else quote(text)


def no_session(host: Host, name: str) -> NotFound:
    """Return the error for a session that does not exist."""
    where = "" if host.spec == "local" else f" --host {as_word(host.spec)}"
    return NotFound(
        f"there is no session {name!r} on {host.name}", f"open it: train tmux open {as_word(host.spec)} {name}"
        f"; or see: train tmux list{where}", code="session_not_found",
    )  # fmt: skip


def not_open(host: Host, job: str, name: str) -> NotFound:
    """Return the error `no_session`.

    Ask the host for the job's open sessions, to suggest the one with the most similar name.
    """
    error = no_session(host, name)
    try:
        lines = host.ask(scripts.listing(), deadline=Deadline.after(PATIENCE))
    except TrainError:
        return error
    rows = [line.split(" ") for line in lines if line.startswith(f"session {server(job)} ")]
    # only sessions that are open are suggested
    if near := nearest(name, [row[2] for row in rows if row[4] == "1"]):
        error.hint = f"did you mean {near}?"
    return error


def gone(name: str, how: str) -> TrainError:
    """Return the error for a session whose shell has ended. `how` tells how the shell ended."""
    return TrainError(
        f"session {name} is not running: {how or 'its shell has ended'}", "open it again with tmux.open",
        code="session_gone",
    )  # fmt: skip


def on_another_node(name: str, there: str, host: Host) -> Conflict:
    """Return the error for a session that runs on another machine with the same home folder."""
    return Conflict(
        f"session {name} runs on {there}; {host.name} leads to {host.node or 'another node'} now",
        f"name {there} itself as the host, or open another session here", code="other_node",
        data={"session": name, "node": there},
    )  # fmt: skip


def must_be_here(host: Host, job: str, name: str, line: str) -> str:
    """Return `line`, the host's answer about a session, unless the line says `none` or `elsewhere`.

    Raises NotFound for `none`, Conflict for `elsewhere`.
    """
    kind, _, rest = line.partition(" ")
    if kind == "elsewhere":
        raise on_another_node(name, rest, host)
    if line == "none":
        raise not_open(host, job, name)
    return line
