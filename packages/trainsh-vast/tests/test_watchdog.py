"""Tests the watchdog: what counts as work, when it stops a machine, and with which programs.

The last tests use a real machine of the sandbox.
"""

import os
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

import trainsh_vast
from trainsh_base.errors import RemoteError
from vast_cloud import Cloud, call, train_sandbox, until

LIMITS = Path(trainsh_vast.__file__).parent / "limits"
SCRIPT = LIMITS / "watchdog.sh"
SHELLS = [shell for shell in (["dash"], ["busybox", "sh"], ["bash", "--posix"]) if shutil.which(shell[0])]
KEY = "secretofthemachine"
BASICS = (
    "cat",
    "tr",
    "sed",
    "head",
    "grep",
    "date",
    "mkdir",
    "mv",
    "chmod",
    "tail",
    "setsid",
    "nohup",
    "sleep",
    "sh",
)


class Service(BaseHTTPRequestHandler):
    """The part of the API that a machine may use with its own key."""

    calls: list[tuple[str, str, str]]
    storm = 0  # how many requests it still refuses

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        right = self.headers["Authorization"] == f"Bearer {KEY}" and self.path == "/api/v0/instances/7/"
        self.calls.append((self.command, self.path, body))
        if Service.storm:
            Service.storm -= 1
            self.send_response(429)
        else:
            self.send_response(200 if right else 404)
        text = b'{"instances": {"actual_status": "running"}}'
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_PUT = _answer

    def log_message(self, *_about: Any) -> None:
        pass


class Machine:
    """A machine with a fake /proc, in which files stand for processes. The script runs on this machine."""

    def __init__(self, folder: Path, shell: list[str], url: str) -> None:
        self.folder, self.shell, self.url = folder, shell, url
        (folder / "proc" / "1").mkdir(parents=True)
        self.variables(f"CONTAINER_ID=7\0CONTAINER_API_KEY={KEY}\0")
        self.process(1, "init", state="S")
        self.path = os.environ["PATH"]

    def variables(self, text: str) -> None:
        (self.folder / "proc" / "1" / "environ").write_text(text)

    def process(self, pid: int, name: str, state: str = "S", terminal: int = 0, moved: int = 0) -> None:
        place = self.folder / "proc" / str(pid)
        place.mkdir(parents=True, exist_ok=True)
        (place / "stat").write_text(f"{pid} ({name}) {state} 1 {pid} {pid} {terminal} -1 4194560 1 2 3\n")
        (place / "io").write_text(f"rchar: {moved}\nwchar: 12\nsyscr: 5\n")

    def only(self, *programs: str) -> None:
        """Let PATH contain only these programs and the basic ones."""
        tools = self.folder / "bin"
        tools.mkdir()
        for name in (*BASICS, *programs):
            found = shutil.which(name)
            if found:
                (tools / name).symlink_to(found)
        self.path = str(tools)

    def run(self, *words: str, status: int = 0, **more: Any) -> str:
        env = {
            "PATH": self.path, "HOME": str(self.folder), "WATCHDOG_PROC": str(self.folder / "proc"),
            "WATCHDOG_HOME": str(self.folder / "dog"), "WATCHDOG_ONSTART": str(self.folder / "onstart.sh"),
        }  # fmt: skip
        shell = [shutil.which(self.shell[0]) or "", *self.shell[1:]]
        done = subprocess.run(
            [*shell, str(SCRIPT), *words], env=env, capture_output=True, text=True, check=False, timeout=60, **more
        )
        assert done.returncode == status, done.stderr
        return done.stdout + done.stderr

    def set(self, **values: int) -> None:
        """Write the script's files. Each value is a time in seconds from now, except `idle`, which is written as it
        is.
        """
        (self.folder / "dog").mkdir(exist_ok=True)
        for name, value in values.items():
            at = value if name == "idle" else int(time.time()) + value
            (self.folder / "dog" / name).write_text(f"{at}\n")
        (self.folder / "dog" / "url").write_text(self.url + "\n")

    def log(self) -> str:
        file = self.folder / "dog" / "log"
        return file.read_text() if file.exists() else ""


@pytest.fixture
def url() -> Iterator[str]:
    Service.calls = []
    server = HTTPServer(("127.0.0.1", 0), Service)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(params=SHELLS, ids=[shell[0] for shell in SHELLS])
def machine(request: pytest.FixtureRequest, tmp_path: Path, url: str) -> Machine:
    return Machine(tmp_path, request.param, url)


WORK = [
    ({"name": "python"}, "idle", "a program without a terminal"),
    ({"name": "python", "terminal": 34816}, "busy", "a program on a terminal"),
    ({"name": "my prog) S 1", "terminal": 34816}, "busy", "a name with a parenthesis"),
    ({"name": "bash", "terminal": 34816}, "idle", "a shell that waits"),
    ({"name": "bash", "terminal": 34816, "state": "R"}, "busy", "a shell that runs"),
    ({"name": "tmux: client", "terminal": 34816}, "idle", "somebody who is attached"),
    ({"name": "rsync", "moved": 5000}, "busy", "a transfer that moves"),
]


@pytest.mark.parametrize(("process", "state", "_what"), WORK, ids=[row[2] for row in WORK])
def test_what_counts_as_work(machine: Machine, process: dict[str, Any], state: str, _what: str) -> None:
    machine.process(50, **process)
    machine.set(idle=600, used=-700, until=-int(time.time()), heard=-700)
    machine.run("look")
    stopped = ("PUT", "/api/v0/instances/7/", '{"state":"stopped"}') in Service.calls
    assert stopped == (state == "idle")
    if process["name"] == "rsync":  # a transfer that hangs has the same count of bytes as at the last look
        machine.set(used=-700)
        machine.run("look")
        assert Service.calls


def test_a_busy_gpu_is_work(machine: Machine) -> None:
    tools = machine.folder / "tools"
    tools.mkdir()
    for percent, calls in ((37, 0), (2, 1)):
        (tools / "nvidia-smi").write_text(f"#!/bin/sh\necho 0; echo {percent}\n")
        (tools / "nvidia-smi").chmod(0o755)
        machine.path = f"{tools}:{os.environ['PATH']}"
        machine.set(idle=600, used=-700, until=-int(time.time()), heard=-700)
        machine.run("look")
        assert len(Service.calls) == calls


MOMENTS = [
    ({"idle": 600, "used": -500, "heard": -500, "until": 500}, False, "nothing is over"),
    ({"idle": 0, "used": -9000, "heard": -9000, "until": 500}, False, "idle is off"),
    ({"idle": 600, "used": -10, "heard": -500, "until": -1}, True, "its time is over and no runner is heard"),
    ({"idle": 600, "used": -10, "heard": -20, "until": -30}, False, "a runner ends its job by itself"),
    ({"idle": 600, "used": -10, "heard": -20, "until": -95}, True, "the runner took too long"),
]


@pytest.mark.parametrize(("times", "stops", "_what"), MOMENTS, ids=[row[2] for row in MOMENTS])
def test_when_it_stops(tmp_path: Path, url: str, times: dict[str, int], stops: bool, _what: str) -> None:
    machine = Machine(tmp_path, ["sh"], url)
    machine.set(**times)
    machine.run("look")
    assert bool(Service.calls) == stops
    assert ("stopping this machine" in machine.log()) == stops


@pytest.mark.parametrize("program", ["curl", "python3", "wget"])
def test_the_programs_that_it_can_call_with(tmp_path: Path, url: str, program: str) -> None:
    machine = Machine(tmp_path, ["sh"], url)
    machine.only(program)
    assert machine.run("arm", "600", "100", url).strip() == "armed"
    assert Service.calls[0][0] == "GET"
    machine.set(used=-700)
    machine.run("look")
    assert Service.calls[-1] == ("PUT", "/api/v0/instances/7/", '{"state":"stopped"}')
    assert (tmp_path / "onstart.sh").read_text().count("watchdog.sh again") == 1
    assert KEY not in machine.log()
    machine.run("off")


def test_a_storm_is_waited_for(tmp_path: Path, url: str) -> None:
    machine = Machine(tmp_path, ["sh"], url)
    Service.storm = 2
    assert machine.run("arm", "600", "0", url).strip() == "armed"
    machine.run("off")


def test_what_cannot_be_armed_is_said(machine: Machine, url: str) -> None:
    machine.variables("CONTAINER_ID=7\0CONTAINER_API_KEY=another\0")
    assert "404" in machine.run("arm", "600", "0", url, status=1)
    machine.variables("CONTAINER_ID=7\0")
    assert "no CONTAINER_API_KEY" in machine.run("arm", "600", "0", url, status=1)
    machine.variables(f"CONTAINER_ID=7\0CONTAINER_API_KEY={KEY}\0")
    machine.only()
    assert "none of curl, python3 and wget" in machine.run("arm", "600", "0", url, status=1)
    assert not (machine.folder / "onstart.sh").exists()


def test_a_start_after_its_time_is_a_persons_own(machine: Machine) -> None:
    machine.set(idle=0, used=-700, heard=-700, until=-700)
    (machine.folder / "dog" / "watchdog.sh").write_text("exit 0\n")
    machine.run("again")
    assert "idle 1800\nuntil 0\n" in machine.run("status")


# A real machine


@pytest.mark.usefixtures("quick")
def test_a_machine_stops_by_itself_and_again_after_a_restart(cloud: Cloud) -> None:
    number = cloud.rent()
    ref = str(number)
    assert "it stops by itself after 6.0s without work" in call("wait", id=ref, poll=0.1, idle_stop="6s").message
    target = call("resolve", ref=ref)
    tools = subprocess.Popen([*target.argv[:1], "-tt", *target.argv[1:], "sleep 9"], stdin=subprocess.DEVNULL)
    assert tools.wait(60) == 0  # a person's command, which takes longer than the limit
    assert call("list")[0].state == "running"
    until(lambda: call("list")[0].state == "stopped")
    call("start", id=ref)
    until(lambda: call("list")[0].state == "running")
    until(lambda: call("list")[0].state == "stopped")


@pytest.mark.usefixtures("quick")
def test_a_new_machine_of_a_job_stops_though_nobody_ever_reaches_it(cloud: Cloud) -> None:
    wanted = {"gpu": "RTX_3090", "num_gpus": 1, "create": True, "image": "x", "max_dph": 5.0, "_job": "job-1"}
    call("pick", host="gpu", **wanted, idle_stop="3s")
    until(lambda: call("list")[0].state == "running")
    until(lambda: call("list")[0].state == "stopped")


@pytest.mark.usefixtures("quick")
def test_a_limit_that_was_asked_for_and_cannot_hold_is_an_error(cloud: Cloud) -> None:
    number = cloud.rent()
    call("wait", id=str(number), poll=0.1)
    folder = cloud.folder / "disks" / str(number) / "root" / ".local"
    folder.mkdir(exist_ok=True)
    (folder / "state").write_text("in the way")
    with pytest.raises(RemoteError, match="cannot stop by itself") as caught:
        call("wait", id=str(number), poll=0.1, max_cost=1.0)
    assert caught.value.code == "not_armed"
    assert train_sandbox(cloud.folder, "status")["instances"]
