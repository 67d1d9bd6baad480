"""Runs rsync over one route: reports progress, handles errors, and tries again after a lost connection."""

import random
import time
from collections.abc import Callable

from trainsh_base.errors import TrainError
from trainsh_base.request import Request
from trainsh_xfer.engines import remote_paths, rsync_errors
from trainsh_xfer.engines.process import Ended, stream
from trainsh_xfer.engines.rsync_output import Progress, Tally
from trainsh_xfer.hosts import machines
from trainsh_xfer.pairs.route import Route
from trainsh_xfer.pairs.stillness import Watched

PROGRESS_EVERY = 0.1
MOST_TRIES = 6
MOST_DEATHS = 2  # how many times in a row a killed rsync is started again
FIRST_PAUSE = 1.0


def run(route: Route, words: Callable[[], list[str]], tally: Tally, request: Request) -> None:
    """Run rsync until it succeeds.

    `words` is called before each attempt and returns rsync's argv, because the connection may have changed. A lost
    connection is opened again, and rsync then continues the partial file. This is done up to MOST_TRIES times in a
    row if no file was transferred in between. An rsync that was killed is started again, up to MOST_DEATHS times.
    Raises what `rsync_errors.error_for` returns, and the errors of the connection.
    """
    tries = 0
    ended: Ended | None = None
    while True:
        if route.connection:
            route.connection.open(machines.PATIENCE if tries else 0.0)
            _end_what_is_left(route, ended)
        before = tally.files
        ended = stream(words(), tally.feed, request, env=_environment(route), started=_started(route))
        tally.finish()
        if ended.status == rsync_errors.VANISHED:
            for line in rsync_errors.said(ended.stderr):
                tally.remark(line)
        if ended.status in (0, rsync_errors.VANISHED):
            return
        tries = 1 if tally.files > before else tries + 1
        error = rsync_errors.error_for(ended.status, ended.stderr, route.host, route.name)
        if not _again(route, error, ended, tries, request):
            raise error
        tally.restart()


def _end_what_is_left(route: Route, ended: Ended | None) -> None:
    """Stop a remote rsync that may not have noticed that its connection is lost.

    When it ends, it saves its partial file.
    """
    process = rsync_errors.far_process(ended.stderr) if ended else None
    if process and route.receiver:
        route.receiver.run(remote_paths.ending(process))


def _again(route: Route, error: TrainError, ended: Ended, tries: int, request: Request) -> bool:
    """Remove the cause of the error if that is possible. Return whether to try again."""
    stderr = ended.stderr
    if route.connection and tries < MOST_TRIES and rsync_errors.is_full(stderr):
        route.find_room()
        return True
    if error.code == "killed" and tries <= MOST_DEATHS:
        request.emit("log", message=f"{error.message}; trying again")
        return True
    if route.connection is None or tries >= MOST_TRIES:
        return False
    if rsync_errors.never_began(ended.status, stderr) and route.detour(error.message):
        return True
    if rsync_errors.is_noisy(stderr) and not route.connection.is_quiet:
        route.connection.check_login()
        route.connection.be_quiet()
        return True
    if error.code != "connection_lost":
        return False
    if tries == 1:
        route.connection.check_login()
    pause = FIRST_PAUSE * 2 ** (tries - 1) * random.uniform(0.75, 1.25)
    request.emit("log", message=f"lost the connection to {route.host}; trying again in {pause:.0f} s")
    request.cancelled.wait(pause)
    request.check()
    return True


def _started(route: Route) -> Callable[[str], None] | None:
    """A function that gets rsync's stderr so far. It raises an error if the login takes longer than LOGIN_LIMIT.

    Returns None if the route's rsync prints no process id: then nothing shows that the login has ended.
    """
    connection = route.connection
    if connection is None or remote_paths.PROCESS not in route.program:
        return None
    due = time.monotonic() + machines.LOGIN_LIMIT

    def check(stderr: str) -> None:
        nonlocal due
        if time.monotonic() > due and rsync_errors.far_process(stderr) is None:
            connection.check_login()
            due = time.monotonic() + machines.LOGIN_LIMIT

    return check


def _environment(route: Route) -> dict[str, str]:
    """Variables for rsync and its ssh. Variables that change how rsync writes names are set to rsync's default."""
    own = {"RSYNC_OLD_ARGS": "0", "RSYNC_PROTECT_ARGS": "0"}
    return {**route.connection.target.env, **own} if route.connection else own


def reporter(request: Request, way: str) -> Callable[[Progress], None]:
    """A function that reports progress to `request`. It emits at most one event every PROGRESS_EVERY seconds.

    `way` names the engine and the route.
    """
    last = 0.0

    def report(progress: Progress) -> None:
        nonlocal last
        if isinstance(request, Watched):
            request.stepped(progress)
        now = time.monotonic()
        if now - last >= PROGRESS_EVERY:
            last = now
            files = "1 file" if progress.files == 1 else f"{progress.files} files"
            request.emit(
                "progress", done=progress.done, total=progress.total, unit="bytes",
                message=f"{progress.message}, {files}, {way}",
            )  # fmt: skip

    return report
