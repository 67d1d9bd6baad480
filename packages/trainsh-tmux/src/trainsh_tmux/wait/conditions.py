"""Waits for conditions that the host checks: a file, a port, idleness."""

from trainsh_base.errors import UsageError
from trainsh_tmux.model import Waited
from trainsh_tmux.names import server
from trainsh_tmux.session.errors import gone
from trainsh_tmux.session.live import LOST, Live
from trainsh_tmux.wait.failures import background_failure
from trainsh_tmux.wait.patience import Patience


def for_state(live: Live, kind: str, arguments: list[str], patience: Patience) -> Waited:
    """Wait until the host reports that the condition holds.

    If the connection is lost, reconnect within the timeout. Raises TimedOut, TrainError `session_gone`,
    `background_failed` {step, status, tail}, RemoteError `lost`.
    """
    host = live.host
    deadline = None
    while True:
        unwatch = host.watch(
            live.job, live.name, kind, arguments, lambda text: patience.inbox.put(("watched", text)),
            lambda _: patience.inbox.put(LOST), deadline=deadline,
        )  # fmt: skip
        try:
            held = _answer(live, patience)
        finally:
            if not host.lost:
                unwatch()
        if held:
            return patience.waited()
        host.say_cut(patience.request)
        deadline = patience.connecting()


def _answer(live: Live, patience: Patience) -> bool:
    """Wait for an answer. Return True if the condition holds, False if the connection was cut."""
    while True:
        item = patience.next()
        if item is LOST:
            return False
        if isinstance(item, tuple) and heard(live, str(item[1]), patience):
            return True


def heard(live: Live, answer: str, patience: Patience) -> bool:
    """Handle an answer of the host, and return whether the condition holds.

    Raises an error if the wait must end.
    """
    word, _, rest = answer.partition(" ")
    if word == "gone":
        raise gone(live.name, "")
    if word == "failed":
        raise background_failure(live, rest)
    if word == "quiet":
        patience.quiet(live.name)
    return word == "yes"


def arguments(live: Live, kind: str, value: str) -> list[str]:
    """Return the arguments with which the host waits for a file, for a port, or for idleness (`own` or `all`).

    For a port they are its number in hex, as in /proc/net/tcp, and in decimal.
    """
    if kind == "file":
        return [value]
    if kind == "idle":
        return [value, server(live.job), live.name]
    port = int(value)
    if not 0 < port < 65536:
        raise UsageError(f"not a port: {port}", "1 to 65535", code="bad_port")
    return [f"{port:04X}", str(port)]
