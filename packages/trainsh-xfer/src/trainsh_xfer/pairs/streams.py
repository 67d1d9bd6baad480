"""Runs several rsyncs at the same time over one connection (`--jobs`), which helps on a link with a long delay.

A dry run lists the files that must be copied, and each rsync, called a stream, copies a share of them. Then an
rsync of the whole transfer follows, as if there were no streams. It deletes, sets the times of folders, copies what
a stream has failed to copy, and finds every error. So the result does not depend on the streams.
"""

import re
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from trainsh_base.errors import Cancelled, TrainError
from trainsh_base.request import Request, serve_in_this_thread
from trainsh_base.system.units import format_duration, format_size
from trainsh_xfer.engines.rsync_output import Progress, Tally, name_in
from trainsh_xfer.model import Options
from trainsh_xfer.pairs.attempts import reporter, run
from trainsh_xfer.pairs.route import Route

MOST = 8  # the most streams; sshd allows ten channels on a connection unless its settings say otherwise
PER_FILE = 32_000  # bytes; the work for one file takes as long as sending this many bytes


def why_one(route: Route, options: Options) -> str:
    """The reason why `--jobs` has no effect on this route.

    It is "" if `--jobs` has an effect, or asks for one stream.
    """
    if options.jobs < 2 or options.dry_run:
        return ""
    if route.is_local:
        return "--jobs: rsync copies one file after the other on this machine"
    if route.rsync.open:
        return "--jobs: openrsync sends one file after the other"
    return "" if route.root else "--jobs: rsync sends one file after the other on this way"


def copy(route: Route, options: Options, tally: Tally, request: Request) -> Options:
    """Copy with several streams, and add to `tally` what they did.

    Return the options for the rsync that must follow. Raises the errors of the dry run, and Cancelled. All other
    errors are left to the rsync that follows.
    """
    listing = msgspec.structs.replace(options, dry_run=True, delete=False, move=False)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="trainsh-xfer-")))
        shares = Shares(folder, min(options.jobs, MOST))
        try:
            run(route, lambda: route.words(listing), shares, request)
        except TrainError as error:
            if error.code != "partial":
                raise
        lists = shares.close()
        if len(lists) < 2:
            return options
        rate = max(1, options.bwlimit // len(lists)) if options.bwlimit else 0
        share = msgspec.structs.replace(
            options, delete=False, move=False, exclude=[], include=[], rules=[], bwlimit=rate
        )
        route.prepare()
        whole = _run_all(route, share, lists, Sum(shares.bytes, reporter(request, route.way)), request)
    for done in whole.tallies:
        tally.files, tally.bytes, tally.sent = (
            tally.files + done.files,
            tally.bytes + done.bytes,
            tally.sent + done.sent,
        )
    return msgspec.structs.replace(options, checksum=options.checksum and bool(whole.failed))


class Shares(Tally):
    """Divides the files that a dry run lists.

    Each file goes to the list that has the fewest bytes to send so far.
    """

    def __init__(self, folder: Path, number: int) -> None:
        super().__init__(keep=False)
        self._paths = [folder / str(at) for at in range(number)]
        self._lists = [path.open("wb") for path in self._paths]
        self._weights = [0] * number

    def restart(self) -> None:
        """Begin again. Another dry run will list everything again."""
        self.files = self.bytes = 0
        for file in self._lists:
            file.seek(0)
            file.truncate()

    def close(self) -> list[Path]:
        """The paths of the lists that have files. In a list, each name ends with a zero byte."""
        for file in self._lists:
            file.close()
        return [path for path in self._paths if path.stat().st_size]

    def _entry(self, found: re.Match[bytes]) -> None:
        before = self.files
        super()._entry(found)
        if self.files > before:
            at = self._weights.index(min(self._weights))
            self._weights[at] += int(found[3]) + PER_FILE
            self._lists[at].write(name_in(found[5]) + b"\0")


class Sum:
    """The progress of all streams together, and the sum of their results."""

    def __init__(self, total: int, report: Callable[[Progress], None]) -> None:
        self.tallies: list[Tally] = []
        self.failed: list[TrainError] = []
        self._total = total
        self._report = report
        self._started = time.monotonic()
        self._done: dict[int, Progress] = {}
        self._lock = threading.Lock()

    def tally(self) -> Tally:
        """A new tally, for one more stream."""
        at = len(self.tallies)
        self.tallies.append(Tally(keep=False, on_progress=lambda progress: self._add(at, progress)))
        return self.tallies[at]

    def _add(self, at: int, progress: Progress) -> None:
        with self._lock:
            self._done[at] = progress
            done = sum(each.done for each in self._done.values())
            files = sum(each.files for each in self._done.values())
            rate = done / max(0.001, time.monotonic() - self._started)
            left = format_duration(max(0, self._total - done) / rate) if rate else "?"
            said = f"{format_size(rate)}/s, ETA {left}"
            self._report(Progress(done, max(done, self._total), said, files))


def _run_all(route: Route, options: Options, lists: list[Path], whole: Sum, request: Request) -> Sum:
    threads = [
        threading.Thread(target=_stream, args=(route, options, path, whole.tally(), whole, request), daemon=True)
        for path in lists
    ]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    except BaseException:  # also catches Ctrl-C and signals, which only this thread gets
        request.cancel()
        for thread in threads:
            thread.join()
        raise
    for error in whole.failed:
        if isinstance(error, Cancelled):
            raise error
        request.emit("log", message=f"one of {len(lists)} streams ended ({error.message}); going on without it")
    return whole


def _stream(route: Route, options: Options, names: Path, tally: Tally, whole: Sum, request: Request) -> None:
    serve_in_this_thread(request)
    try:
        run(route, lambda: route.share(options, names), tally, request)
    except TrainError as error:
        whole.failed.append(error)
