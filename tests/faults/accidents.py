"""Accidents of a job that rents a machine in the sandbox.

Afterwards nothing may be billed for long, or without a message.
"""

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest
from world_http import ask

BIN = Path(sys.executable).parent
IDLE = 4  # seconds: idle_stop
BOUND = IDLE + 120  # seconds within which the machine must be stopped after its last use
RECIPE = f"""host gpu = placeholder
vast.pick @gpu gpu=RTX_3090 num_gpus=1 max_dph=2 create=true image=x idle_stop={IDLE}s
vast.wait timeout=60s poll=1s idle_stop={IDLE}s
tmux.open @gpu as work
@work > sleep 1
@work > sleep 0.5 && echo done
finally
vast.stop
"""
STORMS = ("http-429", "http-429-wait", "http-500", "http-502", "no-answer", "truncated", "success-false")
# The machine is not billed yet, or was just stopped. The next look may give another result.
UNSETTLED = (None, "created", "loading", "running")
# (what happens, how often it is chosen)
KINDS = {
    "runner": 3,
    "laptop": 3,
    "network": 3,
    "storm": 2,
    "host": 1,
    "create-lost": 2,
    "create-slow": 2,
    "credit": 1,
}


class Accident:
    """An accident that is chosen by its seed: what happens, at which times, and what was wrong afterwards."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        choice = random.Random(seed)
        self.kinds = list(
            dict.fromkeys(choice.choices(list(KINDS), list(KINDS.values()), k=choice.choice([1, 2, 2])))
        )
        self.at = {kind: choice.uniform(0.1, 6.0) for kind in self.kinds}
        self.faults = {"storm": f"{choice.choice(STORMS)}=0.4", "host": f"host-lost-after={self.at.get('host', 1):.1f}s",
                       "create-lost": "create-lost=1x", "create-slow": "create-slow=2s"}  # fmt: skip
        self.wrong: list[str] = []
        self.said = ""

    def __str__(self) -> str:
        moments = ", ".join(f"{kind} at {self.at[kind]:.1f}s" for kind in self.kinds)
        return f"seed {self.seed} ({moments}): {'; '.join(self.wrong)}\n{self.said}"


class Box:
    """A sandbox for one accident, and its user's environment."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.left: list[int] = []  # the tools of a killed runner, which still run
        self.env = {**os.environ, "HOME": str(folder), "TRAINSH_SANDBOX": str(folder / "box"), "NO_COLOR": "1"}
        self.env["PATH"] = f"{BIN}{os.pathsep}{self.env['PATH']}"
        self.env["TRAINSH_VAST_RETRY_DELAY"] = "0.05s"
        self.isolation = self.tool("sandbox", "up", "--rented", "0", "--no-storage")["isolation"]
        self.env |= self.tool("sandbox", "env")["env"]

    def tool(self, *words: str) -> Any:
        done = subprocess.run(
            [str(BIN / f"train-{words[0]}"), *words[1:], "--json"],
            env=self.env,
            capture_output=True,
            timeout=90,
            check=False,
        )
        assert done.returncode in (0, 1), done.stderr.decode()
        return json.loads(done.stdout)

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        return ask(self.env["VAST_URL"], self.env["VAST_API_KEY"], method, path, body)

    def fault(self, word: str) -> None:
        name, _, value = word.partition("=")
        self.ask("PUT", "/sandbox/faults", {name: value or "on"})

    def machines(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.ask("GET", "/sandbox/status")["instances"]
        return found


def play(seed: int) -> Accident:
    """Let one accident happen, and check afterwards what is billed."""
    accident = Accident(seed)
    with tempfile.TemporaryDirectory(prefix="accident-", ignore_cleanup_errors=True) as name:
        box = Box(Path(name))
        try:
            if box.isolation == "none":
                pytest.skip("NO ACCIDENT IS TESTED HERE: the sandbox's machines take namespaces")
            (box.folder / "r.recipe").write_text(RECIPE)
            _run(accident, box)
            _check(accident, box)
        finally:
            box.tool("sandbox", "down")
    return accident


def _run(accident: Accident, box: Box) -> None:
    for kind in ("create-lost", "create-slow", "host"):
        if kind in accident.kinds:
            box.fault(accident.faults[kind])
    runner = subprocess.Popen(
        ["train-recipe", "run", "./r.recipe", "--no-visual"], env=box.env, cwd=box.folder, stdin=subprocess.DEVNULL,
        stdout=(box.folder / "out").open("wb"), stderr=subprocess.STDOUT,
    )  # fmt: skip
    began = time.monotonic()
    frozen: list[int] = []
    for kind in sorted(accident.kinds, key=accident.at.__getitem__):
        with contextlib.suppress(subprocess.TimeoutExpired):
            runner.wait(max(0.0, began + accident.at[kind] - time.monotonic()))
        _strike(accident, box, kind, runner.pid, frozen)
    try:
        if not frozen:
            # It tries for ten minutes to connect to a host that is dead.
            runner.wait(15 if "host" in accident.kinds else 90)
    except subprocess.TimeoutExpired:
        accident.wrong += [] if "host" in accident.kinds else ["the runner did not end"]
    box.ask("PUT", "/sandbox/faults", {"off": "on"})
    accident.said = (box.folder / "out").read_text(errors="replace")
    _await_stop(accident, box)
    for pid in [*frozen, runner.pid]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    runner.wait()
    if (
        runner.returncode >= 0
        and any(row["gpu_billed"] for row in box.machines())
        and "train vast" not in accident.said
    ):
        accident.wrong.append("the run ended and did not say what bills")


def _strike(accident: Accident, box: Box, kind: str, pid: int, frozen: list[int]) -> None:
    if kind == "storm":
        box.fault(accident.faults["storm"])
    elif kind == "credit":
        box.ask("POST", "/sandbox/credit", {"amount": -1000})
    elif kind == "runner":
        box.left = [one for one in _laptop(pid, box) if one != pid and b"train-vast" in _argv(one)]
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    elif kind in ("laptop", "network"):
        # Neither a laptop that is off nor a network that is gone closes a connection: no more data comes.
        found = _laptop(pid, box)
        for one in found:
            with contextlib.suppress(ProcessLookupError):
                os.kill(one, signal.SIGSTOP if kind == "network" else signal.SIGKILL)
        frozen += found if kind == "network" else []


def _argv(pid: int) -> bytes:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def _laptop(pid: int, box: Box) -> list[int]:
    """The runner, all its descendants, and the ssh connections to the sandbox's machines."""
    parents: dict[int, int] = {}
    ssh: set[int] = set()
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError):
            number = int(entry.name)
            parents[number] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            words = (entry / "cmdline").read_bytes()
            if words.startswith(b"ssh") and str(box.folder).encode() in words:
                ssh.add(number)
    found = {pid} & parents.keys()
    while more := {one for one, parent in parents.items() if parent in found} - found:
        found |= more
    return sorted(found | ssh)


def _await_stop(accident: Accident, box: Box) -> None:
    """Wait until no GPU is billed. If one is still billed after BOUND seconds, add it to `wrong`."""
    # A killed runner may have begun to rent a machine. This is completed first: a requested machine gets its label.
    deadline = time.monotonic() + BOUND
    while any(b"train-vast" in _argv(one) for one in box.left) and time.monotonic() < deadline:
        time.sleep(0.1)
    while bills := [row["id"] for row in box.machines() if row["gpu_billed"] or row["status"] in UNSETTLED]:
        if time.monotonic() > deadline:
            accident.wrong.append(f"{bills} bill after {BOUND} seconds")
            return
        time.sleep(0.2)


def _check(accident: Accident, box: Box) -> None:
    """Check that `train bill` lists every billed machine with the command that ends it, and that its sum is the
    market's sum.
    """
    bill = box.tool("pricing", "bill")
    told = {int(row["id"]): row for row in [*bill["running"], *bill["stopped"]]}
    real = {row["id"]: row["per_hour"] for row in box.machines()}
    if told.keys() != real.keys() or bill["silent"]:
        accident.wrong.append(f"billed: {sorted(real)}, told: {sorted(told)} {bill['silent']}")
    if abs(sum(real.values()) - float(bill["sum"]["per_hour"])) > 0.001:
        accident.wrong.append(f"{real} an hour, told: {bill['sum']}")
    accident.wrong += [f"no command ends {one}" for one, row in told.items() if not row["end"]]
    if len(real) > 1:
        accident.wrong.append(f"{len(real)} machines were rented")
