"""How a transfer is ended early, and how the next run continues it."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from trainsh_world import wait_until

from trainsh_base.errors import Cancelled, MissingProgram
from trainsh_base.tool.peer import Peer
from trainsh_xfer.engines.process import find_rsync, stream
from trainsh_xfer.model import Options, Result
from trainsh_xfer.remote.library import argv
from trainsh_xfer.transfer import Order, carry_out

SIZE = 40_000_000
TOOL = str(Path(sys.executable).with_name("train-xfer"))


def copies(source: Path) -> list[str]:
    """The processes that have `source` among their arguments, except this process."""
    found = []
    for line in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = line.read_bytes()
        except OSError:
            continue
        if os.fsencode(source) in words and line.parent.name != str(os.getpid()):
            found.append(line.parent.name)
    return found


def order(source: Path, destination: Path, bwlimit: int = 0) -> Order:
    return Order(source=str(source), destination=str(destination), options=Options(bwlimit=bwlimit))


def arrived(folder: Path) -> int:
    """How many bytes have arrived of the file that is being copied into `folder`."""
    return sum(path.stat().st_size for path in folder.glob(".big.*")) if folder.exists() else 0


def goes_on(source: Path, out: Path, request_: Any) -> Result:
    """Copy to the end. Check that the file is right, and that less than the whole file was sent."""
    result = carry_out(order(source, out / "big"), request_)
    assert (out / "big").read_bytes() == source.read_bytes()
    assert not (out / ".train-partial").exists()
    assert result.files == 1
    assert result.sent < SIZE - 4_000_000
    return result


def test_cancel_ends_rsync_and_the_next_run_goes_on(tmp_path: Path, request_: Any) -> None:
    source, out = tmp_path / "big", tmp_path / "out"
    source.write_bytes(os.urandom(SIZE))
    caught: list[BaseException] = []

    def work() -> None:
        try:
            carry_out(order(source, out / "big", bwlimit=10_000), request_)
        except Cancelled as error:
            caught.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    wait_until(lambda: arrived(out) > 5_000_000)
    request_.cancel()
    thread.join(60)
    assert len(caught) == 1
    wait_until(lambda: copies(source) == [])
    assert (out / ".train-partial" / "big").stat().st_size > 4_000_000
    goes_on(source, out, type(request_)())


def test_an_rsync_that_is_killed_goes_on_by_itself(tmp_path: Path, request_: Any) -> None:
    source, out = tmp_path / "big", tmp_path / "out"
    source.write_bytes(os.urandom(SIZE))
    done: list[Result] = []
    thread = threading.Thread(target=lambda: done.append(carry_out(order(source, out / "big", 10_000), request_)))
    thread.start()
    wait_until(lambda: arrived(out) > 5_000_000)
    for pid in copies(source):
        subprocess.run(["kill", "-KILL", pid], check=False)
    thread.join(60)
    assert done and done[0].files == 1
    assert (out / "big").read_bytes() == source.read_bytes()


@pytest.mark.parametrize(("signal", "status"), [("INT", 130), ("TERM", 143), ("KILL", -9)])
def test_the_tool_ends_and_takes_rsync_along(tmp_path: Path, request_: Any, signal: str, status: int) -> None:
    source, out = tmp_path / "big", tmp_path / "out"
    source.write_bytes(os.urandom(SIZE))
    words = [TOOL, "copy", str(source), f"{out}/big", "--bwlimit", "10M"]
    tool = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
    wait_until(lambda: arrived(out) > 5_000_000)
    subprocess.run(["kill", f"-{signal}", str(tool.pid)], check=True)
    output, errors = tool.communicate(timeout=60)
    assert tool.returncode == status
    assert (output, b"Traceback" in errors) == (b"", False)
    wait_until(lambda: copies(source) == [])
    assert not (out / "big").exists()
    goes_on(source, out, request_)


def test_a_served_request_is_cancelled(tmp_path: Path, request_: Any) -> None:
    source, out = tmp_path / "big", tmp_path / "out"
    source.write_bytes(os.urandom(SIZE))
    events: list[dict[str, Any]] = []
    peer = Peer("xfer")
    try:
        params = {"source": str(source), "destination": f"{out}/big", "bwlimit": "10M"}
        pending = peer.start("copy", params, on_event=events.append)
        wait_until(lambda: arrived(out) > 5_000_000)
        pending.cancel()
        with pytest.raises(Cancelled) as caught:
            pending.result(60)
    finally:
        peer.close()
    assert caught.value.exit_status == 130
    assert {event["kind"] for event in events} == {"progress"}
    assert all(0 <= event["done"] <= SIZE and event["unit"] == "bytes" for event in events)
    wait_until(lambda: copies(source) == [])
    goes_on(source, out, request_)


def test_rsync_ends_when_the_client_goes_away(tmp_path: Path) -> None:
    source, out = tmp_path / "big", tmp_path / "out"
    source.write_bytes(os.urandom(SIZE))
    peer = Peer("xfer")
    peer.start("copy", {"source": str(source), "destination": f"{out}/big", "bwlimit": "10M"})
    wait_until(lambda: arrived(out) > 5_000_000)
    peer.close()
    wait_until(lambda: copies(source) == [])


def test_cancelled_before_it_began(tmp_path: Path, request_: Any) -> None:
    (tmp_path / "a").write_text("x")
    request_.cancel()
    with pytest.raises(Cancelled):
        carry_out(order(tmp_path / "a", tmp_path / "b"), request_)
    assert not (tmp_path / "b").exists()


def test_no_rsync_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request_: Any) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingProgram, match="rsync is not installed"):
        find_rsync()


def test_a_program_that_is_no_rsync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = tmp_path / "rsync"
    fake.write_text("#!/bin/sh\necho something else\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingProgram):
        find_rsync()


def test_much_noise_on_stderr_is_kept_at_both_ends(request_: Any) -> None:
    words = ["/bin/sh", "-c", "echo first >&2; head -c 3000000 /dev/zero | tr '\\0' x >&2; echo last >&2; exit 3"]
    ended = stream(words, lambda chunk: None, request_)
    assert ended.status == 3
    assert ended.stderr.startswith("first")
    assert ended.stderr.endswith("last\n")
    assert len(ended.stderr) < 40_000


def test_a_command_ends_with_its_parent_and_only_then(tmp_path: Path) -> None:
    assert (
        subprocess.run(argv("end_with_parent", "sh", "-c", "exit 7"), stdin=subprocess.PIPE, check=False).returncode
        == 7
    )
    script = f"trap 'echo ended >{tmp_path}/said; exit 1' TERM; echo started; sleep 600 & wait"
    words = argv("end_with_parent", "sh", "-c", script)
    tool = subprocess.Popen([sys.executable, "-c", TIED, *words], stdout=subprocess.PIPE)
    assert tool.stdout
    assert tool.stdout.readline() == b"started\n"
    time.sleep(1)
    assert not (tmp_path / "said").exists()
    tool.kill()
    tool.wait()
    wait_until(lambda: (tmp_path / "said").exists())


TIED = """
import os, sys
from trainsh_base.request import Request
from trainsh_xfer.engines.process import stream
stream(sys.argv[1:], lambda data: os.write(1, data), Request(), tied=True)
"""


def test_an_interrupt_while_the_program_is_being_started_is_not_lost() -> None:
    script = """
import os, signal, sys
import sh  # it loads logging, in whose functions at a fork Python drops an exception
from trainsh_base.request import Request
from trainsh_xfer.engines.process import stream
os.register_at_fork(before=lambda: os.kill(os.getpid(), signal.SIGINT))
stream(["sleep", "60"], print, Request())
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=30, check=False)
    assert "KeyboardInterrupt" in done.stderr.splitlines()[-1] and "ignored" not in done.stderr
    assert done.returncode == -2, done.stderr
