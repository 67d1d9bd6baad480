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
PAUSE = 0.15  # seconds in which a host closes the session of an exec, so that this slows down nothing measured


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
        time.sleep(2.1)  # from then on hosts.toml counts as unchanged
        world.run(*exec_)  # it keeps the target and the plan
        new = ["train", "exec", "@box > echo hello ROUND"]
        took = in_turns(world, [ssh, start, run, exec_, new])
    over = "over ssh on the same master and the start of Python and click"
    floor = took[0] + took[1]
    return [
        (f"train host run, {over}", took[2] / floor, 1.5),
        # train-recipe starts; train-tmux is a copy of the spare that the exec before left, and opens a session on the
        # host meanwhile: tmux, a login shell and its logger.
        (f"train exec of a line that ran before, {over}", took[3] / floor, 1.5),
        # As above, and train-dsl reads the line.
        (f"train exec of a new line, {over}", took[4] / floor, 1.5),
    ]


def in_turns(world: World, programs: list[list[str]]) -> list[float]:
    """The median time of each program, in seconds. In its words, ROUND is the number of the round."""
    took: list[list[float]] = [[] for _ in programs]
    for number in range(ROUNDS):
        for found, program in zip(took, programs, strict=True):
            words = [word.replace("ROUND", str(number)) for word in program]
            began = time.perf_counter()
            subprocess.run(words, env=world.env, check=True, capture_output=True, stdin=subprocess.DEVNULL)
            found.append(time.perf_counter() - began)
            time.sleep(PAUSE)
    return [statistics.median(found) for found in took]


if __name__ == "__main__":
    for name, measured, bar in figures():
        print(f"{name:<90} {measured:6.2f}  (bar {bar:g})")
