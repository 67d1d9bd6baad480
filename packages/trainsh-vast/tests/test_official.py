"""The official client works with the sandbox, and its results agree with those of train-vast."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from vast_cloud import BIN, Cloud, call, until


class Official:
    """The program `vastai`, as a person runs it."""

    def __init__(self, cloud: Cloud, home: Path) -> None:
        self._env = {
            **os.environ, "HOME": str(home), "VASTAI_NO_UPDATE_CHECK": "1", "XDG_CONFIG_HOME": str(home / "c"),
            "XDG_CACHE_HOME": str(home / "k"), "VAST_URL": cloud.env["VAST_URL"], "VAST_API_KEY": cloud.key,
        }  # fmt: skip

    def run(self, *words: str) -> str:
        done = subprocess.run(
            [str(BIN / "vastai"), *words], env=self._env, capture_output=True, text=True, check=False, timeout=60
        )
        assert done.returncode == 0, done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout

    def json(self, *words: str) -> Any:
        return json.loads(self.run(*words, "--raw"))


@pytest.fixture
def official(cloud: Cloud, tmp_path: Path) -> Official:
    return Official(cloud, tmp_path)


QUERIES = [
    "num_gpus>=1 gpu_ram>=24",
    "gpu_name=RTX_4090 duration>=3 verified=any geolocation in [US,CA,SE]",
    "cpu_ram>=64 driver_version>=550.54.15 reliability>0.98 num_gpus=1",
]


@pytest.mark.parametrize("query", QUERIES)
def test_searches_agree(official: Official, query: str) -> None:
    theirs = official.json("search", "offers", query, "-o", "dph+", "--storage", "10")
    ours = call("search", query=[query], limit=64)
    assert len(theirs) > 1
    assert [row["id"] for row in ours] == [row["id"] for row in theirs]
    assert [row["dph_total"] for row in ours] == pytest.approx([row["dph_total"] for row in theirs])


def test_an_instance_lives_the_same_life_for_both(official: Official, cloud: Cloud, quick: None) -> None:
    key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB3Zr0mW7mJw4rTn0bPzJm0y7oM2h0yYk0F4q6l1c9aQ me@host"
    official.run("create", "ssh-key", key)
    assert key in [row.key for row in call("keys")]
    offer = official.json("search", "offers", "num_gpus=1 gpu_name=RTX_3090", "-o", "dph+")[0]["id"]
    made = official.json(
        "create", "instance", str(offer), "--image", "x", "--disk", "12", "--ssh", "--direct", "--label", "lab"
    )
    number = made["new_contract"]
    row = call("wait", id=str(number), poll=0.2).instance
    assert (row.id, row.label, row.gpu, row.disk) == (number, "lab", "RTX 3090", 12.0)
    theirs = official.json("show", "instances")
    ours = call("show", id=str(number)).api
    assert [one["id"] for one in theirs] == [number]
    for field in ("dph_total", "gpu_name", "actual_status", "ssh_port", "machine_id", "label"):
        assert theirs[0][field] == ours[field]
    assert official.json("show", "instance", str(number))["id"] == number
    official.run("label", "instance", str(number), "lab2")
    assert call("list")[0].label == "lab2"
    official.run("stop", "instance", str(number))
    until(lambda: call("list")[0].state == "stopped")
    call("start", id=str(number))
    until(lambda: official.json("show", "instances")[0]["actual_status"] == "running")
    official.run("reboot", "instance", str(number))
    until(lambda: call("list")[0].state == "running")
    assert "success, running x/ssh" in official.run("logs", str(number))
    assert "success, running x/ssh" in call("logs", id=str(number)).text
    call("stop", id=str(number))
    assert official.json("show", "instances")[0]["intended_status"] == "stopped"
    official.run("destroy", "instance", str(number), "-y")
    assert call("list") == []
    # The official client can also use an instance that train-vast rented.
    offer = call("search", gpu="RTX_3090", num_gpus=1)[0]["id"]
    ours_made = call("create", offer=offer, image="y", label="mine")
    assert [(one["id"], one["label"]) for one in official.json("show", "instances")] == [(ours_made.id, "mine")]
    call("destroy", id=str(ours_made.id), yes=True)
    assert official.json("show", "instances") == []
