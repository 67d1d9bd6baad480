"""Tests the real machine of an instance, its isolation, its states and its bill, and that nothing is left of it."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from trainsh_sandbox import control, places

V0 = "/api/v0"


def until(what: Callable[[], Any], seconds: float = 60) -> Any:
    """Call `what` until its result is true, and return this result."""
    deadline = time.monotonic() + seconds
    while True:
        found = what()
        if found or time.monotonic() > deadline:
            assert found
            return found
        time.sleep(0.05)


class Box:
    """A sandbox in the form in which a client has it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        return control.ask(self.folder, method, path, body)

    def fault(self, **faults: str) -> None:
        self.ask("PUT", "/sandbox/faults", {name.replace("_", "-"): value for name, value in faults.items()})

    def rent(self, **more: Any) -> int:
        offers = self.ask("POST", f"{V0}/bundles/", {"num_gpus": {"eq": 1}})["offers"]
        body = {"image": "x", "disk": 10, "runtype": "ssh_direc ssh_proxy", **more}
        return int(self.ask("PUT", f"{V0}/asks/{offers[0]['id']}/", body)["new_contract"])

    def one(self, number: int) -> dict[str, Any]:
        found: dict[str, Any] = self.ask("GET", f"{V0}/instances/{number}/")["instances"]
        return found

    def is_in(self, number: int, status: str) -> dict[str, Any]:
        found: dict[str, Any] = until(lambda: (row := self.one(number))["actual_status"] == status and row)
        return found

    def advance(self, seconds: float) -> None:
        self.ask("POST", "/sandbox/advance", {"seconds": seconds})


@pytest.fixture
def box(sandbox: Path) -> Box:
    return Box(sandbox)


def ssh(box: Box, port: int, command: str) -> "subprocess.CompletedProcess[str]":
    key = box.folder / "home" / "ssh" / "id_ed25519"
    words = [
        "ssh",
        "-F",
        "none",
        "-i",
        str(key),
        "-o",
        "StrictHostKeyChecking=no",
        "-o",
        "UserKnownHostsFile=/dev/null",
    ]
    user = places.need(box.folder).user
    return subprocess.run(
        [*words, "-o", "LogLevel=ERROR", "-p", str(port), f"{user}@127.0.0.1", command],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


def test_an_instance_is_a_machine_that_cannot_touch_this_one(box: Box) -> None:
    public = (box.folder / "home" / "ssh" / "id_ed25519.pub").read_text()
    box.ask("POST", f"{V0}/ssh/", {"ssh_key": public})
    number = box.rent(env={"A": "1", "-p 70000:70000": "1"}, onstart="touch ~/.no_auto_tmux")
    row = box.is_in(number, "running")
    assert row["public_ipaddr"] == "127.0.0.1\n"
    direct = int(row["ports"]["22/tcp"][0]["HostPort"])
    for port in (direct, row["ssh_port"]):
        assert ssh(box, port, "hostname; id -un").stdout == f"C.{number}\nroot\n"
    said = ssh(box, direct, "tr '\\0' '\\n' </proc/1/environ; echo; env; ls -A /root /workspace/train").stdout
    assert f"CONTAINER_ID={number}\n" in said
    assert said.count("CONTAINER_API_KEY=") == 1  # the environment of a session itself does not have it
    assert "\nA=1\n" in said
    assert "train.py" in said
    until(lambda: ".no_auto_tmux" in ssh(box, direct, "ls -A /root").stdout)
    mark = f"/usr/sandbox-test-{os.getpid()}"
    hostile = (
        f"touch {mark}; touch /var/x{os.getpid()}; echo x >/root/mine; echo x >/tmp/mine-{number}; ls {box.folder}"
    )
    assert ssh(box, direct, hostile).returncode != 0
    assert not Path(mark).exists()
    assert not Path(f"/tmp/mine-{number}").exists()
    example = (
        "cd /workspace/train && git clone -q https://github.com/user/repo && python train.py --model m && ls model"
    )
    assert "weights.json" in ssh(box, direct, example).stdout
    # A stop ends all processes and keeps the disk. A start uses other ports. A destroy leaves nothing.
    box.ask("PUT", f"{V0}/instances/{number}/", {"state": "stopped"})
    assert box.is_in(number, "exited")["ports"] == {}
    assert ssh(box, direct, "true").returncode == 255
    box.ask("PUT", f"{V0}/instances/{number}/", {"state": "running"})
    again = int(box.is_in(number, "running")["ports"]["22/tcp"][0]["HostPort"])
    assert again != direct
    assert "weights.json" in ssh(box, again, "ls /workspace/train/model").stdout
    box.ask("DELETE", f"{V0}/instances/{number}/", {})
    assert box.one(number) is None
    assert not (box.folder / "disks" / str(number)).exists()


STATES = [
    ({"stuck_loading": "on"}, ("running", "running", "loading", "")),
    ({"pull_error": "on"}, ("running", "running", "loading", "manifest unknown")),
    ({"oci_error": "on"}, ("running", "running", "created", "OCI runtime create failed")),
    ({"instance_dies_after": "100s"}, ("running", "running", "exited", "")),
    ({"host_lost_after": "100s"}, ("running", "running", "offline", "")),
    ({"unknown_after": "100s"}, ("running", "running", "unknown", "")),
    ({"expires_after": "100s"}, ("stopped", "stopped", "exited", "ended")),
]


@pytest.mark.parametrize(("faults", "states"), STATES, ids=[next(iter(row[0])) for row in STATES])
def test_what_goes_wrong_shows_in_the_states(box: Box, faults: dict[str, str], states: tuple[str, ...]) -> None:
    box.fault(**faults)
    number = box.rent()
    if faults.keys() & {"instance_dies_after", "host_lost_after", "unknown_after", "expires_after"}:
        box.is_in(number, "running")
        box.advance(110)
        box.advance(1)
    row = box.is_in(number, states[2])
    assert (row["cur_state"], row["intended_status"]) == states[:2]
    assert states[3] in row["status_msg"]


def test_a_bid_loses_and_wins_again_and_a_start_waits_in_a_queue(box: Box) -> None:
    number = box.rent(price=5.0)
    box.is_in(number, "running")
    box.ask("PUT", f"{V0}/instances/bid_price/{number}/", {"client_id": "me", "price": 0.002})
    assert box.is_in(number, "exited")["intended_status"] == "stopped"
    box.ask("PUT", f"{V0}/instances/bid_price/{number}/", {"client_id": "me", "price": None})
    box.is_in(number, "running")
    box.ask("PUT", f"{V0}/instances/{number}/", {"state": "stopped"})
    box.fault(start_queued="on")
    answer = box.ask("PUT", f"{V0}/instances/{number}/", {"state": "running"})
    assert answer["success"] is False
    assert "queued" in answer["msg"]
    assert box.one(number)["intended_status"] == "running"
    box.fault(start_queued="off")
    box.is_in(number, "running")


def test_the_ledger_bills_what_was_used_and_credit_ends_everything(box: Box) -> None:
    spent = box.ask("GET", f"{V0}/users/current/")["total_spend"]
    number = box.rent(disk=100)
    row = box.is_in(number, "running")
    gpu, disk = row["dph_base"], row["storage_total_cost"]
    box.advance(7200)
    box.ask("PUT", f"{V0}/instances/{number}/", {"state": "stopped"})
    box.advance(3600)
    box.ask("POST", "/sandbox/traffic", {"id": number, "up": 2_000_000_000})
    cost = box.ask("GET", f"{V0}/users/current/")["total_spend"] - spent
    assert cost == pytest.approx(2 * gpu + 3 * disk + 2 * row["inet_up_cost"], abs=0.01)
    days = '{"day":{"gte":0,"lte":9999999999}}'
    lines = [
        line
        for line in box.ask("GET", f"{V0}/charges/?select_filters={days}&limit=500")["results"]
        if line["source"] == f"instance-{number}"
    ]
    assert lines[0]["amount"] == pytest.approx(cost, abs=0.01)
    box.ask("PUT", f"{V0}/instances/{number}/", {"state": "running"})
    box.is_in(number, "running")
    credit = box.ask("GET", f"{V0}/users/current/")["credit"]
    box.ask("POST", "/sandbox/credit", {"amount": 0.01 - credit})
    box.advance(36000)
    assert box.one(number)["intended_status"] == "stopped"
    assert box.ask("GET", f"{V0}/users/current/")["credit"] == pytest.approx(-disk * 10, abs=disk * 10)
    box.ask("POST", "/sandbox/credit", {"amount": 200})


def processes_of(folder: Path) -> list[str]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                words = (entry / "cmdline").read_bytes().decode(errors="replace")
            except OSError:
                continue
            if str(folder) in words:
                found.append(words)
    return found


def test_after_down_nothing_is_left(request: pytest.FixtureRequest) -> None:
    # The folder is not in /tmp, because an instance sees this machine's folders except /tmp, and so also the one
    # that holds its disk.
    around = Path(tempfile.mkdtemp(dir="/var/tmp"))
    request.addfinalizer(lambda: shutil.rmtree(around))
    folder = around / "box"
    control.up(folder, {})
    box = Box(folder)
    number = box.rent()
    box.is_in(number, "running")
    assert processes_of(folder)
    assert control.down(folder)
    assert list(around.iterdir()) == []
    until(lambda: processes_of(folder) == [])
    assert str(folder) not in Path("/proc/mounts").read_text()
    assert not control.down(folder)
