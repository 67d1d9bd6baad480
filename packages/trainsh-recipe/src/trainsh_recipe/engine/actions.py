"""What each kind of step does: parameters made from the plan, a tool asked, its answer made an Outcome."""

import time
from collections.abc import Callable
from typing import Any

from trainsh_base.errors import NotFound, TrainError
from trainsh_base.system.units import format_size
from trainsh_recipe.engine.attempt import Attempt
from trainsh_recipe.engine.control import control
from trainsh_recipe.engine.notify import notify
from trainsh_recipe.engine.outcome import Outcome, of_error, of_step
from trainsh_recipe.plan.document import Control, Endpoint, Execute, Notify, Sleep, Step, Transfer, Wait
from trainsh_recipe.store.journal import seconds_of


def execute(at: Attempt, step: Execute) -> Outcome:
    """`@session > command`: the tool runs it once, whoever asks how often."""
    values = at.run.values
    command, secrets = values.command(step.command)
    timeout = values.seconds(step.options.timeout)
    if timeout is None and not step.background:
        timeout = values.default("recipe.timeout")
    params = {
        **_session(at, step.session), "command": command, "step": at.name, "timeout": timeout,
        "background": step.background, "capture": bool(step.options.capture), "secrets": secrets,
        "echo": values.shown(step.command), "since": at.since,
    }  # fmt: skip
    at.stop_with = lambda: interrupt(at, step.session)
    if at.resuming and (at.gone or step.session in at.run.fresh):
        lost = _lost(at, params)
        if lost is not None:
            return lost
    answer = at.ask("tmux", "run", params)
    outcome = of_step(answer)
    if outcome.offset is None and step.background:
        outcome.offset = at.since
    if outcome.ok and step.options.capture:
        at.run.capture(step.options.capture, answer.get("captured") or "", at.numbered.id)
    outcome.more = {"background": True} if step.background else {}
    return outcome


def _session(at: Attempt, name: str) -> dict[str, Any]:
    session = at.run.state.sessions.get(name)
    if session is None or not session.open:
        raise NotFound(f"session {name} is not open", "open it before: tmux.open @HOST as " + name, code="not_open")
    return {"session": name, "host": session.host, "job": at.run.job.id}


def interrupt(at: Attempt, session: str, wait: float | None = None) -> None:
    """End the attempt's command on its host: INT, TERM, KILL; with `wait` seconds to hear that it is so."""
    pending = at.run.tools.start("tmux", "interrupt", {**_session(at, session), "step": at.name})
    if wait is not None:
        pending.result(wait)


def _lost(at: Attempt, params: dict[str, Any]) -> Outcome | None:
    """Its session had to be opened anew: a step that began in the old one and has no status went with it."""
    asked = at.ask("tmux", "run", {**params, "only_ask": True, "command": ""})
    if asked["state"] != "running":
        return None
    return Outcome(
        status="lost", reason="its session is gone, and nobody knows how it ended\n"
        "to run it again: train recipe resume --retry-lost",
    )  # fmt: skip


def wait(at: Attempt, step: Wait) -> Outcome:
    """`wait @session ...`: looks from the place that the journal keeps, so it may be repeated."""
    values = at.run.values
    value = values.plain(step.value)
    condition: dict[str, Any] = {step.condition: value}
    if step.condition == "port":
        condition = {"port": int(value) if value.isdigit() else value}
    elif step.condition == "idle":
        condition = {"idle": value or "own"}
    timeout = values.seconds(step.options.timeout) or values.default("recipe.wait_timeout")
    params = {**_session(at, step.session), **condition, "timeout": timeout, "output": True}
    if step.condition == "pattern" and at.since is not None:
        params["since"] = at.since
    try:
        answer = at.ask("tmux", "wait", params)
    except TrainError as error:
        if error.code != "background_failed":
            raise
        return _background_failed(at, error)
    return Outcome(
        status="ok", offset=answer.get("offset") if step.condition == "pattern" else None,
        reason=(answer.get("line") or "").strip()[:200], more={"idle": True} if step.condition == "idle" else {},
    )  # fmt: skip


def _background_failed(at: Attempt, error: TrainError) -> Outcome:
    file = str(error.data.get("step", "")).rpartition("-")[0]
    found = next((each for each in at.run.numbers if each.file == file), None)
    exit = error.data.get("exit")
    if found is None:
        return Outcome(status="failed", reason=error.message, exit=exit)
    return Outcome(
        status="failed", exit=exit,
        reason=f"background step {found.id} (line {found.step.span.line}) failed with exit {exit}",
    )  # fmt: skip


def transfer(at: Attempt, step: Transfer) -> Outcome:
    """`source -> destination`: what is there already is not copied again, so it may be repeated."""
    values, options = at.run.values, step.options
    hosts, storages = {}, {}
    for end in (step.source, step.destination):
        if end.host:
            hosts[end.host] = values.host(end.host)
        if end.storage:
            storages[end.storage] = values.storage(end.storage)
    params: dict[str, Any] = {
        "source": endpoint(at, step.source), "destination": endpoint(at, step.destination),
        "hosts": hosts, "storages": storages, "cwd": at.run.state.cwd,
        "source_quoted": not step.source.expand, "destination_quoted": not step.destination.expand,
        "exclude": [values.plain(each) for each in options.exclude],
        "include": [values.plain(each) for each in options.include],
    }  # fmt: skip
    for flag in ("delete", "checksum", "verify", "move", "dry_run", "as_is"):
        if values.truth(getattr(options, flag)):
            params[flag] = True
    if options.bwlimit is not None:
        params["bwlimit"] = values.plain(options.bwlimit)
    answer = at.ask("xfer", "copy", params, values.seconds(options.timeout))
    for warning in answer.get("warnings", []):
        at.run.view.log(f"warning: {warning}")
    for change in answer.get("changes", []):
        at.output(f"{change['action']:<10} {change['path']}\n")
    files = answer.get("files", 0)
    said = f"{files} file{'' if files == 1 else 's'}, {format_size(answer.get('bytes', 0))}"
    return Outcome(status="ok", bytes=answer.get("bytes", 0), reason=said)


def endpoint(at: Attempt, end: Endpoint) -> str:
    """An endpoint as train-xfer reads it; a local path is never taken for a host's."""
    path = at.run.values.plain(end.path)
    if end.host or end.storage:
        return f"@{end.host or end.storage}:{path}"
    return f"./{path}" if ":" in path.partition("/")[0] or path.startswith("@") else path


def sleep(at: Attempt, step: Sleep) -> Outcome:
    """`sleep DURATION`: what is left of it, when it was begun before."""
    seconds = at.run.values.seconds(step.seconds) or 0.0
    limit = at.run.values.seconds(step.options.timeout)
    if at.resuming:
        seconds -= time.time() - seconds_of(at.run.state.steps[at.numbered.id].started)
    at.run.journal.sync()
    short = limit is not None and limit < seconds
    stopped = at.pause(max(0.0, limit if short and limit is not None else seconds))
    if stopped:
        return Outcome(status="cancelled", reason="cancelled")
    return Outcome(status="timeout", reason=f"timed out after {limit:g}s") if short else Outcome(status="ok")


def carry_out(at: Attempt) -> Outcome:
    """Do the step; errors of tools become outcomes."""
    step: Step = at.numbered.step
    action: Callable[[Attempt, Any], Outcome] = _ACTIONS[type(step)]
    try:
        outcome = action(at, step)
    except TrainError as error:
        outcome = of_error(error)
    outcome.seconds = time.monotonic() - at.began
    return outcome


_ACTIONS: dict[type, Callable[[Attempt, Any], Outcome]] = {
    Execute: execute, Wait: wait, Transfer: transfer, Sleep: sleep, Control: control, Notify: notify,
}  # fmt: skip
