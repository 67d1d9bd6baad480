"""A shell on a host, with the functions of `scripts/`, and with a storage's credentials in its environment.

Everything is sent over the shell's standard input, so that no argument list and no file contains a secret. If the
connection is lost, a new one is opened and the request is sent again: to run a request twice does no harm.
"""

import contextlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from trainsh_base.errors import TimedOut, TrainError, Unreachable
from trainsh_base.remote.channel import Ask, Channel, ChannelLost, quote
from trainsh_base.remote.target import Target
from trainsh_base.request import Request
from trainsh_base.system.deadline import Deadline

PATIENCE = 120.0  # seconds for which a lost connection is tried again
SILENCE = 60.0  # seconds without an answer to a short request after which the connection counts as lost
CLEAN_UP = 4.0
OPENINGS = 5


@cache
def script(name: str) -> str:
    """The text of a script in `scripts/`."""
    return (Path(__file__).parent / "scripts" / name).read_text(encoding="utf-8")


def line(*words: object) -> str:
    """A command line for `sh`, with each word quoted."""
    return " ".join(quote(str(word)) for word in words)


class HostShell:
    """A shell on a host, for the transfer `key`.

    `folder` is the transfer's folder on the host, or empty if the home folder there cannot be written to. The host
    has also answered with `home` (the home folder), `system` (the output of `uname -s -m`), and the path (`rclone`)
    and the `version` of its own rclone. These two are empty if it has none.
    """

    scripts: tuple[str, ...] = ("transfer.sh",)

    def __init__(self, target: Target, request: Request, key: str, env: Mapping[str, str]) -> None:
        """Connect. Raises the errors of trainsh_base.remote.ssh."""
        self.target = target
        self._request = request
        self._key = key
        self._env = env
        self.folder = self.home = self.system = self.rclone = self.version = ""
        self._channel = self._open(None)

    def call(self, function: str, *words: object, limit: float = SILENCE) -> list[str]:
        """Call a function of `scripts/transfer.sh`, and return the lines of its answer.

        If the connection is lost, the function is called again over a new one. Raises Cancelled when the request is
        cancelled, and Unreachable when the host cannot be reached for PATIENCE seconds.
        """
        while True:
            try:
                return self._wait(self._channel.ask(line(function, *words)), limit)
            except ChannelLost:
                self._request.emit("log", message=f"lost the connection to {self.target.label}; connecting again")
                self._channel = self._open(Deadline.after(PATIENCE))

    def tidy(self, function: str, *words: object) -> bool:
        """Call a function that cleans up, even if the request was cancelled.

        Returns whether the function answered.
        """
        with contextlib.suppress(TrainError):
            if self._channel.lost:
                self._channel = self._connect(Request(), Deadline.after(CLEAN_UP))
            return bool(self._channel.ask(line(function, *words)).wait(2 * CLEAN_UP))
        return False

    def close(self) -> None:
        """Tell the host that this client no longer needs the transfer, and close the connection."""
        self.tidy("xfer_leave")
        self._channel.close()

    def drop(self) -> None:
        """Close the connection. What runs on the host continues."""
        self._channel.close()

    def _open(self, deadline: Deadline | None) -> Channel:
        """Connect to the host.

        If the connection is cut during the first exchange, try again, at most OPENINGS times in all.
        """
        for _ in range(OPENINGS - 1):
            with contextlib.suppress(ChannelLost):
                return self._connect(self._request, deadline)
            self._request.cancelled.wait(0.5)
        return self._connect(self._request, deadline)

    def _connect(self, request: Request, deadline: Deadline | None) -> Channel:
        channel = Channel(self.target, request, deadline=deadline)
        try:
            for name in self.scripts:
                channel.ask(f"{script(name)}\n")
            channel.ask(f"xfer_no_settings\n{exports(self._env)}")
            for said in channel.ask(line("xfer_hello", self._key)).wait(SILENCE):
                word, _, value = said.partition(" ")
                if word in ("folder", "home", "rclone"):
                    setattr(self, word, value)
                elif word == "platform":
                    self.system = value
                elif word == "version":
                    self.version = value.removeprefix("rclone v")
        except BaseException:
            channel.close()
            raise
        return channel

    def _wait(self, ask: Ask, limit: float) -> list[str]:
        deadline = Deadline.after(limit)
        while True:
            try:
                return ask.wait(0.25)
            except TimedOut:
                self._request.check()
                if deadline.expired:
                    self._channel.close()
                    raise ChannelLost(f"{self.target.label} does not answer") from None


def exports(env: Mapping[str, str]) -> str:
    """The commands that set `env` in a shell."""
    return "\n".join(f"export {key}={quote(value)}" for key, value in env.items()) or ":"


def out_of_reach(label: str, error: TrainError) -> Unreachable:
    """The error for a host that could not be reached again while rclone runs there."""
    return Unreachable(
        f"the connection to {label} was lost ({error.message}); the transfer continues there",
        "to see its result: run the command again", code="connection_lost",
    )  # fmt: skip
