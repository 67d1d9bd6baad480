"""A sandbox in the form in which a user has it, for the tests of train-vast."""

import json
import os
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from world_http import ask

BIN = Path(sys.executable).parent


def train_sandbox(folder: Path, *words: str) -> Any:
    """The answer of a command of train-sandbox."""
    done = subprocess.run(
        [str(BIN / "train-sandbox"), *words, "--json"], env={**os.environ, "TRAINSH_SANDBOX": str(folder)},
        stdout=subprocess.PIPE, check=True, timeout=90,
    )  # fmt: skip
    return json.loads(done.stdout)


class Cloud:
    """A sandbox that runs, with its faults and its clock. The answers of its API are read without train-vast."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.env: dict[str, str] = train_sandbox(folder, "env")["env"]
        self.key = self.env["VAST_API_KEY"]

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        return ask(self.env["VAST_URL"], self.key, method, path, body)

    def fault(self, *switches: str) -> None:
        """Set faults. Each word has the form NAME=VALUE, as in `train sandbox fault`."""
        self.ask("PUT", "/sandbox/faults", dict(word.split("=") for word in switches))

    def calm(self) -> None:
        """Clear all faults, instances and remembered machines for the next test."""
        (Path(self.env["TRAINSH_HOME"]) / "state" / "vast" / "bad-machines").unlink(missing_ok=True)
        self.ask("PUT", "/sandbox/faults", {"off": "on"})
        for one in self.rows():
            self.ask("DELETE", f"/api/v0/instances/{one['id']}/", {})

    def rows(self) -> list[dict[str, Any]]:
        """The id, the status and the label of each rented instance."""
        found: list[dict[str, Any]] = self.ask("GET", "/sandbox/status")["instances"]
        return found

    def one(self, number: int) -> dict[str, Any] | None:
        found: dict[str, Any] | None = self.ask("GET", f"/api/v0/instances/{number}/")["instances"]
        return found

    def advance(self, seconds: float) -> None:
        self.ask("POST", "/sandbox/advance", {"seconds": seconds})

    def charged_this_month(self, now: float) -> float:
        """The sum of the ledger since the beginning of the month, in UTC."""
        begun = datetime.fromtimestamp(now, UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        days = json.dumps({"day": {"gte": begun.timestamp(), "lte": now + 60}})
        found = self.ask("GET", f"/api/v0/charges/?select_filters={urllib.parse.quote(days)}&limit=500")
        return float(sum(line["amount"] for line in found["results"]))

    def rent(self, label: str = "", gpu: str = "RTX 4090", state: str = "running") -> int:
        """Rent an instance, as if somebody had rented it before. Return its id.

        `state` is "running", "stopped" or "fresh"; a fresh instance was just created.
        """
        query = {"gpu_name": {"eq": gpu}, "num_gpus": {"eq": 1}, "order": [["dph_total", "asc"]]}
        offer = self.ask("POST", "/api/v0/bundles/", query)["offers"][0]["id"]
        body = {"image": "x", "disk": 10, "label": label, "runtype": "ssh_direc ssh_proxy"}
        number = int(self.ask("PUT", f"/api/v0/asks/{offer}/", body)["new_contract"])
        if state == "stopped":
            until(lambda: (self.one(number) or {}).get("actual_status") == "running")
            self.ask("PUT", f"/api/v0/instances/{number}/", {"state": "stopped"})
            until(lambda: (self.one(number) or {}).get("actual_status") == "exited")
        elif state == "running":
            until(lambda: (self.one(number) or {}).get("actual_status") == "running")
        return number


def until(what: Callable[[], Any], seconds: float = 60) -> Any:
    """Call `what` until its result is true, and return this result."""
    deadline = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


def call(command: str, **values: Any) -> Any:
    """The answer of a command in the form that a program gets. If the command fails, its TrainError is raised."""
    from trainsh_vast.cli import tool

    return tool.find(command).call(values)
