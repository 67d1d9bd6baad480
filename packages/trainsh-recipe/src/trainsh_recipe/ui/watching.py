"""Watches a job that another process runs, by reading its journal and logs as they grow."""

import time
from pathlib import Path

from trainsh_recipe.engine.outside.view import View
from trainsh_recipe.plan.numbering import Numbered
from trainsh_recipe.store import jobs
from trainsh_recipe.store.fold import apply
from trainsh_recipe.store.growing import LOOK, Growing, Journal
from trainsh_recipe.store.state import State


def watch_job(job: jobs.Job, numbers: list[Numbered], view: View, file: str) -> State:
    """Show the job from its beginning until its runner ends. Returns the final state."""
    state = State()
    journal = Journal(job.events)
    by_id = {each.id: each for each in numbers}
    logs: dict[str, Growing] = {}
    begun = False
    while True:
        alive = jobs.holder(job) is not None
        events = journal.events()
        for event in events:
            apply(state, event)
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


def _show(step: Numbered, job: jobs.Job, logs: dict[str, Growing], view: View) -> bool:
    if step.id not in logs:
        path = Path(job.log(step.file))
        size = path.stat().st_size if path.exists() else 0
        logs[step.id] = Growing(path, max(0, size - 4096))
    data = logs[step.id].read()
    if data:
        view.output(step, data.decode(errors="replace"))
    return bool(data)
