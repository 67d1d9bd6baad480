"""Creates, lists, marks and removes the folders of jobs, and takes the lock of a job."""

import contextlib
import fcntl
import os
import time
from collections import Counter
from collections.abc import Callable

from trainsh_base.errors import Conflict
from trainsh_base.system.paths import jobs_folder, make_private
from trainsh_recipe.prestart import new_id
from trainsh_recipe.store import journal
from trainsh_recipe.store.fold import fold
from trainsh_recipe.store.state import State

# How many jobs are listed by default.
NEWEST = 20
# How many times to try to take a lock, with pauses of 10 ms. A process that only checks the lock also takes it for
# a moment.
GLIMPSES = 10
KEPT_EXEC = 50  # how many jobs of `exec` are kept
AT_ONCE = 10  # how many older jobs of `exec` are removed together, so that not every `exec` needs time for it
SHORT = 4  # length of the random part at the end of an id


class Job:
    """The folder of one job: `recipe`, `events.jsonl`, `steps/`, `shown/`, `lock`.

    All paths are text, because `train exec` does without pathlib, which takes 4 ms to load.
    """

    def __init__(self, id: str) -> None:
        self.id = id
        self._jobs = jobs_folder()
        self.folder = f"{self._jobs}/{id}"

    @property
    def short_id(self) -> str:
        """What people call the job (see `short`)."""
        return short(self.id)

    @property
    def recipe(self) -> str:
        """The file with the recipe's text as this job runs it."""
        return f"{self.folder}/recipe"

    @property
    def events(self) -> str:
        """The journal."""
        return f"{self.folder}/events.jsonl"

    @property
    def lock(self) -> str:
        """The lock file. The live runner has locked it, and its text names that runner."""
        return f"{self.folder}/lock"

    @property
    def abandoned(self) -> str:
        """A file that exists when required outputs of the job are given up."""
        return f"{self.folder}/abandon"

    @property
    def exec_mark(self) -> str:
        """A file that exists for jobs of `exec`."""
        return f"{self._jobs}/exec/{self.id}"

    @property
    def mark(self) -> str:
        """A file that exists while the job is not over."""
        return f"{self._jobs}/open/{self.id}"

    @property
    def shown(self) -> str:
        """The folder in which each session has a file.

        The file tells which part of the session's output the job's logs have.
        """
        return f"{self.folder}/shown"

    def log(self, number: str) -> str:
        """Return the log of the step whose `Numbered.file` is `number`."""
        return f"{self.folder}/steps/{number}.log"

    def state(self) -> State:
        """Return the state from the journal.

        It is `interrupted` if the journal has no end and no process has the lock.
        """
        state = fold(journal.read(self.events))
        state.id = state.id or self.id
        if state.status == "running" and holder(self) is None:
            state.status = "interrupted"
        return state


class Lock:
    """The lock of a job. The job is locked while the lock file is open. An exec keeps it open.

    A child process may inherit the open file.
    """

    def __init__(self, handle: int) -> None:
        self.handle = handle

    def sign(self) -> None:
        """Write this process's id, the host and the time into the lock file."""
        os.ftruncate(self.handle, 0)
        os.pwrite(self.handle, f"{os.getpid()} {os.uname().nodename} {journal.now()}\n".encode(), 0)

    def release(self) -> None:
        """Release the lock."""
        with contextlib.suppress(OSError):
            os.close(self.handle)


def create(id: str = "") -> Job:
    """Create a job's folder, with this id if no other job has it (see `prestart.new_id`)."""
    make_private(f"{jobs_folder()}/open")
    while True:
        job, id = Job(id or new_id()), ""
        try:
            os.mkdir(job.folder, mode=0o700)
        except FileExistsError:
            continue
        os.mkdir(f"{job.folder}/steps", mode=0o700)
        return job


def take_lock(job: Job) -> Lock:
    """Take the job's lock. Raises Conflict, which names the other runner, if another runner has the lock."""
    handle = os.open(job.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    for _ in range(GLIMPSES):
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        time.sleep(0.01)
    else:
        os.close(handle)
        who = holder(job)
        by = f"process {who[0]} on {who[1]}, since {who[2]}" if who else "another process"
        raise Conflict(
            f"job {job.short_id} is being run by {by}",
            f"to watch it: train recipe watch {job.short_id}\nto end it: train recipe cancel {job.short_id}",
            code="job_locked", data={"job": job.id, "pid": who[0] if who else None},
        )  # fmt: skip
    lock = Lock(handle)
    try:
        lock.sign()
    except OSError as error:
        lock.release()
        error.filename = str(job.lock)
        raise
    return lock


def holder(job: Job) -> tuple[int, str, str] | None:
    """Return (pid, host, since) of the live runner, or None if the lock is free."""
    try:
        handle = os.open(job.lock, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        words = os.pread(handle, 300, 0).decode(errors="replace").split()
        return (int(words[0]), words[1], words[2]) if len(words) == 3 and words[0].isdigit() else (0, "?", "?")
    finally:
        os.close(handle)
    return None


def names() -> list[str]:
    """Return the ids of all jobs, unsorted. This lists the folder of jobs once and reads no job."""
    try:
        return [name for name in os.listdir(jobs_folder()) if name[:1].isdigit()]
    except FileNotFoundError:
        return []


def newest(count: int = NEWEST, *, exec_: bool = False) -> list[Job]:
    """Return the newest jobs, newest first: those of recipes, or with `exec_` those of `exec`."""
    import heapq  # noqa: PLC0415 - listings only

    of_exec = set(_exec_names())
    return [Job(name) for name in heapq.nlargest(count, (n for n in names() if (n in of_exec) == exec_))]


def _exec_names() -> list[str]:
    try:
        return os.listdir(f"{jobs_folder()}/exec")
    except FileNotFoundError:
        return []


def set_exec_mark(job: Job) -> None:
    """Mark the job as one of `exec`, because listings show those separately."""
    _touch(job.exec_mark)


def prune_exec(keep: int = KEPT_EXEC) -> None:
    """Remove the jobs of `exec`, except the newest and those that run or left something running.

    Nothing is done before there are AT_ONCE jobs to remove.
    """
    older = sorted(_exec_names(), reverse=True)[keep:]
    for name in older if len(older) >= AT_ONCE else []:
        job = Job(name)
        if not os.path.exists(job.folder):
            _unlink(job.exec_mark)
        elif not os.path.exists(job.mark):
            with contextlib.suppress(Conflict, OSError):
                remove(job)


def short(id: str) -> str:
    """Return the short form of an id: its last four characters, or the whole id if another id begins or ends with
    them.
    """
    return short_forms()(id)


def short_forms() -> Callable[[str], str]:
    """Return a function that does the same as `short`.

    It lists the folder of jobs only once, and so is faster for many ids.
    """
    known = names()
    ends = Counter(name[-SHORT:] for name in known)
    starts = {name[:SHORT] for name in known}

    def form(id: str) -> str:
        end = id[-SHORT:]
        alone = ends[end] == 1 and end not in starts
        return end if alone and id[-SHORT - 1 : -SHORT] == "-" else id

    return form


def open_jobs() -> list[Job]:
    """Return the jobs that are not over, newest first."""
    try:
        marks = os.listdir(f"{jobs_folder()}/open")
    except FileNotFoundError:
        return []
    return [job for job in map(Job, sorted(marks, reverse=True)) if os.path.isdir(job.folder)]


def set_mark(job: Job) -> None:
    """Mark the job as not over."""
    _touch(job.mark)


def clear_mark(job: Job) -> None:
    """Remove the mark of a job that is over or removed."""
    _unlink(job.mark)


def settle_mark(job: Job, state: State) -> None:
    """Remove the mark of a recipe's job that is over, or whose runner was killed before it wrote an event."""
    over = state.kind == "recipe" and state.status in ("ok", "cancelled")
    # If the lock is free, the state is read again, because the job may have begun and failed since the first read.
    if over or (not state.started and holder(job) is None and not job.state().started):
        clear_mark(job)


def remove(job: Job) -> None:
    """Remove a job's folder. Raises Conflict if the job runs."""
    lock = take_lock(job)
    try:
        discard(job)
    finally:
        lock.release()


def discard(job: Job) -> None:
    """Remove the folder and the marks of a job whose lock this process has or could not write."""
    import shutil  # noqa: PLC0415 - 4 ms, and few jobs are removed

    clear_mark(job)
    _unlink(job.exec_mark)
    shutil.rmtree(job.folder)


def _touch(path: str) -> None:
    make_private(os.path.dirname(path))
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600))


def _unlink(path: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
