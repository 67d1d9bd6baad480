"""One transfer from beginning to end: find both sides, refuse what would do harm, copy, verify, tidy up."""

import time
from collections.abc import Callable

import msgspec

from trainsh_base.errors import TrainError, UsageError
from trainsh_base.request import Request
from trainsh_xfer import endpoints, failures, folders, places, routes, rsync, unfinished
from trainsh_xfer.model import Options, Result
from trainsh_xfer.output import Progress, Tally
from trainsh_xfer.process import find_rsync, stream
from trainsh_xfer.routes import Route
from trainsh_xfer.rsync import Rsync

PROGRESS_EVERY = 0.1
SHOWN = 10


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for: both endpoints as they were written, whether each was quoted, the names they may use."""

    source: str
    destination: str
    options: Options
    verify: bool = False
    force: bool = False
    hosts: dict[str, str] = {}
    storages: dict[str, str] = {}
    cwd: str | None = None
    source_quoted: bool = False
    destination_quoted: bool = False


def carry_out(order: Order, request: Request) -> Result:
    """Do it, reporting progress to `request`; the errors of places, guards and failures."""
    started = time.monotonic()
    _check_patterns([*order.options.exclude, *order.options.include])
    program = find_rsync()
    route = _route(order)
    if route.parents and not order.options.dry_run:
        folders.make_parents(route.parents)
    tally = _copied(program, route, order, request)
    return Result(
        source=_shown(order.source), destination=_shown(order.destination),
        files=tally.files, bytes=tally.bytes, sent=tally.sent, deleted=tally.deleted,
        seconds=round(time.monotonic() - started, 3), dry_run=order.options.dry_run,
        verified=order.verify and not order.options.dry_run,
        changes=tally.changes, warnings=tally.remarks,
    )  # fmt: skip


def _check_patterns(patterns: list[str]) -> None:
    if not all(patterns):
        raise UsageError("an empty pattern matches nothing", "leave out the empty --exclude or --include")


def _route(order: Order) -> Route:
    cwd = folders.working_folder(order.cwd)
    names = {"hosts": order.hosts, "storages": order.storages}
    source, destination = (
        places.find(endpoints.parse(text, **names), **names, cwd=cwd, literal=quoted, text=text)
        for text, quoted in (
            (order.source, order.source_quoted),
            (order.destination, order.destination_quoted),
        )
    )
    return routes.between(source, destination, order.options, force=order.force)


def _copied(program: Rsync, route: Route, order: Order, request: Request) -> Tally:
    """Copy; with `verify` compare afterwards, and move only what was found equal."""
    options = order.options
    careful = order.verify and not options.dry_run
    first = msgspec.structs.replace(options, move=False) if careful else options
    tally = _copy(program, route, first, request)
    if careful:
        _verify(program, route, options, request)
        if options.move:
            tally.remarks += _copy(program, route, options, request).remarks
    if options.move and not options.dry_run:
        for source in route.tidy:
            folders.remove_empty(source)
    return tally


def _copy(program: Rsync, route: Route, options: Options, request: Request) -> Tally:
    """One run of rsync; a local one that was interrupted goes on inside its file."""
    marked = None
    if not route.remote and not options.dry_run:
        marked = unfinished.mark(route.sources, route.destination)
    again = unfinished.begin(marked) if marked else False
    words = rsync.copy(
        program, options, route.sources, route.destination,
        remote=route.remote, secluded=route.secluded, resume=again,
    )  # fmt: skip
    tally = Tally(keep=options.dry_run, whole=program.whole_progress, on_progress=_reporter(request))
    _run(words, tally, route, request)
    if marked:
        unfinished.end(marked)
    return tally


def _verify(program: Rsync, route: Route, options: Options, request: Request) -> None:
    request.emit("log", message="verifying by checksum")
    words = rsync.verify(
        program, options, route.sources, route.destination, remote=route.remote, secluded=route.secluded
    )
    tally = Tally(keep=True)
    _run(words, tally, route, request)
    wrong = [change.path for change in tally.changes if change.kind == "file" and change.action != "attributes"]
    if wrong:
        more = f" and {len(wrong) - SHOWN} more" if len(wrong) > SHOWN else ""
        raise TrainError(
            f"after the copy {_differ(len(wrong))}: {', '.join(wrong[:SHOWN])}{more}",
            "a file that is being written cannot be verified; copy it again when that is done",
            code="verify_failed", data={"files": wrong},
        )  # fmt: skip


def _differ(count: int) -> str:
    return "1 file differs" if count == 1 else f"{count} files differ"


def _run(words: list[str], tally: Tally, route: Route, request: Request) -> None:
    ended = stream(words, tally.feed, request)
    tally.finish()
    if ended.status == failures.VANISHED:
        tally.remarks += failures.said(ended.stderr)
    elif ended.status != 0:
        raise failures.error_for(ended.status, ended.stderr, route.host)


def _reporter(request: Request) -> Callable[[Progress], None]:
    """Hand progress on, at most one event every PROGRESS_EVERY seconds."""
    last = 0.0

    def report(progress: Progress) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= PROGRESS_EVERY:
            last = now
            request.emit(
                "progress", done=progress.done, total=progress.total, unit="bytes", message=progress.message
            )

    return report


def _shown(text: str) -> str:
    """An endpoint that can be printed and put into JSON whatever bytes are in it."""
    return text.encode(errors="surrogateescape").decode(errors="backslashreplace")
