"""Carries out one transfer: resolves both sides, refuses unsafe copies, copies, verifies, and cleans up."""

import time
from contextlib import ExitStack

import msgspec

from trainsh_base.errors import TrainError, UsageError
from trainsh_base.request import Request
from trainsh_xfer.endpoints import endpoint_text, local_paths, places
from trainsh_xfer.endpoints.file_names import printable, shown
from trainsh_xfer.endpoints.places import InStorage, Place
from trainsh_xfer.engines import compressible, unfinished
from trainsh_xfer.engines.process import find_rsync
from trainsh_xfer.engines.rsync import comparison
from trainsh_xfer.engines.rsync_output import Tally
from trainsh_xfer.hosts import link_rates, machines
from trainsh_xfer.model import Options, Order, Result
from trainsh_xfer.pairs import routes, storage_copy, streams
from trainsh_xfer.pairs.attempts import reporter, run
from trainsh_xfer.pairs.pattern_rules import with_rules
from trainsh_xfer.pairs.route import Route
from trainsh_xfer.pairs.stillness import watched
from trainsh_xfer.pairs.storage_routes import told

SHOWN = 10
TIDY_LIMIT = 600.0
# rsync's exit statuses if the other side does not know an option or a kind of compression
REFUSALS = (1, 2, 4, 12)


def carry_out(order: Order, request: Request) -> Result:
    """Carry out a transfer, and report progress to `request`.

    Raises the errors of resolving both sides, of the guards, and of the copy.
    """
    try:
        with watched(request, told(order)) as inner:
            return _carry_out(order, inner)
    except TrainError as error:
        raise printable(error) from None


def _carry_out(order: Order, request: Request) -> Result:
    started = time.monotonic()
    _check_patterns([*order.options.exclude, *order.options.include])
    source, destination = sides(order)
    order = with_rules(order, source, request)
    if isinstance(source, InStorage) or isinstance(destination, InStorage):
        return storage_copy.carry_out(order, source, destination, request)
    with ExitStack() as stack:
        route = routes.between(source, destination, order.options, rsync=find_rsync(), request=request, stack=stack)
        route = msgspec.structs.replace(route, told=told(order))
        made = local_paths.make_parents(route.parents) if route.parents and not order.options.dry_run else []
        try:
            tally, way = _copied(route, order, request), route.way.removeprefix("rsync ")
        except TrainError:
            local_paths.remove_made(made)
            raise
    return Result(
        source=shown(order.source), destination=shown(order.destination),
        files=tally.files, bytes=tally.bytes, sent=tally.sent, deleted=tally.deleted,
        seconds=round(time.monotonic() - started, 3), dry_run=order.options.dry_run,
        verified=order.verify and not order.options.dry_run,
        changes=tally.changes, warnings=tally.remarks, route=way,
    )  # fmt: skip


def _check_patterns(patterns: list[str]) -> None:
    if not all(patterns):
        raise UsageError("an empty pattern matches nothing", "remove the empty --exclude or --include")


def sides(order: Order) -> list[Place | InStorage]:
    """The source and the destination, parsed and resolved."""
    cwd = local_paths.working_folder(order.cwd)
    return [
        places.find(
            endpoint_text.parse(text, hosts=order.hosts, storages=order.storages),
            hosts=order.hosts, storages=order.storages, cwd=cwd, literal=quoted, text=shown(text),
            resolve=machines.resolve, remote=remote,
        )
        for text, quoted, remote in (
            (order.source, order.source_quoted, "SRC"),
            (order.destination, order.destination_quoted, "DST"),
        )
    ]  # fmt: skip


def _copied(route: Route, order: Order, request: Request) -> Tally:
    """Copy. With `verify`, compare both sides afterwards.

    A move then removes the source files only if both sides are equal.
    """
    options = order.options
    careful = order.verify and not options.dry_run
    first = msgspec.structs.replace(options, move=False) if careful else options
    tally = _copy(route, first, request)
    if careful:
        _verify(route, options, request)
        if options.move:
            for remark in _copy(route, msgspec.structs.replace(options, jobs=0), request).remarks:
                tally.remark(remark)
    if options.move and not options.dry_run:
        _tidy(route)
    return tally


def _tidy(route: Route) -> None:
    """Remove the folders that a move left empty."""
    for source in route.tidy:
        local_paths.remove_empty(source)
    if route.connection and route.tidy_far:
        route.connection.run(route.tidy_far, TIDY_LIMIT)


def _copy(route: Route, options: Options, request: Request) -> Tally:
    """Copy once. A local copy that was interrupted continues its partial file."""
    tally = Tally(keep=options.dry_run, whole=route.rsync.whole_progress, on_progress=reporter(request, route.way))
    with ExitStack() as stack:
        again = None
        if route.is_local and not options.dry_run:
            again = stack.enter_context(unfinished.marked(unfinished.mark(route.sources, route.destination)))
        began = time.monotonic()
        options = _compressing(route, options, request)
        if why := streams.why_one(route, options):
            tally.remark(why)
        elif options.jobs > 1 and not options.dry_run:
            options = streams.copy(route, options, tally, request)
        _run(route, options, tally, request, resume=again is not None)
    if route.connection and route.root and not (options.dry_run or options.bwlimit):
        link_rates.note(route.connection.target, tally, time.monotonic() - began)
    return tally


def _compressing(route: Route, options: Options, request: Request) -> Options:
    """The options, with compression if the link was slow in the last transfer and nearly all of the source
    is text.
    """
    if options.dry_run or route.foreign or not (route.connection and route.root and route.rsync.compresses):
        return options
    if not (link_rates.is_slow(route.connection.target) and compressible.pays(route.sources)):
        return options
    request.emit("log", message=f"compressing: these are texts, and the link to {route.host} is slow")
    return msgspec.structs.replace(options, compress=True)


def _run(route: Route, options: Options, tally: Tally, request: Request, *, resume: bool) -> None:
    """Run rsync. If the host's rsync refuses compression, run it again without compression."""
    try:
        run(route, lambda: route.words(options, resume=resume), tally, request)
    except TrainError as error:
        if not options.compress or tally.files or error.data.get("status") not in REFUSALS:
            raise
        request.emit("log", message=f"not compressing: {error.message}")
        plain = msgspec.structs.replace(options, compress=False)
        run(route, lambda: route.words(plain, resume=resume), tally, request)


def _verify(route: Route, options: Options, request: Request) -> None:
    request.emit("log", message="verifying by checksum")
    tally = Tally(keep=True)
    run(route, lambda: route.words(comparison(options)), tally, request)
    wrong = [change.path for change in tally.changes if change.kind == "file" and change.action != "attributes"]
    if wrong:
        more = f" and {len(wrong) - SHOWN} more" if len(wrong) > SHOWN else ""
        raise TrainError(
            f"after the copy {_differ(len(wrong))}: {', '.join(wrong[:SHOWN])}{more}",
            "a file that is being written cannot be verified; copy it again when it is complete",
            code="verify_failed", data={"files": wrong},
        )  # fmt: skip


def _differ(count: int) -> str:
    return "1 file differs" if count == 1 else f"{count} files differ"
