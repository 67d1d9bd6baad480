"""Starts the checkpoint pump on a host, asks about its state, and stops it.

Each entry of the followed folder is one checkpoint.
"""

import hashlib
import time
from pathlib import Path

import msgspec

from trainsh_base.errors import RemoteError, TrainError
from trainsh_base.remote import rclone as installed
from trainsh_base.remote.target import Target
from trainsh_base.request import Request
from trainsh_base.system.files import write_atomic
from trainsh_base.system.paths import state_home
from trainsh_xfer.engines.rclone import PATIENCE, S3, TRANSFERS
from trainsh_xfer.model import Following
from trainsh_xfer.on_host.host_shell import HostShell, script

LOOK_EVERY = 0.3


class PumpShell(HostShell):
    """A shell on the host of a pump, with the functions of `follow.sh`."""

    scripts = ("transfer.sh", "follow.sh")


class Pump(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of a pump, without secrets, as this machine stores them.

    `source` is a path on the host, and `remote` is rclone's name of the destination. Neither has a slash at its
    end. If `keep` is 0, all copies are kept. `asked` has the source and the destination as the user wrote them.
    `job` may be empty. `key` is the name of the pump's folder on the host. `last` is the last state that the host
    reported.
    """

    key: str
    source: str
    remote: str
    asked: tuple[str, str]
    host: str
    target: Target
    job: str
    keep: int
    every: int
    settle: int
    match: str
    last: Following | None = None

    def words(self, program: str) -> list[str]:
        """The arguments of `scripts/pump.sh` that come after the run's folder."""
        server = f"train-{self.job}" if self.job else ""
        options = [*PATIENCE, *S3, f"--transfers={TRANSFERS}", "--stats=0", "--log-level=ERROR"]
        numbers = (str(self.keep), str(self.every), str(self.settle))
        return [program, self.source, self.remote, *numbers, self.match, server, *options]


def key_of(target: Target, source: str, remote: str) -> str:
    """The name of the pump's folder on the host.

    It depends on source and destination, because each such pair has its own pump.
    """
    parts = [*target.argv, source.rstrip("/"), remote]
    return "follow-" + hashlib.sha256("\0".join(parts).encode(errors="surrogateescape")).hexdigest()[:16]


def start(pump: Pump, shell: PumpShell, program: str, *, last: bool = False) -> bool:
    """Start the pump with the rclone `program`, and save the settings on this machine.

    Return whether it was running already. With `last`, the pump does one round and ends. Raises RemoteError if the
    host does not start the pump.
    """
    asked = msgspec.json.encode([*pump.words(program), last]).decode()
    remember(pump)
    said = shell.call("xfer_follow", asked, script("pump.sh"), "last" if last else "", *pump.words(program))
    if "found" not in said and "started" not in said:
        raise RemoteError(
            f"the copying could not be started on {pump.host}", "is its disk full?", code="cannot_start"
        )
    return "found" in said


def look(pump: Pump, shell: PumpShell) -> tuple[Following, bool]:
    """The pump's state, and whether the pump has completed at least one round.

    If the host does not know the pump, the state is `lost`, unless the pump had ended when the host was last asked.
    """
    said = dict(row.partition(" ")[::2] for row in shell.call("xfer_following"))
    state = said.get("state", "lost")
    if state == "none" and pump.last:
        return remembered_state(pump, "ended" if pump.last.state == "ended" else "lost"), False
    age = said.get("age", "")
    found = {
        **named(pump), "state": "lost" if state == "none" else state, "newest": said.get("newest"),
        "written": time.time() - float(age) if age else None, "age": float(age) if age else None,
        "kept": int(said.get("kept", "0").strip() or 0), "failed": installed.last_line(said.get("failed", "")),
    }  # fmt: skip
    return msgspec.convert(found, Following), "rounds" in said


def remembered_state(pump: Pump, state: str, message: str = "") -> Following:
    """The last report of the pump that this machine has stored, but with the given `state` and `message`."""
    last = pump.last or msgspec.convert({**named(pump), "state": "lost"}, Following)
    age = time.time() - last.written if last.written is not None else None
    values = {**msgspec.structs.asdict(last), "state": state, "age": age, "message": message}
    return msgspec.convert(values, Following)


def named(pump: Pump) -> dict[str, str]:
    """The fields of a Following that identify its pump."""
    return {"source": pump.asked[0], "destination": pump.asked[1], "host": pump.host, "job": pump.job}


def wait_for(pump: Pump, shell: PumpShell, request: Request, *, end: bool) -> Following:
    """Wait until the pump has completed a round or, with `end`, until the pump has ended.

    Raises `lost` if it was killed.
    """
    while True:
        found, round_over = look(pump, shell)
        if found.state == "lost":
            raise TrainError(
                f"the process that copies {pump.asked[0]} on {pump.host} was killed",
                "to start it again: run the command again",
                code="lost",
            )
        if found.state == "ended" or (round_over and not end):
            return found
        request.cancelled.wait(LOOK_EVERY)
        request.check()


def _file(key: str) -> Path:
    return state_home() / "follows" / f"{key}.json"


def remember(pump: Pump) -> None:
    """Save the settings of the pump in a file on this machine, so that `status` finds the pump."""
    write_atomic(_file(pump.key), msgspec.json.encode(pump))


def forget(pump: Pump) -> None:
    """Delete the file that `remember` wrote for the pump."""
    _file(pump.key).unlink(missing_ok=True)


def known(key: str) -> Pump | None:
    """The pump with this key, or None if it was not started from this machine."""
    return next((one for one in remembered("") if one.key == key), None)


def remembered(job: str) -> list[Pump]:
    """The pumps of one job that were started from this machine, or all of them if `job` is empty."""
    found = []
    for path in sorted((state_home() / "follows").glob("*.json")):
        try:
            found.append(msgspec.json.decode(path.read_bytes(), type=Pump))
        except (msgspec.DecodeError, OSError):
            continue  # another version has written this file, or it was just deleted
    return [pump for pump in found if not job or pump.job == job]
