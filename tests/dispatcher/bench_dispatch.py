"""The cost of the dispatcher: `train foo` compared with `train-foo`, in milliseconds, measured in the same run.

python tests/dispatcher/bench_dispatch.py
"""

import os
import shutil
import statistics
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROUNDS = 300
BAR_MS = 3.0
BAR_FLOORS = 3.0


def figures() -> list[tuple[str, float, float]]:
    """Figures (name, measured, bar) of the dispatch alone: in ms, in floors (`dash -c :`), and through a link in
    ms.
    """
    with tempfile.TemporaryDirectory() as folder:
        train, foo, link = _install(Path(folder))
        floor = [shutil.which("dash") or "/bin/sh", "-c", ":"]
        floor_ms, direct, dispatched, linked = _medians([floor, [foo], [train, "foo"], [link, "foo"]])
    cost = dispatched - direct
    return [
        ("dispatch over train-foo itself, ms", cost, BAR_MS),
        ("dispatch over train-foo itself, in dash -c :", cost / floor_ms, BAR_FLOORS),
        ("dispatch through a link, over train-foo itself, ms", linked - direct, BAR_MS),
    ]


def _install(folder: Path) -> tuple[str, str, str]:
    """Make a `bin` folder as in an installation, and a link to its train from another folder."""
    (folder / "bin").mkdir()
    train, foo, link = folder / "bin/train", folder / "bin/train-foo", folder / "link"
    shutil.copy(ROOT / "bin/train", train)
    foo.write_text("#!/bin/sh\n:\n", encoding="utf-8")
    foo.chmod(0o755)
    link.symlink_to(train)
    return str(train), str(foo), str(link)


def _medians(commands: list[list[str]]) -> list[float]:
    """The median time of each command in ms.

    The commands run in turns, so that a busy moment affects all of them.
    """
    taken: list[list[float]] = [[] for _ in commands]
    for _ in range(ROUNDS):
        for number, command in enumerate(commands):
            began = time.perf_counter()
            pid = os.posix_spawn(command[0], command, os.environ)
            _, status = os.waitpid(pid, 0)
            taken[number].append((time.perf_counter() - began) * 1000)
            if status:
                raise RuntimeError(f"{command} ended with {os.waitstatus_to_exitcode(status)}")
    return [statistics.median(times) for times in taken]


if __name__ == "__main__":
    for name, measured, bar in figures():
        print(f"{name:<52} {measured:6.2f}  (bar {bar:g})")
