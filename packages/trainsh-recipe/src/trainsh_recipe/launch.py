"""From a recipe's text to a job that can run: parsed by train-dsl, its overrides checked, its folder made."""

import os
from pathlib import Path
from typing import Any

import msgspec

from trainsh_base import VERSION
from trainsh_base.errors import Conflict, TrainError, UsageError
from trainsh_base.request import current
from trainsh_base.system import spawn
from trainsh_base.system.files import write_atomic
from trainsh_base.system.suggest import did_you_mean
from trainsh_base.tool.peer import Peer
from trainsh_recipe import early, jobs, lookup, plan, resume
from trainsh_recipe.journal import Journal, Silent, now
from trainsh_recipe.model import Planned, RecipeText
from trainsh_recipe.plan import Control, Plan, Transfer
from trainsh_recipe.state import State, fold
from trainsh_recipe.values import Secrets, Values

Overrides = dict[str, dict[str, str]]


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """A recipe to run: its text, the file it is in ("" for none), its name, how it is read."""

    text: bytes
    file: str
    name: str
    exec_: bool = False


class Begun(msgspec.Struct, kw_only=True):
    """A job that is held by this process and ready to run."""

    job: jobs.Job
    lock: jobs.Lock
    plan: Plan
    journal: Journal | Silent
    state: State
    name: str  # how messages call the recipe


def from_file(path: Path) -> Source:
    """The recipe in a file."""
    return Source(text=lookup.read(path), file=str(path.absolute()), name=path.stem)


def digest(data: bytes) -> str:
    """SHA-256 in hexadecimal."""
    import hashlib  # noqa: PLC0415 - loaded while train-dsl reads the recipe

    return hashlib.sha256(data).hexdigest()


def parse(source: Source, overrides: Overrides, shown: str = "") -> tuple[Plan, str]:
    """The plan and the digest of the text. Raises UsageError `recipe_invalid` with all diagnostics."""
    dsl = Peer("dsl", child=early.take("dsl"))
    given = [name for kind in overrides.values() for name in kind]
    params: dict[str, Any] = {"name": source.name, "given": given}
    if source.exec_:
        params |= {"exec": True, **_configured(source.text)}
    if source.file and not source.exec_:
        params["file"] = shown or source.file
    else:
        params["text"] = source.text.decode("utf-8", "replace")
    pending = dsl.start("parse", params)
    summed = digest(source.text)
    document = pending.result()
    if source.file and lookup.read(Path(source.file)) != source.text:
        raise Conflict(f"{source.file} was changed while it was read", "run it again", code="changed")
    try:
        found = plan.read(document)
    except msgspec.ValidationError as error:
        raise UsageError(
            f"train-dsl's plan is not understood: {error}", "update train", code="newer_plan"
        ) from None
    check_overrides(found, overrides)
    return found, summed


def _configured(text: bytes) -> dict[str, list[str]]:
    """For `exec`: which names are configured. Only a transfer can mean a storage, so else nothing is asked."""
    found: dict[str, list[str]] = {}
    if b"->" not in text:
        return found
    for tool, key in (("storage", "configured_storage"), ("host", "configured_host")):
        if spawn.tool_path(tool) and (key == "configured_storage" or found):
            rows = Peer(tool).request("list", timeout=60)
            found[key] = [str(row["name"]) for row in rows]
    return found


def check_overrides(document: Plan, overrides: Overrides) -> None:
    """UsageError for an override that names nothing, with the nearest name."""
    options = [each.step.options for each in plan.all_of(document)]
    captures = {each.capture for each in options if each.capture}
    known = {
        "hosts": set(document.hosts),
        "storages": set(document.storages),
        "vars": set(document.vars) | captures,
    }
    flags = {"hosts": "--host", "storages": "--storage", "vars": "--var"}
    for kind, values in overrides.items():
        for name in values:
            if name not in known[kind]:
                raise UsageError(
                    f"{flags[kind]} {name}=...: the recipe has no {kind[:-1]} {name}",
                    did_you_mean(name, known[kind], f"it has {', '.join(sorted(known[kind])) or 'none'}"),
                    code="unknown_override", data={"name": name},
                )  # fmt: skip


def fill_storages(document: Plan, overrides: Overrides) -> None:
    """Ask what the storages are that nothing fills; UsageError that names `--storage` when nobody can be asked."""
    given = overrides.get("storages", {})
    steps = [each.step for each in plan.all_of(document)]
    used = {end.storage for step in steps if isinstance(step, Transfer) for end in (step.source, step.destination)}
    if any(isinstance(step, Control) and step.tool != "tmux" for step in steps):
        return  # the answer of a tool may bind them
    for name, place in document.storages.items():
        if place.type == "placeholder" and name in used and name not in given:
            question = f"What is storage {name} (such as r2:bucket, s3:bucket, file:/path)?"
            spec = current().ask("text", question, flag=f"--storage {name}=SPEC")
            overrides.setdefault("storages", {})[name] = spec


def begin(source: Source, document: Plan, summed: str, overrides: Overrides, max_time: float | None) -> Begun:
    """Make the job's folder, take its lock, write what it is."""
    job = jobs.create()
    lock = jobs.take_lock(job)
    jobs.set_mark(job)
    _write(job.recipe, source.text)
    journal = Journal(job.events)
    steps = plan.leaves(plan.all_of(document))
    first = journal.write(
        "job.started", sync=True, version=VERSION, job=job.id, name=source.name,
        kind="exec" if source.exec_ else "recipe", file=source.file, digest=summed,
        plan=digest(msgspec.json.encode(document)), vars=_shown_vars(document, overrides), overrides=overrides,
        cwd=str(Path.cwd()), pid=os.getpid(), host=os.uname().nodename, steps=len(steps),
        **({"max_time": max_time} if max_time is not None else {}),
    )  # fmt: skip
    return Begun(job=job, lock=lock, plan=document, journal=journal, state=fold([first]), name=_shown_name(source))


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """How a job is to be resumed; without `hold` it is only looked at."""

    from_step: str | None = None
    retry_lost: bool = False
    edited: bool = False
    max_time: float | None = None
    check: bool = False
    hold: bool = True


def take_up(job: jobs.Job, state: State, wanted: Wanted) -> Begun:
    """Take a job's lock, read what it runs, and note that it goes on."""
    lock = take_over(job) if wanted.hold else jobs.Lock(-1)
    state = job.state() if wanted.hold else state
    os.chdir(state.cwd) if state.cwd and os.path.isdir(state.cwd) else None  # noqa: PTH112
    text = lookup.read(Path(state.file) if wanted.edited and state.file else job.recipe)
    file = state.file if wanted.edited and state.file else str(job.recipe)
    source = Source(text=text, file=file, name=state.name, exec_=state.kind == "exec")
    document, summed = parse(source, state.overrides)
    numbers = plan.all_of(document)
    again = resume.from_step(state, numbers, wanted.from_step) if wanted.from_step else []
    skipped = resume.before_step(numbers, wanted.from_step) if wanted.from_step else []
    if wanted.edited:
        edited(job, state, document, text, write=wanted.hold)
    fresh_round = resume.new_round(state) or bool(again)
    events = resume.events(
        state, fresh_round=fresh_round, again=again, skipped=[each for each in numbers if each.id in skipped],
        digest=summed, max_time=wanted.max_time, total=len(plan.leaves(numbers)),
    )  # fmt: skip
    journal = Journal(job.events) if wanted.hold else None
    for event, data in events:
        done = journal.write(event, **data) if journal else {"t": now(), "event": event, **data}
        state.apply(done)
    if journal:
        jobs.set_mark(job)
        journal.sync()
    shown = _shown_name(msgspec.structs.replace(source, file=state.file))
    return Begun(job=job, lock=lock, plan=document, journal=journal or Silent(), state=state, name=shown)


def rehearse(document: Plan, source: Source, overrides: Overrides) -> list[Planned]:
    """What a run would do, with everything resolved."""
    from trainsh_recipe.rehearsal import Rehearsal  # noqa: PLC0415 - for --dry-run only

    state = State(id="JOB_ID", name=source.name, overrides=overrides, cwd=str(Path.cwd()))
    secrets = Secrets(lambda name: str(Peer("secrets").request("get", {"name": name}, timeout=120)["value"]))
    return Rehearsal(document, state, secrets).steps()


def described(path: Path, *, graph: bool) -> RecipeText:
    """A recipe's text and what its plan names."""
    source = from_file(path)
    dsl = Peer("dsl")
    drawn = dsl.request("graph", {"file": source.file}, timeout=60)["mermaid"] if graph else ""
    document = plan.read(dsl.request("parse", {"file": source.file}, timeout=60))
    values = Values(document, State(), Secrets(lambda name: ""))
    return RecipeText(
        name=source.name, path=str(path), text=source.text.decode("utf-8", "replace"), steps=len(document.steps),
        finally_steps=len(document.finally_), vars=list(document.vars), graph=drawn,
        hosts={name: values.shown(place.spec) for name, place in document.hosts.items()},
        storages={name: values.shown(place.spec) for name, place in document.storages.items()},
    )  # fmt: skip


def _write(path: Path, data: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data)


def _shown_name(source: Source) -> str:
    if not source.file:
        return source.name
    path = Path(source.file)
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def _shown_vars(document: Plan, overrides: Overrides) -> dict[str, Any]:
    """The variables as written, or overridden; a secret stays its name."""
    given = overrides.get("vars", {})
    return {name: given.get(name, variable.value) for name, variable in document.vars.items()}


def give(begun: Begun) -> int:
    """Start a runner of its own for the job, which has its lock from us; its process id.

    It outlives this process and its terminal; what it says goes to `runner.log` in the job's folder.
    """
    program = spawn.tool_path("recipe")
    if program is None:
        raise TrainError("there is no train-recipe to run in the background", code="no_tool")
    begun.journal.close()
    os.set_inheritable(begun.lock.handle, True)
    log = os.open(begun.job.folder / "runner.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    quiet = os.open(os.devnull, os.O_RDONLY)
    env = {**os.environ, early.LOCK_VARIABLE: str(begun.lock.handle)}
    actions = [(os.POSIX_SPAWN_DUP2, quiet, 0), (os.POSIX_SPAWN_DUP2, log, 1), (os.POSIX_SPAWN_DUP2, log, 2)]
    argv = [program, "resume", begun.job.id, "--no-visual"]
    pid = os.posix_spawn(program, argv, env, file_actions=actions, setsid=True)
    os.close(log)
    os.close(quiet)
    begun.lock.release()
    return pid


def take_over(job: jobs.Job) -> jobs.Lock:
    """The job's lock: what the process that started us has given, else asked for."""
    if early.lock_handle >= 0:
        handle, early.lock_handle = early.lock_handle, -1
        same = os.fstat(handle)
        if (same.st_dev, same.st_ino) == (job.lock.stat().st_dev, job.lock.stat().st_ino):
            lock = jobs.Lock(handle)
            lock.sign()
            return lock
    return jobs.take_lock(job)


def edited(job: jobs.Job, state: State, document: Plan, text: bytes, *, write: bool) -> None:
    """Take a new text for a job whose finished steps are in it as they were; Conflict else."""
    numbers = {each.id: each for each in plan.all_of(document)}
    for step in state.steps.values():
        if step.closing or (step.over and not step.done):
            continue  # what failed may be mended
        now = numbers.get(step.id)
        if now is None or now.step.text != step.text or now.closing:
            raise Conflict(
                f"step {step.id} has run as: {step.text}",
                f"the edited recipe has there: {now.step.text if now else 'nothing'}\n"
                "what has run must stay as it was; or start a new job",
                code="edited_finished_step", data={"step": step.id},
            )  # fmt: skip
    if write:
        write_atomic(job.recipe, text)
