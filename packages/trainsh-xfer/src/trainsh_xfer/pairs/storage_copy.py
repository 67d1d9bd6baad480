"""A transfer to, from or between storages: rclone on this machine."""

import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from trainsh_base.errors import RemoteError, TrainError, UsageError
from trainsh_base.remote import rclone as installed
from trainsh_base.request import Request
from trainsh_base.system.proc import run
from trainsh_xfer.endpoints.file_names import shown
from trainsh_xfer.endpoints.places import InStorage, Place
from trainsh_xfer.engines import rclone, rclone_filters
from trainsh_xfer.engines.process import stream
from trainsh_xfer.engines.rclone_output import Log
from trainsh_xfer.model import Change, Options, Order, Result
from trainsh_xfer.pairs import storage_sources
from trainsh_xfer.pairs.attempts import reporter
from trainsh_xfer.pairs.relay import over_sftp
from trainsh_xfer.pairs.storage_sources import Piece, Row

SHOWN = 10
Side = Place | InStorage


class Rclone:
    """The rclone on this machine, with the storages of one transfer in its environment."""

    def __init__(self, source: Side, destination: Side, request: Request) -> None:
        """Raises MissingProgram when rclone is not installed."""
        storages = [side.storage for side in (source, destination) if isinstance(side, InStorage)]
        self.program = installed.program()
        self.label = " or ".join(storage.label for storage in storages)
        self._request = request
        own = any(storage.own_config for storage in storages)
        env = {key: value for storage in storages for key, value in storage.env.items()}
        self._env = installed.environment(env, own_config=own)

    def ask(self, words: list[str]) -> bytes | None:
        """The output of a short command; None when the folder or file does not exist."""
        done = run(words, env=self._env, check=False)
        if done.status in (3, 4):
            return None
        if done.status != 0:
            raise self.error(done.status, installed.last_line(done.stderr.decode(errors="replace")))
        return done.stdout

    def rows(self, place: str) -> list[Row]:
        """The rows of a folder; empty when the folder does not exist."""
        answer = self.ask(rclone.listing(self.program, place))
        return msgspec.json.decode(answer, type=list[Row]) if answer else []

    def look(self, place: str) -> Row | None:
        """The row of a path; None when nothing is there. A folder of a bucket exists when it is not empty."""
        answer = self.ask(rclone.stat(self.program, place))
        row = msgspec.json.decode(answer, type=Row | None) if answer else None
        return None if row and row.IsDir and not self.rows(place) else row

    def run(self, words: list[str], log: Log) -> None:
        """Run rclone to its end and parse its log. Raises a typed error when it fails."""
        ended = stream(words, log.feed, self._request, env=self._env)
        log.finish()
        if ended.status != 0:
            raise self._failure(ended.status, ended.stderr, log)

    def _failure(self, status: int, stderr: str, log: Log) -> TrainError:
        error = self.error(status, log.said or installed.last_line(stderr))
        if not log.failures or error.exit_status not in (RemoteError.exit_status, 3):
            return error
        rows = [f"{name}: {why}" for name, why in list(log.failed.items())[:SHOWN]]
        more = f"\nand {log.failures - SHOWN} more" if log.failures > SHOWN else ""
        files = "1 file was" if log.failures == 1 else f"{log.failures} files were"
        return TrainError(
            f"{files} not copied, the others were:\n" + "\n".join(rows) + more,
            "run it again: what has arrived is not sent again", code="partial", data={"files": log.failed},
        )  # fmt: skip

    def error(self, status: int, said: str) -> TrainError:
        """The error for an exit status and message."""
        return installed.error_for(status, said, self.label)


def carry_out(order: Order, source: Side, destination: Side, request: Request) -> Result:
    """Copy, verify and move as `order` asks. Raises the errors of the storages, and `partial` when some files
    failed."""
    started = time.monotonic()
    source, destination = over_sftp(source, "SRC", request), over_sftp(destination, "DST", request)
    program = Rclone(source, destination, request)
    options = order.options
    found = (
        storage_sources.stored(source, program.rows, program.look)
        if isinstance(source, InStorage)
        else storage_sources.local(source)
    )
    storage_sources.check(found, destination, options)
    runs = storage_sources.pieces(found, destination, lambda: _is_folder(destination, program))
    same = next((one for one in runs if one.source == one.destination), None)
    if same:
        raise UsageError(f"source and destination are the same: {same.source}", code="same_place")
    logs = [_copied(program, one, order, request) for one in runs]
    return Result(
        source=shown(order.source), destination=shown(order.destination),
        files=sum(log.files for log in logs), bytes=sum(log.bytes for log in logs),
        sent=sum(log.bytes for log in logs), deleted=sum(log.deleted for log in logs),
        seconds=round(time.monotonic() - started, 3), dry_run=options.dry_run,
        verified=order.verify and not options.dry_run,
        changes=[change for log in logs for change in log.changes], warnings=[],
    )  # fmt: skip


def _is_folder(place: Side, program: Rclone) -> bool:
    if isinstance(place, InStorage):
        if not place.path.strip("/"):
            return True
        row = program.look(place.storage.at(place.path))
        return row is not None and row.IsDir
    return Path(place.path).is_dir()


def _copied(program: Rclone, piece: Piece, order: Order, request: Request) -> Log:
    options = order.options
    careful = order.verify and not options.dry_run
    first = msgspec.structs.replace(options, move=False) if careful else options
    log = _run(program, piece, first, request)
    if careful:
        request.emit("log", message="verifying by checksum")
        _verify(program, piece, options)
        if options.move:
            _run(program, piece, options, request)
    return log


def _run(program: Rclone, piece: Piece, options: Options, request: Request) -> Log:
    log = Log(keep=options.dry_run, on_progress=reporter(request))
    filters = rclone_filters.rules(options.include, options.exclude, piece.name)
    words = rclone.copy(
        program.program, options, piece.source, piece.destination,
        filters=[] if piece.one_file else filters, one_file=piece.one_file,
    )  # fmt: skip
    program.run(words, log)
    if options.dry_run:
        log.changes[:] = _told_apart(log.changes, program, piece)
        log.deleted = sum(change.action == "delete" for change in log.changes)
    return log


def _told_apart(changes: list[Change], program: Rclone, piece: Piece) -> list[Change]:
    """The changes of a dry run, with `create` for each file that is missing at the destination."""
    answer = program.ask(rclone.names(program.program, piece.destination)) or b""
    there = set(answer.decode(errors="surrogateescape").splitlines())
    prefix = f"{piece.name}/" if piece.name else ""
    return [
        msgspec.structs.replace(
            change,
            action="create" if change.action == "update" and change.path not in there else change.action,
            path=prefix + change.path,
        )
        for change in changes
    ]


def _verify(program: Rclone, piece: Piece, options: Options) -> None:
    if piece.one_file:
        _verify_file(program, piece)
        return
    log = Log(keep=False)
    filters = rclone_filters.rules(options.include, options.exclude, piece.name)
    try:
        program.run(rclone.check(program.program, piece.source, piece.destination, filters=filters), log)
    except TrainError as error:
        if error.code != "partial":
            raise
        raise _differ(list(log.failed), log.failures) from None


class _Hashes(msgspec.Struct):
    Size: int
    Hashes: dict[str, str] = {}


def _verify_file(program: Rclone, piece: Piece) -> None:
    hashes: Callable[[str], _Hashes] = lambda place: msgspec.json.decode(  # noqa: E731
        program.ask(rclone.stat(program.program, place, hashes=True)) or b"", type=_Hashes
    )
    source, destination = hashes(piece.source), hashes(piece.destination)
    common = source.Hashes.keys() & destination.Hashes.keys()
    if source.Size != destination.Size or any(source.Hashes[one] != destination.Hashes[one] for one in common):
        raise _differ([piece.source], 1)
    if not common:
        raise TrainError(
            f"{program.label} keeps no checksum of {piece.destination}, so it cannot be verified",
            "the size is right", code="cannot_verify",
        )  # fmt: skip


def _differ(names: list[str], count: int) -> TrainError:
    more = f" and {count - SHOWN} more" if count > SHOWN else ""
    label = "1 file differs" if count == 1 else f"{count} files differ"
    return TrainError(
        f"after the copy {label}: {', '.join(names[:SHOWN])}{more}",
        "a file that is being written cannot be verified; copy it again when that is done",
        code="verify_failed", data={"files": names},
    )  # fmt: skip
