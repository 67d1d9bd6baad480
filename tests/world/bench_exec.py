"""One command on a host with an open connection, compared with `ssh` on the same master plus the start of Python
and click.
"""

import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from trainsh_world import World, new_world

ROUNDS = 21


def figures() -> list[tuple[str, float, float]]:
    """Figures (name, measured, bar). Each is the ratio of the medians of runs that take turns."""
    with new_world() as world:
        world.host(world.sshd("box"))
        target = json.loads(world.run("train-host", "resolve", "box", "--json").out)
        world.run("train-host", "run", "box", "--", "true")  # this opens the connection
        first, *more = target["argv"]
        ssh = [first, "-S", target["control_path"], *more, "echo hello"]
        start = [sys.executable, "-c", "import click"]
        run, exec_ = ["train", "host", "run", "box", "--", "echo hello"], ["train", "exec", "@box > echo hello"]
        took = in_turns(world, [ssh, start, run, exec_])
    over = "over ssh on the same master and the start of Python and click"
    floor = took[0] + took[1]
    return [
        (f"train host run, {over}", took[2] / floor, 1.5),
        # Four programs start (recipe, dsl, tmux, host), a session is opened, and the journal is synced to disk at
        # each step.
        (f"train exec, {over}", took[3] / floor, 6.0),
    ]


def in_turns(world: World, programs: list[list[str]]) -> list[float]:
    """The median time of each program, in seconds."""
    took: list[list[float]] = [[] for _ in programs]
    for _ in range(ROUNDS):
        for found, words in zip(took, programs, strict=True):
            began = time.perf_counter()
            subprocess.run(words, env=world.env, check=True, capture_output=True, stdin=subprocess.DEVNULL)
            found.append(time.perf_counter() - began)
    return [statistics.median(found) for found in took]


if __name__ == "__main__":
    for name, measured, bar in figures():
        print(f"{name:<90} {measured:6.2f}  (bar {bar:g})")
