"""A transfer to, from or between storages, with the rclone of this machine or of a host."""

import time
from contextlib import ExitStack
from pathlib import Path

import msgspec

from trainsh_base.errors import NotFound, TrainError, Unreachable, UsageError
from trainsh_base.request import Request
from trainsh_base.system.units import format_size
from trainsh_xfer.endpoints.file_names import shown
from trainsh_xfer.endpoints.places import InStorage
from trainsh_xfer.engines import rclone, rclone_filters, unfinished
from trainsh_xfer.engines.rclone_output import Log
from trainsh_xfer.engines.rclone_program import RcloneProgram
from trainsh_xfer.model import Change, Options, Order, Result
from trainsh_xfer.pairs import storage_sources, unfinished_uploads
from trainsh_xfer.pairs.attempts import reporter
from trainsh_xfer.pairs.storage_routes import Side, StorageRoute, detour, route
from trainsh_xfer.pairs.storage_sources import Piece

SHOWN = 10
# the kinds of checksums, as rclone names them
KINDS = ("md5", "sha1", "sha256", "crc32", "quickxor", "dropbox", "mailru")


def carry_out(order: Order, source: Side, destination: Side, request: Request) -> Result:
    """Copy, verify and move as `order` demands.

    If a host cannot reach the storage from the start, the data goes through this machine instead. Raises the errors
    of the storages, and `partial` if some files could not be copied.
    """
    started = time.monotonic()
    if order.options.as_is:
        raise UsageError("--as-is: a storage keeps neither links nor permissions", "leave it out", code="usage")
    with ExitStack() as stack:
        earlier = None
        if unfinished_uploads.has_parts(destination) and not order.options.dry_run:
            earlier = stack.enter_context(unfinished.marked(unfinished.mark([order.source], order.destination)))
        chosen = stack.enter_context(route(order, source, destination, request))
        try:
            logs, told = _carried(chosen, order, request), chosen.told
        except Unreachable as error:
            if not chosen.on_host or error.code == "connection_lost" or error.data.get("moved"):
                raise
            other = detour(order, source, destination, error, request)
            logs, told = _carried(other, order, request), other.told
        if earlier is not None and isinstance(destination, InStorage):
            unfinished_uploads.abort(chosen.program, destination, earlier, request)
    return Result(
        source=shown(order.source), destination=shown(order.destination),
        files=sum(log.files for log in logs), bytes=sum(log.bytes for log in logs),
        sent=sum(log.bytes for log in logs), deleted=sum(log.deleted for log in logs),
        seconds=round(time.monotonic() - started, 3), dry_run=order.options.dry_run,
        verified=order.verify and not order.options.dry_run,
        changes=[change for log in logs for change in log.changes], warnings=[], route=told,
    )  # fmt: skip


def _carried(chosen: StorageRoute, order: Order, request: Request) -> list[Log]:
    source, destination, program = chosen.source, chosen.destination, chosen.program
    found = (
        storage_sources.stored(source, program.rows, program.look)
        if isinstance(source, InStorage)
        else storage_sources.local(source)
    )
    storage_sources.check(found, destination, order.options)
    if isinstance(destination, InStorage) and destination.storage.backend == "b2":
        _check_bucket(program, destination)
    runs = storage_sources.pieces(found, destination, lambda: _is_folder(destination, program))
    filters = order.options.filters
    runs = [one for one in runs if not (one.one_file and rclone_filters.leaves_out(filters, Path(one.source).name))]
    same = next((one for one in runs if one.source == one.destination), None)
    if same:
        raise UsageError(f"source and destination are the same: {same.source}", code="same_place")
    return [_copied(program, one, order, request, f"rclone {chosen.told}") for one in runs]


def _check_bucket(program: RcloneProgram, destination: InStorage) -> None:
    """Raise NotFound if the bucket does not exist, because rclone would create it.

    With B2, no option of rclone prevents this.
    """
    bucket = destination.storage.root.partition("/")[0]
    if bucket not in (row.Name for row in program.rows(destination.storage.remote)):
        raise NotFound(
            f"{destination.storage.label}: there is no such bucket: {bucket}", "create the bucket first",
            code="no_bucket",
        )  # fmt: skip


def _is_folder(place: Side, program: RcloneProgram) -> bool:
    if isinstance(place, InStorage):
        if not place.path.strip("/"):
            return True
        row = program.look(place.storage.at(place.path))
        return row is not None and row.IsDir
    return Path(place.path).is_dir()


def _copied(program: RcloneProgram, piece: Piece, order: Order, request: Request, way: str) -> Log:
    options = order.options
    careful = order.verify and not options.dry_run
    # rclone's `move` does not delete anything at the destination, so that is done here
    twice = options.move and (careful or options.delete)
    first = msgspec.structs.replace(options, move=False) if twice else options
    log = _run(program, piece, first, request, way)
    if careful:
        request.emit("log", message="verifying by checksum")
        _verify(program, piece, options, request)
    if twice and not options.dry_run:
        _run(program, piece, options, request, way)
    return log


def _run(program: RcloneProgram, piece: Piece, options: Options, request: Request, way: str) -> Log:
    def warn(name: str, size: int) -> None:
        request.emit("log", message=f"{name} has {format_size(size)}: if its copy is interrupted, it starts over")

    log = Log(keep=options.dry_run, on_progress=reporter(request, way), on_large=warn)
    filters = rclone_filters.rules(options.filters, piece.name)
    words = rclone.copy(
        program.program, options, piece.source, piece.destination,
        filters=[] if piece.one_file else filters, one_file=piece.one_file,
    )  # fmt: skip
    program.run(words, log)
    if options.dry_run:
        log.changes[:] = _told_apart(log.changes, program, piece)
        log.deleted = sum(change.action == "delete" for change in log.changes)
    return log


def _told_apart(changes: list[Change], program: RcloneProgram, piece: Piece) -> list[Change]:
    """The changes of a dry run. A change has the action `create` if the file is missing at the destination."""
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


def _verify(program: RcloneProgram, piece: Piece, options: Options, request: Request) -> None:
    """Compare both sides by checksum, or by contents if they have no kind of checksum in common."""
    if piece.one_file:
        _verify_file(program, piece, request)
        return
    filters = rclone_filters.rules(options.filters, piece.name)
    unchecked = _compare(program, rclone.check(program.program, piece.source, piece.destination, filters=filters))
    if unchecked:
        request.emit("log", message=f"{program.label} has no checksum of {unchecked} files: reading them back")
        words = rclone.check(program.program, piece.source, piece.destination, filters=filters, download=True)
        _compare(program, words)


def _compare(program: RcloneProgram, words: list[str]) -> int:
    """Run a comparison. Return how many files had no checksum to compare. Raise `verify_failed` if files differ."""
    log = Log(keep=False)
    try:
        program.run(words, log)
    except TrainError as error:
        if error.code != "partial":
            raise
        raise _differ(list(log.failed), log.failures) from None
    return log.unchecked


class _Hashes(msgspec.Struct):
    Size: int
    Hashes: dict[str, str] = {}


def _hashes(program: RcloneProgram, place: str, kind: str = "") -> _Hashes:
    answer = program.ask(rclone.stat(program.program, place, hashes=True, kind=kind))
    if answer is None:
        raise _differ([place], 1)
    return msgspec.json.decode(answer, type=_Hashes)


def _verify_file(program: RcloneProgram, piece: Piece, request: Request) -> None:
    """Compare one file by the kind of checksum that the storage has. rclone can compute any kind for a file on a
    disk.
    """
    on_disk = piece.destination.startswith("/")
    stored = _hashes(program, piece.source if on_disk else piece.destination)
    kind = next((one for one in KINDS if one in stored.Hashes), "")
    other = _hashes(program, piece.destination if on_disk else piece.source, kind)
    if kind in other.Hashes:
        same = stored.Hashes[kind] == other.Hashes[kind]
    else:
        request.emit("log", message=f"{program.label} has no checksum of {piece.destination}: reading it back")
        places = (piece.source, piece.destination)
        read = [program.ask(rclone.md5_of_contents(program.program, place)) or b"" for place in places]
        same = all(read) and read[0].split()[0] == read[1].split()[0]
    if stored.Size != other.Size or not same:
        raise _differ([piece.source], 1)


def _differ(names: list[str], count: int) -> TrainError:
    more = f" and {count - SHOWN} more" if count > SHOWN else ""
    label = "1 file differs" if count == 1 else f"{count} files differ"
    return TrainError(
        f"after the copy {label}: {', '.join(names[:SHOWN])}{more}",
        "a file that is being written cannot be verified; copy it again when it is complete",
        code="verify_failed", data={"files": names},
    )  # fmt: skip
