"""An rclone and its errors. This rclone runs on this machine; a subclass in `on_host` runs one on a host."""

from collections.abc import Mapping

import msgspec

from trainsh_base.errors import RemoteError, TimedOut, TrainError, Unreachable
from trainsh_base.remote import rclone as installed
from trainsh_base.request import Request
from trainsh_base.system.proc import run
from trainsh_xfer.engines import rclone
from trainsh_xfer.engines.process import stream
from trainsh_xfer.engines.rclone_output import Hopeless, Log
from trainsh_xfer.remote.library import argv

SHOWN = 10
LOOK_LIMIT = 120.0  # seconds within which rclone must tell what is at one path
MISSING = (3, 4)  # rclone's exit statuses if there is no such folder or no such file
# rclone's exit status for a listing that is complete except for what cannot be read, such as a link without a
# target
LESS_SERIOUS = 6


class Row(msgspec.Struct):
    """A row of `rclone lsjson`, with rclone's own field names."""

    Name: str
    IsDir: bool


class RcloneProgram:
    """An rclone that has the storages of one transfer in its environment.

    `label` names these storages in messages.
    """

    program: str
    label: str

    def ask(self, words: list[str]) -> bytes | None:
        """Run a short command and return its output, or None when the folder or file does not exist."""
        raise NotImplementedError

    def run(self, words: list[str], log: Log) -> None:
        """Run rclone to its end and parse its log. Raises a typed error if it fails."""
        raise NotImplementedError

    def rows(self, place: str) -> list[Row]:
        """The rows of a folder. The list is empty when the folder does not exist."""
        answer = self.ask(rclone.listing(self.program, place))
        return msgspec.json.decode(answer, type=list[Row]) if answer else []

    def look(self, place: str) -> Row | None:
        """The row of a path, or None when nothing is there.

        A folder in a bucket exists only while it is not empty.
        """
        answer = self.ask(rclone.stat(self.program, place))
        row = msgspec.json.decode(answer, type=Row | None) if answer else None
        return None if row and row.IsDir and not self.rows(place) else row

    def error(self, status: int, said: str) -> TrainError:
        """The error for an exit status of rclone and rclone's message `said`."""
        return installed.error_for(status, said, self.label)

    def failure(self, status: int, said: str, log: Log) -> TrainError:
        """The error for a failed run. If only some files were not copied, the error lists these files."""
        error = self.error(status, log.said or said)
        error.data["moved"] = log.bytes
        if error.code == "no_bucket" and not log.files:
            return error
        if not log.failures or error.exit_status not in (TrainError.exit_status, RemoteError.exit_status, 3):
            return error
        rows = [f"{name}: {why}" for name, why in list(log.failed.items())[:SHOWN]]
        more = f"\nand {log.failures - SHOWN} more" if log.failures > SHOWN else ""
        files = "1 file was" if log.failures == 1 else f"{log.failures} files were"
        full = error.code == "full"
        return TrainError(
            f"{files} not copied; the others were:\n" + "\n".join(rows) + more,
            error.hint if full else "run the command again: files that have arrived are not sent again",
            code="full" if full else "partial", data={"files": log.failed},
        )  # fmt: skip


class LocalRclone(RcloneProgram):
    """The rclone on this machine."""

    def __init__(self, label: str, env: Mapping[str, str], request: Request, *, own_config: bool) -> None:
        """Raises MissingProgram when rclone is not installed."""
        self.program = installed.program()
        self.label = label
        self._request = request
        self._env = installed.environment(env, own_config=own_config)

    def ask(self, words: list[str]) -> bytes | None:
        """Run a short command and return its output."""
        limit = LOOK_LIMIT if "--stat" in words and "--hash" not in words else None
        try:
            done = run(words, env=self._env, check=False, timeout=limit)
        except TimedOut:
            raise Unreachable(f"{self.label} does not answer", code="unreachable") from None
        if done.status in MISSING:
            return None
        if done.status != 0 and not (done.status == LESS_SERIOUS and done.stdout):
            raise self.error(done.status, installed.last_line(done.stderr.decode(errors="replace")))
        return done.stdout

    def run(self, words: list[str], log: Log) -> None:
        """Run rclone to its end and parse its log."""
        try:
            ended = stream(argv("end_with_parent", *words), log.feed, self._request, env=self._env, tied=True)
        except Hopeless as error:
            raise self.error(1, error.said) from None
        log.finish()
        if ended.status != 0:
            raise self.failure(ended.status, installed.last_line(ended.stderr), log)
