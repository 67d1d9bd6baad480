"""The folder of jobs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from trainsh_base.errors import Conflict, NotFound
from trainsh_recipe.store import finding, jobs
from trainsh_recipe.store.journal import Journal


def test_ids_sort_by_time_and_folders_are_private() -> None:
    made = [jobs.create() for _ in range(5)]
    times = [job.id.rpartition("-")[0] for job in made]
    assert times == sorted(times)
    assert Path(made[0].folder).stat().st_mode & 0o777 == 0o700
    assert [job.id for job in jobs.newest(2)] == sorted((job.id for job in made), reverse=True)[:2]


def test_a_job_is_found_by_its_beginning_or_end() -> None:
    job = jobs.create()
    Journal(job.events).write("job.started", job=job.id)
    assert finding.find(job.id).id == finding.find(job.id[-4:]).id == finding.find(job.id[:21]).id == job.id
    with pytest.raises(NotFound, match="no job 'nosuch'"):
        finding.find("nosuch")
    with pytest.raises(NotFound):
        finding.find("../../etc")


def test_a_beginning_that_several_have_is_refused() -> None:
    jobs.create()
    century = jobs.create().id[:2]  # midnight may be between the two
    with pytest.raises(Conflict, match="give more"):
        try:
            finding.find(century)
        except Conflict as error:
            raise Conflict(f"{error.message} {error.hint}") from None


def test_a_lock_is_held_by_one_and_says_who() -> None:
    job = jobs.create()
    lock = jobs.take_lock(job)
    held = jobs.holder(job)
    assert held is not None and held[0] == os.getpid() and held[1] == os.uname().nodename
    with pytest.raises(Conflict) as caught:
        jobs.take_lock(job)
    assert str(os.getpid()) in caught.value.message and caught.value.exit_status == 5
    lock.release()
    assert jobs.holder(job) is None
    jobs.take_lock(job).release()


def test_a_lock_goes_with_its_process() -> None:
    job = jobs.create()
    code = (
        "import os; from trainsh_recipe.store import finding, jobs; "
        f"jobs.take_lock(finding.find('{job.id}')); os.kill(os.getpid(), 9)"
    )
    Journal(job.events).write("job.started", job=job.id)
    killed = subprocess.run([sys.executable, "-c", code], check=False, timeout=60)
    assert killed.returncode == -9 and Path(job.lock).read_text() != ""
    assert jobs.holder(job) is None


def test_a_job_without_an_end_is_interrupted_when_nobody_holds_it() -> None:
    job = jobs.create()
    Journal(job.events).write("job.started", job=job.id)
    assert job.state().status == "interrupted"
    lock = jobs.take_lock(job)
    assert job.state().status == "running"
    lock.release()


def test_open_jobs_are_those_that_are_marked() -> None:
    first, second = jobs.create(), jobs.create()
    jobs.set_mark(first)
    jobs.set_mark(second)
    jobs.clear_mark(first)
    assert [job.id for job in jobs.open_jobs()] == [second.id]
    jobs.remove(second)
    assert jobs.open_jobs() == [] and not Path(second.folder).exists()


def test_the_mark_of_a_job_that_never_began_goes_when_nobody_holds_it() -> None:
    job = jobs.create()
    lock = jobs.take_lock(job)
    jobs.set_mark(job)
    jobs.settle_mark(job, job.state())
    assert Path(job.mark).exists()
    lock.release()
    jobs.settle_mark(job, job.state())
    assert not Path(job.mark).exists()


def test_a_running_job_is_not_removed() -> None:
    job = jobs.create()
    lock = jobs.take_lock(job)
    with pytest.raises(Conflict):
        jobs.remove(job)
    assert Path(job.folder).exists()
    lock.release()
