"""The journal of a job: one event per line, which is written before the action that it announces.

Broken lines are ignored.
"""

import errno
import os
import threading
import time
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from pathlib import Path

Event = dict[str, Any]
# fdatasync is cheaper than fsync, and is as safe for a file that only grows. macOS does not have it.
_sync = getattr(os, "fdatasync", os.fsync)


def now() -> str:
    """Return the current time as RFC 3339 in UTC with milliseconds."""
    return stamp(time.time())


def stamp(seconds: float) -> str:
    """Format a time since the epoch as RFC 3339 in UTC with milliseconds."""
    whole = int(seconds)
    return f"{_second(whole)}.{int((seconds - whole) * 1000):03d}Z"


@lru_cache(2)
def _second(whole: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole))


def seconds_of(text: str) -> float:
    """Parse a time as `now` returns it. Return seconds since the epoch, or 0 for any other text."""
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        return 0.0


class Journal:
    """A job's `events.jsonl`, open for appending. Any thread may write; writes after `close` are ignored."""

    silent = False

    def __init__(self, path: "Path | str") -> None:
        self._path = path
        self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._lock = threading.Lock()
        self._dirty = False
        self._closed = False
        _cut_torn_line(self._handle)

    def write(self, event: str, *, sync: bool = False, **data: Any) -> Event:
        """Append an event and return it. With `sync`, the event is on disk when this returns."""
        document = {"t": now(), "event": event, **data}
        line = msgspec.json.encode(document) + b"\n"
        with self._lock:
            if not self._closed:
                self._append(line)
        if sync:
            self.sync()
        return document

    def _append(self, line: bytes) -> None:
        try:
            written = os.write(self._handle, line)
        except OSError as error:
            error.filename = str(self._path)
            raise
        self._dirty = True
        if written != len(line):  # the disk is full, and the part that was written would also damage the next line
            os.ftruncate(self._handle, os.fstat(self._handle).st_size - written)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._path))

    def sync(self) -> None:
        """Sync everything written so far to the disk."""
        with self._lock:
            if self._dirty and not self._closed:
                _sync(self._handle)
                self._dirty = False

    def close(self) -> None:
        """Sync the journal to the disk and close it. Later writes are ignored."""
        self.sync()
        with self._lock:
            if not self._closed:
                self._closed = True
                os.close(self._handle)


class Silent:
    """A journal that writes nothing, so that events only change the state in memory."""

    silent = True

    def write(self, event: str, *, sync: bool = False, **data: Any) -> Event:
        """Return the event without writing it."""
        return {"t": now(), "event": event, **data}

    def sync(self) -> None:
        """Nothing to do."""

    def close(self) -> None:
        """Nothing to do."""


def _cut_torn_line(handle: int) -> None:
    """Remove the last line if it has no newline.

    The runner died while it wrote that line, so what the event announces did not take place.
    """
    size = os.fstat(handle).st_size
    kept = size
    while kept:
        begin = max(0, kept - 65536)
        block = os.pread(handle, kept - begin, begin)
        end = block.rfind(b"\n")
        if end >= 0:
            kept = begin + end + 1
            break
        kept = begin
    if kept != size:
        os.ftruncate(handle, kept)


def read(path: "Path | str") -> list[Event]:
    """Return the events, oldest first, or [] if there is no file.

    An incomplete last line, and lines that are not events, are skipped.
    """
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - `train exec` does without pathlib
            data = file.read()
    except FileNotFoundError:
        return []
    return events_in(data)


def events_in(data: bytes) -> list[Event]:
    """Return the events in `data`, which consists of complete lines."""
    lines = data.split(b"\n")
    lines.pop()
    found = []
    for line in lines:
        try:
            event = msgspec.json.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue
        if isinstance(event, dict) and isinstance(event.get("event"), str) and isinstance(event.get("t"), str):
            found.append(event)
    return found
