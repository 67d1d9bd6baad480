"""Copies from one host to another: the key, the forwarded agent, the line in authorized_keys, the connection."""

import os
import shutil
from pathlib import Path

from trainsh_base.errors import CredentialError, RemoteError, TrainError
from trainsh_base.remote.control_socket import master_pid
from trainsh_base.remote.ssh_config import chosen
from trainsh_base.request import Request
from trainsh_base.system.proc import ProcessFailed, run
from trainsh_xfer.engines.rsync import Remote
from trainsh_xfer.hosts import pair_scripts
from trainsh_xfer.hosts.machines import Connection, rsync_at, shell_option
from trainsh_xfer.hosts.throwaway_key import ThrowAwayKey
from trainsh_xfer.remote.library import for_shell


class Pair:
    """A context in which the `source` host can log in to the `destination` host. At its end both are as before."""

    def __init__(self, source: Connection, destination: Connection, request: Request) -> None:
        self.source = source
        self.destination = destination
        self._request = request
        self._mark = f"trainsh-xfer-{os.urandom(6).hex()}"
        self._key = ThrowAwayKey(self._mark)
        self._folder = ""
        self._agent = ""
        self._forwarded: dict[str, int | None] = {}
        self._port = 0
        self._number = 0

    def __enter__(self) -> "Pair":
        self._key.__enter__()
        try:
            self._prepare()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        try:
            if self._folder:
                self._tidy(self.destination, pair_scripts.forbidding(self._mark))
                self._tidy(self.source, pair_scripts.cleaning(self._folder))
        finally:
            self._key.__exit__()

    def _tidy(self, connection: Connection, command: str) -> None:
        """Run `command` even if the request was cancelled, which is why it uses a new request."""
        try:
            Connection(connection.target, Request()).run(command)
        except TrainError as error:
            self._request.emit(
                "log",
                message=f"clean-up failed ({error.message}): the key is gone, its line there expires within 1h",
            )

    def _prepare(self) -> None:
        self.source.open()
        self.destination.open()
        settings = {key: values[0] for key, values in chosen(self.destination.target).items()}
        self.address = pair_scripts.address(settings)
        self.direct = self.address.direct
        introduced = pair_scripts.answers(self.destination.run(pair_scripts.introducing()))
        self._place = pair_scripts.server_place((introduced.get("connection") or [""])[-1])
        keys = pair_scripts.known_hosts(_trusted(settings) or introduced.get("key", []))
        if not keys:
            raise RemoteError(f"{self.destination.target.label} does not show its host key", code="no_host_key")
        self.rsync = rsync_at(self.source)
        found = pair_scripts.answers(self.source.run(pair_scripts.preparing(keys))).get("folder")
        if not found:
            raise RemoteError(f"cannot make a temporary folder on {self.source.target.label}", code="no_folder")
        self._folder = found[-1]

    @property
    def label(self) -> str:
        """Both hosts, for messages."""
        return f"{self.source.target.label} to {self.destination.target.label}"

    def detour(self) -> bool:
        """Route the data through this machine from now on; returns False if it already does."""
        if not self.direct:
            return False
        self.direct = False
        return True

    def remote(self, program: str) -> Remote:
        """How the source's rsync reaches the destination. Lost forwardings are set up again."""
        if not self.direct and not self._port:
            self._request.emit(
                "log", message=f"no direct connection from {self.label}: the data goes through this machine"
            )
        self._forward()
        host, port = (self.address.host, self.address.port) if self.direct else ("127.0.0.1", self._port)
        words = pair_scripts.login_words(self.address.user, port, self._folder, self._agent)
        return self.source.dressed(words, bracketed(host), program)

    def noted(self, program: str) -> Remote:
        """A stand-in for ssh that connects nowhere and records the command that the destination would run."""
        dressed = self.source.dressed([], "there", program)
        return Remote(shell_option(["sh", f"{self._folder}/note"]), dressed.host, dressed.program)

    def allow(self, noting: str) -> None:
        """Run `noting` (an rsync that uses `noted`) at the source, and allow the key to run the recorded
        command."""
        command = (
            self.source.run(f"{noting}; cat {for_shell(self._folder)}/command").rstrip("\n").rsplit("\n", 1)[-1]
        )
        if "--server" not in command:
            raise RemoteError(f"rsync on {self.source.target.label} did not start: {command}", code="rsync_failed")
        clock = pair_scripts.answers(self.destination.run(pair_scripts.introducing())).get("clock", [""])[-1]
        line = pair_scripts.key_line(self._key.public, command, clock)
        if "allowed" not in self.destination.run(pair_scripts.allowing(line, self._mark)):
            raise CredentialError(
                f"cannot write ~/.ssh/authorized_keys on {self.destination.target.label}", code="cannot_allow"
            )

    def _forward(self) -> None:
        """Forward the agent to the source and, for a detour, a port on it that leads to the destination."""
        if self._lost(self.source):
            self._number += 1
            self._agent = f"agent{self._number}"
            forward(self.source, "-R", f"{self._folder}/{self._agent}:{self._key.socket}")
            self._forwarded[self.source.path] = master_pid(self.source.path)
            self._port = 0
        if self.direct:
            return
        tunnel = self._key.folder / "tunnel"
        if self._lost(self.destination) or not tunnel.exists():
            tunnel.unlink(missing_ok=True)
            host, port = self._place or ("127.0.0.1", 22)
            forward(self.destination, "-L", f"{tunnel}:{bracketed(host)}:{port}")
            self._forwarded[self.destination.path] = master_pid(self.destination.path)
        if not self._port:
            self._port = int(forward(self.source, "-R", f"127.0.0.1:0:{tunnel}") or 0)

    def _lost(self, connection: Connection) -> bool:
        connection.open()
        return self._forwarded.get(connection.path) != master_pid(connection.path)


def forward(connection: Connection, kind: str, what: str) -> str:
    """Ask the ssh master of a connection for a forwarding. Returns its output: for port 0, the port it chose."""
    target = connection.target
    words = [target.argv[0], "-S", connection.path, "-O", "forward", kind, what, *target.argv[1:]]
    try:
        return run(words, env=target.environment()).text().strip()
    except ProcessFailed as error:
        raise RemoteError(
            f"{target.label} refuses a forwarding that copying between hosts needs: {error.message}",
            "copy to this machine first, then to the other host", code="no_forwarding",
        ) from None  # fmt: skip


def bracketed(host: str) -> str:
    """A host address for use before a colon and port: an IPv6 address gets brackets."""
    return f"[{host}]" if ":" in host else host


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
