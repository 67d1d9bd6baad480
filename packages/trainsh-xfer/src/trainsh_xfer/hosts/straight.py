"""The straight copy between two hosts: the source logs in to the destination with a key for this transfer."""

import shutil
from pathlib import Path

from trainsh_base.errors import CredentialError, RemoteError, UsageError
from trainsh_base.remote.control_socket import master_pid
from trainsh_base.system.proc import ProcessFailed, run
from trainsh_xfer.engines.rsync import Remote
from trainsh_xfer.hosts import pair_scripts
from trainsh_xfer.hosts.machines import Connection
from trainsh_xfer.hosts.pair_scripts import Address
from trainsh_xfer.hosts.throwaway_key import ThrowAwayKey


class Straight:
    """A context manager with an ssh key for one transfer.

    The method `remote` authorizes the key, and returns how the source's rsync uses the key.
    """

    def __init__(
        self, source: Connection, destination: Connection, address: Address, *, mark: str, here: Path, there: str
    ) -> None:
        """`here` and `there` are the private folders of the transfer on this machine and at the source."""
        self._source, self._destination = source, destination
        self._address = address
        self._mark, self._there = mark, there
        self._key = ThrowAwayKey(mark, here)
        self._number = 0
        self._forwarded: int | None = None

    def __enter__(self) -> "Straight":
        self._key.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._key.__exit__()

    def remote(self, command: str, program: str) -> Remote:
        """Allow the key to run `command` at the destination.

        Return how the source's rsync reaches the destination. Raises CredentialError, RemoteError or UsageError if
        the destination or ssh cannot do this.
        """
        clock = pair_scripts.answers(self._destination.run(pair_scripts.introducing())).get("clock", [""])[-1]
        if not clock.isdigit():
            raise RemoteError(f"{self._destination.target.label} did not print its time", code="no_clock")
        line = pair_scripts.key_line(self._key.public, command, clock)
        if "allowed" not in self._destination.run(pair_scripts.allowing(line, self._mark, clock)):
            raise CredentialError(
                f"cannot write ~/.ssh/authorized_keys on {self._destination.target.label}", code="cannot_allow"
            )
        agent = self._forward()
        words = pair_scripts.login_words(self._address.user, self._address.port, self._there, agent)
        return self._source.dressed(words, bracketed(self._address.host), program)

    def _forward(self) -> str:
        """Forward the agent's socket to the source, and return the name of the socket there.

        If the connection was lost, the socket is forwarded again.
        """
        self._source.open()
        master = master_pid(self._source.path)
        if self._forwarded != master:
            self._number += 1
            forward(self._source, f"{self._there}/agent{self._number}:{self._key.socket}")
            self._forwarded = master
        return f"agent{self._number}"


def forward(connection: Connection, what: str) -> None:
    """Have the ssh master of a connection forward a socket. `what` is REMOTE:LOCAL.

    Raises RemoteError if the master refuses.
    """
    target = connection.target
    words = [target.argv[0], "-S", connection.path, "-O", "forward", "-R", what, *target.argv[1:]]
    try:
        run(words, env=target.environment())
    except ProcessFailed as error:
        raise RemoteError(f"{target.label} refuses a forwarding: {error.message}", code="no_forwarding") from None


def bracketed(host: str) -> str:
    """A host's address in a form that may stand before a colon: an IPv6 address gets brackets."""
    return f"[{host}]" if ":" in host else host


def host_keys(settings: dict[str, str], destination: Connection) -> list[str]:
    """Lines of known_hosts for the destination: the keys that this machine trusts.

    Without any, the keys that the host itself shows. Raises UsageError if there are no keys.
    """
    shown = pair_scripts.answers(destination.run(pair_scripts.introducing())).get("key", [])
    keys = pair_scripts.known_hosts(_trusted(settings) or shown)
    if not keys:
        raise UsageError(f"{destination.target.label} did not print its host key", code="no_host_key")
    return keys


def _trusted(settings: dict[str, str]) -> list[str]:
    """The destination's host keys that this machine trusts."""
    port, host = settings.get("port", "22"), settings.get("hostname", "")
    name = settings.get("hostkeyalias") or (host if port == "22" else f"[{host}]:{port}")
    found: list[str] = []
    for part in f"{settings.get('userknownhostsfile', '')} {settings.get('globalknownhostsfile', '')}".split():
        path = Path(part).expanduser()
        if path.is_file() and shutil.which("ssh-keygen"):
            found += run(["ssh-keygen", "-F", name, "-f", str(path)], check=False).text().splitlines()
    return found
