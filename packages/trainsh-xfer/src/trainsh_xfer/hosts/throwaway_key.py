"""A key for one transfer, in a separate agent on this machine."""

import contextlib
import os
import signal
from pathlib import Path

from trainsh_base.errors import TrainError
from trainsh_base.system import spawn
from trainsh_base.system.proc import missing, run
from trainsh_xfer.remote.library import argv


class ThrowAwayKey:
    """A context manager for a key in an ssh-agent of its own. Only this agent has the private key.

    `public` is the line of the public key. `socket` is the agent's socket, which is in `folder`.
    """

    def __init__(self, mark: str, folder: Path) -> None:
        self.mark = mark
        self.folder = folder
        self.socket = folder / "agent"
        self.public = ""
        self._agent = 0
        self._holder: spawn.Child | None = None

    def __enter__(self) -> "ThrowAwayKey":
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._agent:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._agent, signal.SIGTERM)
        if self._holder:
            self._holder.end()
            self._holder.wait()

    def _start(self) -> None:
        try:
            # ssh-agent exits when its command exits. The command exits when its stdin is closed, as also happens
            # when this process dies.
            self._holder = spawn.start(["ssh-agent", "-a", str(self.socket), *argv("hold_agent")])
        except FileNotFoundError:
            raise missing("ssh-agent") from None
        with os.fdopen(self._holder.stdout, "rb") as said:
            number = said.readline().strip()
        if not number.isdigit():
            raise TrainError("ssh-agent did not start", code="no_agent")
        self._agent = int(number)
        key = self.folder / "key"
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", self.mark, "-f", str(key)])
        run(["ssh-add", "-q", str(key)], env={**os.environ, "SSH_AUTH_SOCK": str(self.socket)})
        self.public = key.with_suffix(".pub").read_text()
        key.unlink()
