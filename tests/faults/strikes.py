"""Faults: what is done to a run, when, and for how long."""

import contextlib
import os
import random
import signal
import subprocess
import threading
import time

from machine import Machine

from trainsh_base.remote.control_socket import master_pid

# Kinds that can lose a step for good: nobody knows afterwards how it ended.
LOSING = {"tmux", "restart"}
LOCAL = ["runner", "tool", "child", "tmux"]
REMOTE = ["runner", "tool", "child", "master", "drop", "tmux", "restart", "link", "disk"]


class Strike:
    """One fault: its `kind`, `at` how many seconds after the start of a run it happens, and how long it lasts."""

    def __init__(self, choice: random.Random, remote: bool) -> None:
        self.kind = choice.choice(REMOTE if remote else LOCAL)
        self.at = round(choice.uniform(0.05, 2.6), 2)
        self.lasts = round(choice.uniform(0.1, 2.5), 2)
        self.pick = choice.random()

    def __str__(self) -> str:
        return f"{self.kind} at {self.at:g}s" + (f" for {self.lasts:g}s" if self.kind in ENDING else "")


def family(pid: int) -> tuple[list[int], list[int]]:
    """(the children of a runner, which are its tools; the children of these)."""
    found = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True)
    children: dict[int, list[int]] = {}
    for line in found.stdout.splitlines():
        child, parent = line.split()
        children.setdefault(int(parent), []).append(int(child))
    tools = children.get(pid, [])
    return tools, [each for tool in tools for each in children.get(tool, [])]


def kill_one(pids: list[int], pick: float) -> None:
    """Kill -9 one of them, if there is any."""
    if pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pids[int(pick * len(pids))], signal.SIGKILL)


def kill_masters(machine: Machine) -> None:
    """Kill the shared ssh connections."""
    for socket in (machine.world.runtime / "train").glob("*"):
        pid = master_pid(str(socket)) if socket.is_socket() else None
        if pid:
            kill_one([pid], 0)


BEGIN = {
    "runner": lambda machine, runner, pick: kill_one([runner], pick),
    "tool": lambda machine, runner, pick: kill_one(family(runner)[0], pick),
    "child": lambda machine, runner, pick: kill_one(family(runner)[1], pick),
    "master": lambda machine, runner, pick: kill_masters(machine),
    "drop": lambda machine, runner, pick: machine.server.drop(),
    "tmux": lambda machine, runner, pick: machine.kill_tmux(),
    "restart": lambda machine, runner, pick: machine.off(),
    "link": lambda machine, runner, pick: machine.link.cut(),
    "disk": lambda machine, runner, pick: machine.fill(),
}
ENDING = {
    "restart": lambda machine: machine.restart(),
    "link": lambda machine: machine.link.restore(),
    "disk": lambda machine: machine.free(),
}


def start(
    strike: Strike, machine: Machine, runner: "subprocess.Popen[str]", done: list[Strike]
) -> threading.Thread:
    """Let the fault happen in a thread, if the runner still runs at that time. What was done is added to `done`."""

    def work() -> None:
        deadline = time.monotonic() + strike.at
        while time.monotonic() < deadline:
            if runner.poll() is not None:
                return
            time.sleep(0.01)
        BEGIN[strike.kind](machine, runner.pid, strike.pick)
        done.append(strike)
        if strike.kind in ENDING:
            time.sleep(strike.lasts)
            ENDING[strike.kind](machine)

    thread = threading.Thread(target=work)
    thread.start()
    return thread
