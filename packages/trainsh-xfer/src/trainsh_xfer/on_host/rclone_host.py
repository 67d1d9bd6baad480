"""Runs rclone on a host. A short command waits for its result. A run continues when the connection is lost."""

import hashlib
import random

from trainsh_base.errors import Cancelled, Terminated, TrainError, Unreachable
from trainsh_base.remote import rclone as installed
from trainsh_base.request import Request
from trainsh_xfer.engines.rclone_output import Hopeless, Log
from trainsh_xfer.engines.rclone_program import LESS_SERIOUS, MISSING, RcloneProgram
from trainsh_xfer.on_host.host_shell import HostShell, out_of_reach, script

LINES = 4000  # the most lines of the log in one answer
FIRST_PAUSE, PAUSE = 0.05, 0.5
MOST_DEATHS = 2  # how many times in a row a killed rclone is started again
START_LIMIT = 30.0
# seconds, a long time: the checksum of a large file or the listing of a large bucket may take this long
ASK_LIMIT = 3600.0
HANGUP = 129


class HostRclone(RcloneProgram):
    """The rclone `program` on the host of `shell`.

    `umask` decides which permissions the files get that rclone writes there.
    """

    def __init__(self, shell: HostShell, program: str, label: str, request: Request, umask: str) -> None:
        self.shell = shell
        self.program = program
        self.label = label
        self._request = request
        self._umask = umask

    def ask(self, words: list[str]) -> bytes | None:
        """Run a short command on the host and return its output."""
        output, said, status = [], [], 1
        for row in self.shell.call("xfer_ask", *words, limit=ASK_LIMIT):
            kind, _, text = row.partition(" ")
            if kind == "O":
                output.append(text + "\n")
            elif kind == "E":
                said.append(text)
            elif kind == "S":
                status = int(text) if text.isdigit() else 1
        if status in MISSING:
            return None
        if status != 0 and not (status == LESS_SERIOUS and output):
            raise self.error(status, installed.last_line("\n".join(said)))
        return "".join(output).encode(errors="surrogateescape")

    def run(self, words: list[str], log: Log) -> None:
        """Run rclone on the host to its end.

        If a run that an earlier call started is still running, follow that run instead. A cancel ends rclone on the
        host. If this process is killed or the connection is lost, rclone continues. An rclone that was killed is
        started again, up to MOST_DEATHS times in a row.
        """
        words = [word for word in words if not word.startswith("--log-file=")]
        name = hashlib.sha256("\0".join(words).encode(errors="surrogateescape")).hexdigest()[:16]
        for deaths in range(MOST_DEATHS + 1):
            status = self._run_once(name, words, log)
            if status == 0:
                return
            if status is not None and status < 128:
                raise self.failure(status, "", log)
            if deaths < MOST_DEATHS:
                self._request.emit(
                    "log", message=f"{self.shell.target.label}: rclone was killed; starting it again"
                )
            log.restart()
        raise TrainError(
            f"{self.shell.target.label}: rclone was killed",
            "out of memory? to continue: run the command again",
            code="killed",
        )

    def _run_once(self, name: str, words: list[str], log: Log) -> int | None:
        """Start the run, or find it running, and follow it. Return its exit status, or None if the run was lost."""
        try:
            said = self.shell.call("xfer_start", name, script("keeper.sh"), self._umask, *words)
            if "found" in said:
                self._request.emit(
                    "log", message=f"this transfer runs on {self.shell.target.label} already: waiting for it"
                )
            elif "started" not in said:
                raise TrainError(
                    f"cannot start rclone on {self.shell.target.label}", "is its disk full?", code="cannot_start"
                )
            state = self._follow(name, log)
        except Cancelled:
            if not self._request.abandoned:
                self._end(name)
            raise
        except Terminated as signal:
            if signal.status != HANGUP:
                self._end(name)
            raise
        except KeyboardInterrupt:
            self._end(name)
            raise
        except Hopeless as error:
            self._end(name)
            raise self.error(1, error.said) from None
        except Unreachable as error:
            raise out_of_reach(self.shell.target.label, error) from None
        self.shell.tidy("xfer_collect", name)
        log.finish()
        return int(state) if state.isdigit() else None

    def _follow(self, name: str, log: Log) -> str:
        line, pause, starting = 1, FIRST_PAUSE, 0.0
        while True:
            state, lines = "lost", 0
            for row in self.shell.call("xfer_poll", name, line + lines, LINES):
                kind, _, text = row.partition(" ")
                if kind == "S":
                    state = text
                else:
                    lines += kind == "L"
                    log.feed(text.encode(errors="surrogateescape") + b"\n")
            line += lines
            starting = starting + pause if state == "starting" else 0.0
            if lines < LINES and state not in ("running", "starting"):
                return state
            if starting > START_LIMIT:
                return "lost"
            if lines < LINES:
                self._request.cancelled.wait(pause * random.uniform(0.9, 1.1))
                pause = min(pause * 1.5, PAUSE)
            self._request.check()

    def _end(self, name: str) -> None:
        if not self.shell.tidy("xfer_cancel", name):
            label = self.shell.target.label
            self._request.emit("log", message=f"{label} does not answer: the transfer may continue there")
