"""Machines that are worse than their offers are measured, given back and remembered as bad.

Also tests how figures are compared.
"""

import signal
import subprocess
from typing import Any

import pytest

from trainsh_base.errors import Conflict, NotFound
from trainsh_vast.vetting import bad_machines, measures
from trainsh_vast.vetting.measures import judged, parsed
from vast_cloud import BIN, Cloud, call, until

JOB = "20261127-130000-001-bbbb"
ROW = {
    "num_gpus": 2, "gpu_ram": 24564, "disk_space": 20.0, "disk_bw": 5000.0, "inet_down": 800.0, "inet_up": 400.0,
    "total_flops": 160.0, "cuda_max_good": 12.4, "driver_version": "550.54.15",
}  # fmt: skip
GOOD = "gpus 2\nmemory 24100\ndriver 550.90.1\ncuda 12.6\nfree 19\ndisk 900\ndown 700\nup 300\ntflops 60\n"
SHORT = [
    ("gpus 2", "gpus 1", "1 GPUs instead of 2"),
    ("memory 24100", "memory 12000", "12000 MB of GPU memory instead of 24564"),
    ("cuda 12.6", "cuda 12.2", "CUDA 12.2 instead of 12.4"),
    ("driver 550.90.1", "driver 535.1", "driver 535.1 instead of 550.54.15"),
    ("free 19", "free 3", "3 GB of free disk instead of 20"),
    ("disk 900", "disk 40", "40 MB/s to disk instead of 5000"),
    ("down 700", "down 90", "90 Mb/s down instead of 800"),
    ("tflops 60", "tflops 5", "5 TFLOPS instead of 80"),
]


def test_a_machine_as_promised_is_taken_and_what_was_not_measured_is_no_reason() -> None:
    assert judged(ROW, parsed(GOOD)).short == []
    assert judged(ROW, parsed("Welcome to vast.ai\ngpus 2\n")).short == []


@pytest.mark.parametrize(("good", "bad", "words"), SHORT, ids=[row[1] for row in SHORT])
def test_what_falls_short(good: str, bad: str, words: str) -> None:
    assert judged(ROW, parsed(GOOD.replace(good, bad))).short == [words]


@pytest.mark.usefixtures("quick")
def test_a_machine_that_falls_short_is_given_back_and_the_next_taken(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Only the memory is simulated by the sandbox. The speeds are those of this machine, which may be busy.
    monkeypatch.setattr(measures, "SHARE", dict.fromkeys(measures.SHARE, 0.0) | {"memory": 0.94})
    cloud.fault("falls-short=1x")
    wanted: dict[str, Any] = {"gpu": "RTX_3090", "num_gpus": 1, "create": True, "image": "x", "max_dph": 5.0}
    found = call("pick", host="gpu", **wanted, vet="60s", _job=JOB)
    (bad,) = bad_machines.known().values()
    assert "MB of GPU memory instead of" in bad
    assert [row["id"] for row in cloud.rows()] == [found.instance.id]
    row = cloud.one(int(found.instance.id))
    assert row
    assert row["machine_id"] not in bad_machines.known()
    assert call("wait", _job=JOB, _hosts=found.hosts, poll=0.1).hosts == found.hosts
    # `wait` does the same, so that the host gets another machine.
    cloud.fault("falls-short=1x")
    call("destroy", _job=JOB)
    first = call("pick", host="gpu", **wanted, _job=JOB)
    after = call("wait", _job=JOB, _hosts=first.hosts, poll=0.1, vet="60s")
    assert after.hosts["gpu"] != first.hosts["gpu"]
    assert len(cloud.rows()) == 1
    # A machine that the job did not rent is stopped, not destroyed. After that, no machine is left that fits.
    call("destroy", _job=JOB)
    cloud.fault("falls-short=on")
    mine = cloud.rent(gpu="RTX 4090")
    with pytest.raises(NotFound, match="none of your instances fits"):
        call("pick", host="gpu", gpu="RTX_4090", vet="60s", _job=JOB)
    assert [(row.id, row.state, row.job) for row in call("list")] == [(mine, "stopped", "")]


@pytest.mark.usefixtures("quick")
def test_by_hand_it_is_said_and_left(cloud: Cloud) -> None:
    cloud.fault("falls-short=on")
    number = cloud.rent()
    with pytest.raises(Conflict, match="is worse than its offer says") as caught:
        call("wait", id=str(number), poll=0.1, vet="60s")
    assert caught.value.hint == f"to give it back: train vast stop {number}"


def test_a_create_that_is_terminated_has_its_label_and_says_what_it_rented(cloud: Cloud) -> None:
    cloud.fault("create-slow=1s")
    offer = call("search", gpu="RTX_3090", num_gpus=1)[0]["id"]
    child = subprocess.Popen(
        [str(BIN / "train-vast"), "create", str(offer), "--image", "x", "--label", "mine"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    until(cloud.rows)
    child.send_signal(signal.SIGTERM)
    out, err = child.communicate(timeout=60)
    number = cloud.rows()[0]["id"]
    assert [row["label"] for row in cloud.rows()] == ["mine"]
    assert child.returncode == 143
    assert str(number) in out + err
