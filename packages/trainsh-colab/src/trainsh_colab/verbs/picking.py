"""Takes a runtime for a host of a recipe: one that is connected, or a new one that Google's program creates."""

import contextlib
import fcntl
import os
from collections.abc import Iterator

from trainsh_base.errors import Conflict, NotFound, UsageError
from trainsh_base.provider.rental import rental
from trainsh_base.request import current
from trainsh_base.system.paths import private_folder, state_home
from trainsh_colab import runtimes
from trainsh_colab.google import program as google
from trainsh_colab.holds import Hold, changed_holds, free_for, session_name
from trainsh_colab.model import Runtime, Verb

PROVIDER = "colab"


def pick(host: str, job: str, name: str | None, *, create: bool, gpu: str | None, tpu: str | None) -> Verb:
    """Take a runtime for the host `host` of the job.

    If the job already holds a runtime for this host, it is taken. Otherwise it is a new one with `create`, else the
    one called `name`, else a free one.
    """
    if (gpu or tpu) and not create:
        raise UsageError("gpu and tpu are allowed only with create=true", "add create=true", code="usage")
    with rental(PROVIDER, job or "by-hand", host):
        row = _mine(job, host)
        if row is None and create:
            row = _created(job, host, gpu, tpu)
    if row is None:
        row = _taken(_choose(name, job), job, host)
    return Verb(
        hosts={host: f"colab:{row.id}"}, instance=row, message=f"{row.id} ({row.gpu or row.through}) is @{host}"
    )


def _mine(job: str, host: str) -> Runtime | None:
    """Return the running runtime that the job already holds for this host, or None if there is none."""
    if not job:
        return None
    rows = [row for row in runtimes.every() if row.label == f"{job}/{host}" and row.state == "running"]
    return rows[0] if rows else None


def _created(job: str, host: str, gpu: str | None, tpu: str | None) -> Runtime:
    """Create a session. The hold is saved before, so that a session that costs money always belongs to a job."""
    name = session_name(job or "by-hand", host)
    request = current()
    with _creating(name) as lock:
        if not google.was_used() or name not in {session.name for session in google.sessions()}:
            with changed_holds() as held:
                held[name] = Hold(job=job, host=host)
            request.emit("progress", done=0, total=2, message=f"creating {name}")
            google.create(name, gpu, tpu, lock)
            request.emit("progress", done=1, total=2, message=f"{name} is created")
        with changed_holds() as held:
            held[name] = Hold(job=job, host=host)
        session = google.find(name)
    request.emit("progress", done=2, total=2, message=f"{name} runs")
    return runtimes.session_row(session)


@contextlib.contextmanager
def _creating(name: str) -> Iterator[int]:
    """Hold the lock of a file. Yield the open file, so that Google's program can inherit it.

    The program may run longer than this process. Then the program still holds the lock.
    """
    handle = os.open(private_folder(state_home() / "rentals") / f"{name}.creating", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield handle
    finally:
        os.close(handle)


def _choose(name: str | None, job: str) -> Runtime:
    """Return the runtime called `name`.

    If it is None, return the free runtime. If several are free, ask which one to take.
    """
    rows = runtimes.every()
    if name:
        found = next((row for row in rows if str(row.id) == name), None)
        if found is None:
            raise NotFound(f"there is no Colab runtime {name!r}", "see: train colab list", code="no_instance")
        if found.state != "running":
            raise Conflict(
                f"the Colab runtime {name} is {found.state}" + (f" ({found.problem})" if found.problem else ""),
                f"run its cell again, then: train colab connect {name} --host ADDRESS", code="runtime_gone",
            )  # fmt: skip
        if not free_for(found, job):
            raise Conflict(
                f"the Colab runtime {name} is held by job {found.job}", "see: train colab list", code="held"
            )
        return found
    free = [row for row in rows if row.state == "running" and free_for(row, job)]
    if not free:
        held = [row for row in rows if row.state == "running"]
        raise NotFound(
            "no Colab runtime is free" if held else "no Colab runtime answers",
            "connect one: train colab connect NAME; or with Google's program: create=true gpu=T4",
            code="no_instance",
        )  # fmt: skip
    if len(free) == 1:
        return free[0]
    names = [str(row.id) for row in free]
    answer = current().ask("choose", "Which Colab runtime?", choices=names, default=names[0], flag="name=NAME")
    return next(row for row in free if str(row.id) == answer)


def _taken(row: Runtime, job: str, host: str) -> Runtime:
    """Save that the job holds the runtime. Raises Conflict if another job has taken the runtime in the meantime."""
    if not job:
        return row
    with changed_holds() as held:
        before = held.get(str(row.id))
        if before and before.job != job and not free_for(_with_job(row, before.job), job):
            raise Conflict(f"the Colab runtime {row.id} was just taken by job {before.job}", code="held")
        held[str(row.id)] = Hold(job=job, host=host)
    return _with_job(row, job, f"{job}/{host}")


def _with_job(row: Runtime, job: str, label: str = "") -> Runtime:
    import msgspec  # noqa: PLC0415 - loaded already by then

    return msgspec.structs.replace(row, job=job, label=label)
