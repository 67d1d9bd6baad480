"""A spare is a loaded tool that waits for clients. A client gets from it what a new process would give."""

import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from trainsh_base.system.spawn import Child
from trainsh_base.testing import DEADLINE
from trainsh_base.tool.peer import Peer
from trainsh_base.tool.spares import taking

TOOL = """#!{python}
import os, sys
from typing import Annotated
from trainsh_base.tool.declare import Arg, Tool
from trainsh_base.tool.program import run
sys.path.insert(0, {folder!r})
import trainsh_part
tool = Tool("slow", "A tool that tells where it runs", warm_up=lambda: __import__("trainsh_later"))

@tool.command()
def where() -> dict[str, object]:
    umask = os.umask(0)
    os.umask(umask)
    print("said on stderr", flush=True)
    return {{"pid": os.getpid(), "parent": os.getppid(), "cwd": os.getcwd(), "umask": umask, "value": trainsh_part.VALUE,
             "word": os.environb.get(b"WORD", b"").hex(), "loaded": "trainsh_later" in sys.modules, "typed": "TRAINSH_TYPED" in os.environ}}

run(tool)
"""
SECONDS = 60.0


def until(condition: Callable[[], object], what: str) -> None:
    """Wait for `condition`."""
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.01)


def runs(pid: int) -> bool:
    """Whether the process runs and is no zombie."""
    done = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return bool(done.stdout.strip()) and not done.stdout.startswith("Z")


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A tool, and a short folder for its sockets. Its spares end when this folder is removed."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "r"))
    (tmp_path / "r").mkdir()
    (tmp_path / "trainsh_part.py").write_text("VALUE = 1")
    (tmp_path / "trainsh_later.py").write_text("")
    path = tmp_path / "train-slow"
    path.write_text(TOOL.format(python=sys.executable, folder=str(tmp_path)))
    path.chmod(0o755)
    monkeypatch.setattr(taking, "runtime_folder", lambda: str(tmp_path / "r"))
    yield str(path)
    for entry in (tmp_path / "r").iterdir():
        entry.unlink(missing_ok=True)
    until(lambda: not spares(path), "the spares end without their sockets")


def spares(path: Path | str) -> list[int]:
    """The pids of the processes that run the tool."""
    done = subprocess.run(["pgrep", "-f", f"{path} serve"], capture_output=True, text=True, check=False)
    return [int(pid) for pid in done.stdout.split() if runs(int(pid))]


def waits() -> Path:
    """Wait until a spare waits, and return its socket."""
    folder = Path(taking.runtime_folder())
    until(lambda: [path for path in folder.iterdir() if path.is_socket() and path.suffix == ""], "a spare waits")
    return next(path for path in folder.iterdir() if path.is_socket() and path.suffix == "")


@pytest.fixture
def spare(program: str) -> int:
    """The pid of a spare that waits."""
    taking.leave(program, SECONDS)
    taking.leave(program, SECONDS)
    waits()
    return spares(program)[0]


def test_a_single_use_leaves_nothing(program: str) -> None:
    taking.leave(program, SECONDS)
    assert taking.take(program) is None and not spares(program)
    os.utime(next(Path(taking.runtime_folder()).glob("s-*.used")), (1e9, 1e9))
    taking.leave(program, SECONDS)  # the use before was too long ago
    assert not spares(program)


def test_a_client_gets_what_a_new_process_would_give(
    program: str, spare: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WORD", "new \udcff\nline")
    monkeypatch.setenv("TRAINSH_TYPED", "train slow")
    monkeypatch.chdir(tmp_path)
    before = os.umask(0o027)
    try:
        child = taking.take(program)
    finally:
        os.umask(before)
    assert child is not None and child.confirm()
    peer = Peer("slow", child=child)
    found = peer.request("where", timeout=DEADLINE)
    assert found == {
        "pid": child.pid, "parent": spare, "cwd": str(tmp_path), "umask": 0o027, "value": 1,
        "word": b"new \xff\nline".hex(), "loaded": True, "typed": False,
    }  # fmt: skip
    assert capfd.readouterr().err == "said on stderr\n"
    assert child.poll() is None
    peer.close()
    assert child.poll() is not None
    until(lambda: not runs(child.pid), "it ends with its client")
    assert spares(program) == [spare]


def test_each_client_gets_a_process_of_its_own_that_can_be_ended(program: str, spare: int) -> None:
    children = [child for child in (taking.take(program) for _ in range(3)) if child is not None]
    assert all(child.confirm() for child in children)
    assert len({child.pid for child in children} | {spare}) == 4
    for child in children:
        child.end(signal.SIGKILL)
        child.wait()
        until(lambda pid=child.pid: not runs(pid), "it is killed")  # type: ignore[misc]
    assert spares(program) == [spare]


def not_served(child: Child | None) -> bool:
    """Whether this client must start a new process. A process that serves it is ended."""
    if child is None or not child.confirm():
        return True
    child.end()
    child.wait()
    return False


def test_another_python_or_language_is_not_served(
    program: str, spare: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PYTHONUTF8", "LC_ALL", "LD_PRELOAD"):
        with monkeypatch.context() as changed:
            changed.setenv(name, "" if name == "LD_PRELOAD" else "C.UTF-8" if name == "LC_ALL" else "1")
            assert not_served(taking.take(program)), name
    with monkeypatch.context() as changed:  # as with two identities of the same hash
        changed.setattr(taking, "_path", lambda _who: str(waits()))
        changed.setenv("LC_ALL", "C")
        assert not_served(taking.take(program))
    assert not not_served(taking.take(program))


def test_a_spare_of_changed_code_serves_nobody(program: str, spare: int, tmp_path: Path) -> None:
    (tmp_path / "trainsh_part.py").write_text("VALUE = 22")
    assert not_served(taking.take(program))
    until(lambda: not runs(spare), "it ends")
    assert not_served(taking.take(program))


def test_a_spare_that_does_not_answer_is_not_relied_on(
    program: str, spare: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(taking, "CONFIRM_LIMIT", 0.1)
    os.kill(spare, signal.SIGSTOP)
    try:
        child = taking.take(program)
        assert child is not None and not child.confirm()
        assert taking.take(program) is None  # no other client waits for it
    finally:
        os.kill(spare, signal.SIGCONT)
    child.end()  # a spare that never served us has no pid that could be signalled
    until(lambda: not spares(program), "the spare ends, and its copy for the lost client too")


def test_a_killed_spare_leaves_a_socket_that_harms_nobody(program: str, spare: int) -> None:
    os.kill(spare, signal.SIGKILL)
    until(lambda: not runs(spare), "it is killed")
    assert waits() and taking.take(program) is None
    taking.leave(program, SECONDS)
    until(lambda: not not_served(taking.take(program)), "a new one takes its place")


def test_a_spare_ends_when_nobody_came(program: str, monkeypatch: pytest.MonkeyPatch) -> None:
    started, start = [], os.posix_spawn
    monkeypatch.setattr(os, "posix_spawn", lambda *words, **options: started.append(start(*words, **options)))
    taking.leave(program, 0.2)
    later = time.time() + SECONDS  # so that the use before is recent, however busy the machine is
    os.utime(next(Path(taking.runtime_folder()).glob("s-*.used")), (later, later))
    taking.leave(program, 0.2)
    [pid] = started
    until(lambda: not runs(pid), "it ends")
    assert not [path for path in Path(taking.runtime_folder()).iterdir() if path.is_socket()]


def test_a_spare_keeps_nothing_of_its_starter(program: str, tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    handle = os.open(lock, os.O_CREAT | os.O_RDWR)
    os.set_inheritable(handle, True)
    fcntl.flock(handle, fcntl.LOCK_EX)
    taking.leave(program, SECONDS)
    taking.leave(program, SECONDS)
    os.close(handle)
    waits()
    other = os.open(lock, os.O_RDWR)
    fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(other)
    if Path("/proc/self/cwd").exists():
        assert (Path("/proc") / str(spares(program)[0]) / "cwd").readlink() == Path("/")
