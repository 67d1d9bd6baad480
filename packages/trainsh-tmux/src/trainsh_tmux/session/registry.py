"""The hosts and sessions that this process uses."""

import threading
from typing import TYPE_CHECKING

from trainsh_tmux.names import session_name
from trainsh_tmux.remote import scripts
from trainsh_tmux.remote.host import Host, Hosts
from trainsh_tmux.remote.reply import fields
from trainsh_tmux.session.errors import gone, must_be_here

if TYPE_CHECKING:
    from trainsh_tmux.session.live import Live


class Registry:
    """Keeps one object for each host and one for each session."""

    def __init__(self) -> None:
        self._hosts = Hosts()
        self._sessions: dict[tuple[str, str, str], Live] = {}
        self._lock = threading.Lock()

    def host(self, spec: str) -> Host:
        """Return the machine for `spec` (a host spec of the recipe language)."""
        return self._hosts.get(spec)

    def session(self, spec: str, job: str, name: str) -> "Live":
        """Return the session, whether or not it exists on the host."""
        from trainsh_tmux.session.live import Live  # noqa: PLC0415 - loaded while the shell on the host starts

        session_name(name)
        host = self.host(spec)
        with self._lock:
            return self._sessions.setdefault((spec, job, name), Live(host, job, name))

    def forget(self, spec: str, job: str, name: str) -> None:
        """Remove a session that was closed."""
        with self._lock:
            live = self._sessions.pop((spec, job, name), None)
        if live:
            live.close()

    def must_exist(self, live: "Live") -> None:
        """Raise NotFound, `session_gone` or `other_node`, unless the session is open."""
        host = live.host
        line = must_be_here(host, live.job, live.name, host.first(scripts.log_end(live.job, live.name), "none"))
        _, _, alive, state = fields(host.name, line + " ", 4)
        if alive != "1":
            raise gone(live.name, state.strip())

    def close(self) -> None:
        """Close all hosts and sessions."""
        for live in list(self._sessions.values()):
            live.close()
        self._hosts.close()
