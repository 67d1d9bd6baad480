"""Copies from one host straight to another. If that fails, copies through this machine.

Nothing but the copy stays on the hosts.
"""

import os
import shlex
from collections.abc import Callable
from contextlib import ExitStack

from trainsh_base.errors import Cancelled, RemoteError, TrainError
from trainsh_base.remote.ssh_config import chosen
from trainsh_base.request import Request
from trainsh_xfer.engines.rsync import Remote
from trainsh_xfer.hosts import janitor, pair_scripts, server_command
from trainsh_xfer.hosts.machines import PATIENCE, Connection, marked, quiet, rsync_at, shell_option
from trainsh_xfer.hosts.scratch import private_folder
from trainsh_xfer.hosts.straight import Straight, host_keys
from trainsh_xfer.remote.library import argv, for_shell

# A function that returns the command line of the source's rsync. Its argument is a Remote.
Line = Callable[[Remote], str]


class Pair:
    """A context manager. While it is open, the `source` host can copy to the `destination` host."""

    def __init__(self, source: Connection, destination: Connection, request: Request) -> None:
        self.source = source
        self.destination = destination
        self._request = request
        self._mark = f"trainsh-xfer-{os.urandom(6).hex()}"
        self._stack = ExitStack()
        self._straight: Straight | None = None

    def __enter__(self) -> "Pair":
        try:
            self._prepare()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _prepare(self) -> None:
        self.source.open()
        self.destination.open()
        self.rsync = rsync_at(self.source)
        self._here = self._stack.enter_context(private_folder())
        cleaning, forbidding = pair_scripts.cleaning(self._mark), pair_scripts.forbidding(self._mark)
        clean_up = [
            self.destination.words(forbidding), self.source.words(cleaning), ["rm", "-rf", "--", str(self._here)]
        ]  # fmt: skip
        self._stack.enter_context(janitor.watching([shlex.join(words) for words in clean_up]))
        settings = {key: values[0] for key, values in chosen(self.destination.target).items()}
        address = pair_scripts.address(settings)
        keys, why = self._keys(settings) if address.direct else ([], "no direct way")
        self._stack.callback(self._tidy, self.source, cleaning)
        found = pair_scripts.answers(self.source.run(pair_scripts.preparing(self._mark, keys))).get("folder")
        if not found:
            raise RemoteError(f"cannot make a temporary folder on {self.source.target.label}", code="no_folder")
        self._folder = found[-1]
        why = why or self._make_key(address)
        if why:
            self._tell(why)

    def _keys(self, settings: dict[str, str]) -> tuple[list[str], str]:
        """Return (the destination's host keys for the straight copy, the reason why there are none or "")."""
        try:
            return host_keys(settings, self.destination), ""
        except TrainError as error:
            return [], error.message

    def _make_key(self, address: pair_scripts.Address) -> str:
        """Make the key for the straight copy. Return the reason if this failed, else ""."""
        way = Straight(self.source, self.destination, address, mark=self._mark, here=self._here, there=self._folder)
        try:
            self._straight = self._stack.enter_context(way)
        except Cancelled:
            raise
        except TrainError as error:
            return error.message
        self._stack.callback(self._tidy, self.destination, pair_scripts.forbidding(self._mark))
        return ""

    def _tidy(self, connection: Connection, command: str) -> None:
        """Run `command` in a new request, so that it runs even if the transfer's request was cancelled."""
        try:
            Connection(connection.target, Request()).run(command)
        except TrainError as error:
            self._request.emit(
                "log",
                message=f"clean-up failed ({error.message}); a temporary key may be left, and expires within 1h",
            )

    @property
    def label(self) -> str:
        """Both hosts, for messages."""
        return f"{self.source.target.label} to {self.destination.target.label}"

    @property
    def is_straight(self) -> bool:
        """Whether the data goes straight from host to host, and not through this machine."""
        return self._straight is not None

    def detour(self, why: str) -> bool:
        """Send the data through this machine from now on. Return False if it goes through this machine already."""
        if self._straight is None:
            return False
        self._straight = None
        self._tell(why)
        return True

    def _tell(self, why: str) -> None:
        self._request.emit("log", message=f"{self.label}: {why}; the data goes through this machine")

    def words(self, line: Line, program: str, path: str, *, secluded: bool) -> list[str]:
        """The argv that copies to `path` at the destination. The destination runs `program` as its rsync."""
        if self._straight is None:
            return self._joined(line, self._noted(line, program, path, secluded=secluded), program)
        try:
            dressed = self.source.dressed([], "there", program).program
            remote = self._straight.remote(self._noted(line, dressed, path, secluded=secluded), program)
        except Cancelled:
            raise
        except TrainError as error:
            self.detour(error.message)
            return self.words(line, program, path, secluded=secluded)
        return self.source.words(line(remote))

    def _noted(self, line: Line, program: str, path: str, *, secluded: bool) -> str:
        """The command that the source's rsync would run at the destination.

        To get this command, the source's rsync is run with a script in place of ssh, which records the command.
        """
        noting = line(self._stand_in("note", program))
        said = self.source.run(f"{noting}; cat {for_shell(f'{self._folder}/command')}").rstrip("\n")
        command = said.rsplit("\n", 1)[-1] if not secluded else said[said.rfind(program) :]
        return server_command.checked(command, program, path, secluded=secluded)

    def _joined(self, line: Line, command: str, program: str) -> list[str]:
        """The argv that runs rsync on both hosts and passes the data between them through this machine."""
        self.destination.open(PATIENCE)
        self.source.run(pair_scripts.piping(self._folder))
        bridge = quiet(self.source.words(pair_scripts.bridging(self._folder, self._mark)), self._mark)
        receiver = quiet(self.destination.words(marked(command, self._mark)), self._mark)
        sender = self.source.words(line(self._stand_in("join", program)))
        return argv("join_hosts", str(self._here), shlex.join(bridge), shlex.join(receiver), *sender)

    def _stand_in(self, name: str, program: str) -> Remote:
        return Remote(shell_option(["sh", f"{self._folder}/{name}"]), "there", program)

    def find_room(self) -> None:
        """Wait for a free channel on each connection that is in use, because a host has refused a channel."""
        self.source.find_room()
        if self._straight is None:
            self.destination.find_room()
