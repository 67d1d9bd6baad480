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
        login = LoginCheck(route) if route.connection else None
        feed = login.watching(tally.feed) if login else tally.feed
        ended = stream(words(), feed, request, env=_environment(route), started=login.check if login else None)
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


class LoginCheck:
    """Checks the login of an rsync that says nothing: login files may hang, or read what is sent to rsync.

    rsync's process id on stderr shows that the login has ended, if the route's rsync prints it.
    """

    def __init__(self, route: Route) -> None:
        self._connection = route.connection
        self._shows_login = remote_paths.PROCESS in route.program
        self._login_due = time.monotonic() + machines.LOGIN_LIMIT
        self._begun_due: float | None = None
        self._begun = False

    def watching(self, feed: Callable[[bytes], None]) -> Callable[[bytes], None]:
        """Return `feed`, made to note that rsync has begun."""

        def noted(chunk: bytes) -> None:
            self._begun = True
            feed(chunk)

        return noted

    def check(self, stderr: str) -> None:
        """Called while rsync prints nothing, with its stderr so far. Raises an error if a login is too slow."""
        if self._begun or not self._shows_login or self._connection is None:
            return
        now = time.monotonic()
        if rsync_errors.far_process(stderr) is not None:
            if self._begun_due is None:
                self._begun_due = now + machines.SILENCE_LIMIT
            elif now > self._begun_due:
                self._begun = True  # one check is enough
                self._connection.check_login(2 * machines.SILENCE_LIMIT)
        elif now > self._login_due:
            self._connection.check_login()
            self._login_due = now + machines.LOGIN_LIMIT


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
