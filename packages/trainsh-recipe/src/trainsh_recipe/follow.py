"""A job that another process runs, watched: its journal and its logs as they grow."""

import os
import time
from collections.abc import Callable
from pathlib import Path

from trainsh_recipe import jobs
from trainsh_recipe.journal import Event, events_in
from trainsh_recipe.plan import Numbered
from trainsh_recipe.state import State
from trainsh_recipe.view import View

LOOK = 0.1  # seconds between two looks: for eyes, nothing depends on it


class Growing:
    """A file that grows: what is new in it since the last look."""

    def __init__(self, path: Path, offset: int = 0) -> None:
        self.path = path
        self.offset = offset

    def read(self) -> bytes:
        """The new bytes; none while there is no file."""
        try:
            handle = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return b""
        try:
            data = os.pread(handle, 1 << 20, self.offset)
        finally:
            os.close(handle)
        self.offset += len(data)
        return data


class Journal(Growing):
    """The journal, whose events come whole."""

    def events(self) -> list[Event]:
        """The new ones."""
        data = self.read()
        whole = data[: data.rfind(b"\n") + 1]
        self.offset -= len(data) - len(whole)
        return events_in(whole)


def watch(job: jobs.Job, numbers: list[Numbered], view: View, file: str) -> State:
    """Show the job from its beginning until its runner ends; the state then."""
    state = State()
    journal = Journal(job.events)
    by_id = {each.id: each for each in numbers}
    logs: dict[str, Growing] = {}
    begun = False
    while True:
        alive = jobs.holder(job) is not None
        events = journal.events()
        for event in events:
            _take(event, state)
            if not begun and state.started:
                begun = True
                view.begin(state, numbers, file)
            view.event(event)
        running = [id for id, step in state.steps.items() if step.status == "running" and id in by_id]
        quiet = not [id for id in running if _show(by_id[id], job, logs, view)]
        if not alive and not events and quiet:
            break
        if quiet and not events:
            time.sleep(LOOK)
    if state.status == "running":
        state.status = "interrupted"
    view.end(state)
    return state


def _take(event: Event, state: State) -> None:
    try:
        state.apply(event)
    except (KeyError, TypeError, ValueError, AttributeError):
        return


def _show(step: Numbered, job: jobs.Job, logs: dict[str, Growing], view: View) -> bool:
    if step.id not in logs:
        path = job.log(step.file)
        size = path.stat().st_size if path.exists() else 0
        logs[step.id] = Growing(path, max(0, size - 4096))
    data = logs[step.id].read()
    if data:
        view.output(step, data.decode(errors="replace"))
    return bool(data)


def follow(job: jobs.Job, paths: Callable[[], list[Path]], write: Callable[[bytes], None]) -> None:
    """Write what the logs get, one after the other, until the job's runner ends."""
    seen: dict[Path, Growing] = {}
    while True:
        alive = jobs.holder(job) is not None
        new = False
        for path in paths():
            data = seen.setdefault(path, Growing(path)).read()
            if data:
                new = True
                write(data)
        if not new:
            if not alive:
                return
            time.sleep(LOOK)
