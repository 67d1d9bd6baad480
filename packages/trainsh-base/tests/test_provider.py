"""What providers share: the lock and the note of a rental, and changes that are requested until they are
visible.
"""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from trainsh_base.errors import NotFound, RemoteError, TimedOut
from trainsh_base.provider.instance import Instance
from trainsh_base.provider.listed import no_instance, remember
from trainsh_base.provider.rental import rental
from trainsh_base.provider.seen import until_seen
from trainsh_base.system import critical
from trainsh_base.system.deadline import Deadline


def test_a_note_outlives_its_writer_until_the_outcome_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRAINSH_HOME", str(tmp_path))
    with rental("shed", "job-1", "gpu") as note:
        assert note.asked_at() is None
        note.asking()
    with rental("shed", "job-1", "gpu") as note:
        asked = note.asked_at()
        assert asked is not None
        assert time.time() - asked < 60
        note.settled()
        assert note.asked_at() is None


def test_one_process_at_a_time_rents_for_a_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRAINSH_HOME", str(tmp_path))
    script = "from trainsh_base.provider.rental import rental\nwith rental('shed', 'a/b'): print('in', flush=True)"
    with rental("shed", "a/b"):
        other = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
        with pytest.raises(subprocess.TimeoutExpired):
            other.wait(0.5)
    assert other.communicate(timeout=60)[0] == "in\n"


def test_a_process_waits_for_critical_work() -> None:
    with critical.critical():
        assert not critical.finish(0.01)
    assert critical.finish(0.01)


# Sends the signal to the main thread at the moment when it has taken the lock of an event to wait for it.
AT_A_LOCK = """
import os, signal, threading
enter = threading.Condition.__enter__
def taking(self):
    taken = enter(self)
    if working and threading.current_thread() is threading.main_thread():
        working.clear()
        os.kill(os.getpid(), signal.SIGTERM)
    return taken
threading.Condition.__enter__ = taking
"""


@pytest.mark.parametrize("at_a_lock", ["", AT_A_LOCK], ids=["some time", "while a lock is taken"])
def test_serve_finishes_critical_work_after_its_client_is_gone(tmp_path: Path, at_a_lock: str) -> None:
    done = tmp_path / "done"
    script = f"""
import time
from pathlib import Path
working = []
{at_a_lock}
from trainsh_base.request import current
from trainsh_base.system.critical import critical
from trainsh_base.tool.declare import Tool
from trainsh_base.tool.program import run
tool = Tool("slow", "Slow")
@tool.command()
def rent() -> int:
    "Rent."
    with critical():
        working.append(1)
        current().emit("log", message="in")
        time.sleep({1 if at_a_lock else 7})
        Path({str(done)!r}).write_text("whole")
    return 1
run(tool)
"""
    child = subprocess.Popen(
        [sys.executable, "-c", script, "serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdin
    assert child.stdout
    child.stdin.write('{"jsonrpc": "2.0", "id": 1, "method": "rent", "params": {}}\n')
    child.stdin.flush()
    assert '"in"' in child.stdout.readline()
    child.stdout.close()
    child.stdin.close()
    if not at_a_lock:
        child.terminate()
    try:
        child.wait(60)
    finally:
        child.kill()
    assert done.read_text() == "whole"


def test_a_change_is_asked_for_until_it_is_seen() -> None:
    asked, looks = [], iter([RemoteError("429"), "running", "running", "stopped"])

    def look() -> str:
        found = next(looks)
        if isinstance(found, Exception):
            raise found
        return found

    row = until_seen(
        lambda: asked.append(1), look, lambda found: found == "stopped", Deadline.after(60), pause=0.01
    )
    assert row == "stopped"
    assert len(asked) == 2  # requested again after the error, but not at every look
    with pytest.raises(TimedOut):
        until_seen(lambda: None, lambda: "running", lambda _: False, Deadline.after(0.05), pause=0.01)

    def gone() -> None:
        raise NotFound("no such machine")

    with pytest.raises(NotFound):
        until_seen(gone, lambda: "running", lambda _: True, Deadline.after(60))


def test_a_machine_that_is_not_there_gets_the_nearest_that_was_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRAINSH_HOME", str(tmp_path))
    assert no_instance("shed", "27000010").hint == "see: train shed list"
    remember("shed", [Instance(id=27000001, state="running"), Instance(id="box", state="stopped")])
    assert no_instance("shed", "27000010").hint == "did you mean 27000001? see: train shed list"
    assert no_instance("shed", "bxo", gone=True).data == {"gone": True}
