"""What steps and waits cost, compared with the floor of floor.py.

All are measured in turns in one run; medians count. python packages/trainsh-tmux/tests/bench_tmux.py
"""

import contextlib
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[2] / "tests" / "world")]

from trainsh_world import World, new_world  # noqa: E402
from world_netns import why_no_namespaces  # noqa: E402

from floor import Floor  # noqa: E402
from trainsh_base.request import Request, serve_in_this_thread  # noqa: E402
from trainsh_tmux import cli  # noqa: E402
from trainsh_tmux.session.registry import Registry  # noqa: E402

STEPS = 200
FAR_STEPS = 20
FLOODS = 5
OPENS = 10
FLOOD_LINE = "line %07d the quick brown fox jumps over the lazy dog, and more of it\n"
Figure = tuple[str, float, float]


def figures() -> list[Figure]:
    """Figures (name, measured, bar). Each measured value is a ratio, or a share of what is allowed."""
    found = []
    with _home() as folder:
        found.append(_steps("local step, in floors", "local"))
        found += _waits(folder)
        found.append(_flood(folder))
    with _world() as world:
        box = world.sshd("box")
        target = cli.registry.host(world.spec(box)).target
        words = (target.remote_argv, target.environment())
        found.append(_steps("step over loopback ssh, in floors", world.spec(box), *words))
        found.append(_opens(world.spec(box)))
    if not why_no_namespaces():
        with _world() as world:
            far = world.network_host("far", delay=0.025)
            found.append(_far_step(world.spec(far.sshd)))
    return found


def _steps(name: str, spec: str, *words: Any) -> Figure:
    cli.open_(spec, "bench")
    floor = Floor(Path(cli.registry.host(spec).root) / "sessions" / "train" / "bench" / "steps", *words)
    lowest, ours = [], []
    for _ in range(20):
        floor.step()
        cli.run("true", session="bench", host=spec)
    for _ in range(STEPS):
        lowest.append(floor.step())
        ours.append(_time(lambda: cli.run("true", session="bench", host=spec)))
    floor.close()
    return name, statistics.median(ours) / statistics.median(lowest), 2.5


def _opens(spec: str) -> Figure:
    """`tmux.open` by a new process over an open connection, as a share of 200 ms."""
    took = []
    for number in range(OPENS):
        cli.registry.close()
        cli.registry = Registry()
        took.append(_time(lambda name=f"open{number}": cli.open_(spec, name)))
    return "tmux.open on an open connection, of 200 ms", statistics.median(took) / 0.2, 1.0


def _far_step(spec: str) -> Figure:
    """With a delay of 50 ms: the time of a step, as a ratio to 1.1 round trips plus 5 ms."""
    cli.open_(spec, "bench")
    host = cli.registry.host(spec)
    trips, ours = [], []
    for _ in range(FAR_STEPS):
        trips.append(_time(lambda: host.ask(":")))
        ours.append(_time(lambda: cli.run("true", session="bench", host=spec)))
    return "step at 50 ms, in 1.1 round trips + 5 ms", statistics.median(ours) / (
        1.1 * statistics.median(trips) + 0.005
    ), 1.0  # fmt: skip


def _flood(folder: Path) -> Figure:
    """60 MB of lines: as a step that ends when all output has arrived, compared with a bare pane whose output is
    recorded.

    tmux needs a sixth more time for a pane with pipe-pane than for one without, whatever program reads the pipe:
    13.5 s instead of 11.7 s for 280 MB.
    """
    printed = folder / "printed"
    printed.write_text("".join(FLOOD_LINE % number for number in range(60_000_000 // len(FLOOD_LINE % 0))))
    cli.open_("local", "flood")
    bare, ours = [], []
    for _ in range(FLOODS):
        bare.append(_bare_pane(folder, f"cat {printed}"))
        ours.append(_time(lambda: cli.run(f"cat {printed}", session="flood", host="local")))
    return "60 MB of output, over a bare recorded pane", statistics.median(ours) / statistics.median(bare), 1.1


def _bare_pane(folder: Path, command: str) -> float:
    """The seconds that a command takes in a pane of another tmux server, with the same settings and `cat` on
    pipe-pane.

    Without the settings of session.sh, tmux would keep 2,000 lines instead of 50,000, and need a tenth less time.
    """
    over, settings = folder / "over", folder / "bare.conf"
    os.mkfifo(over)
    history = "set -g history-limit 50000\nset -g default-terminal screen-256color\n"
    settings.write_text(history + (files("trainsh_tmux.remote") / "sh" / "tmux.conf").read_text())
    # The socket is in the folder, because tmux does not remove it.
    tmux = ["tmux", "-S", str(folder / f"bare{time.monotonic_ns()}"), "-f", str(settings)]
    pane = ["-x", "200", "-y", "50", f"read x <{over}; {command}; echo >{over}; read x"]
    record = [";", "pipe-pane", f"exec cat >>{folder / 'recorded'}"]
    subprocess.run([*tmux, "new-session", "-d", *pane, *record], check=True)
    with over.open("w") as go:
        go.write("\n")
    began = time.perf_counter()
    with over.open() as end:
        end.read()
    took = time.perf_counter() - began
    kept = subprocess.run(
        [*tmux, "show", "-gv", "history-limit"], capture_output=True, text=True, check=True
    ).stdout
    assert kept == "50000\n", "the bare pane has not the settings of ours"
    subprocess.run([*tmux, "kill-server"], check=True)
    over.unlink()
    (folder / "recorded").unlink()
    return took


def _touch(path: Path, seen: list[float]) -> None:
    seen.append(time.monotonic())
    path.touch()


def _waits(folder: Path) -> list[Figure]:
    cli.open_("local", "waits")
    late = []
    for number in range(5):
        path = folder / f"file{number}"
        seen: list[float] = []
        threading.Timer(0.35 + number * 0.05, _touch, (path, seen)).start()
        cli.wait("waits", file=str(path), timeout=10.0)
        late.append(time.monotonic() - seen[0])
    threads = [threading.Thread(target=_wait_in_vain, args=(number,), daemon=True) for number in range(50)]
    for thread in threads:
        thread.start()
    time.sleep(1)
    before, began = _children_cpu(), time.monotonic()
    time.sleep(4)
    share = (_children_cpu() - before) / (time.monotonic() - began)
    return [
        ("a file is seen after, in 300 ms", statistics.median(late) / 0.3, 1.0),
        ("50 waits on one host, in 5 % of a core", share / 0.05, 1.0),
    ]


def _wait_in_vain(number: int) -> None:
    serve_in_this_thread(Request())
    with contextlib.suppress(Exception):
        kinds = [{"file": f"/never/{number}"}, {"port": 1 + number}]
        cli.wait("waits", timeout=6.0, **kinds[number % 2])  # type: ignore[arg-type]


def _children_cpu() -> float:
    """The CPU seconds of our shells and of the programs that they have run (Linux)."""
    below, total = {os.getpid()}, 0
    rows = {}
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (entry / "stat").read_text().rpartition(") ")[2].split()
            rows[int(entry.name)] = int(words[1]), sum(int(word) for word in words[11:15])
    grown = True
    while grown:
        more = {pid for pid, (parent, _) in rows.items() if parent in below} - below
        below, grown = below | more, bool(more)
    total = sum(cpu for pid, (_, cpu) in rows.items() if pid in below and pid != os.getpid())
    return total / os.sysconf("SC_CLK_TCK")


def _time(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


@contextlib.contextmanager
def _home() -> Iterator[Path]:
    """A home, a tmux server and a registry of its own."""
    folder = Path(tempfile.mkdtemp(prefix="bt-", dir="/tmp"))
    settings = {name: str(folder) for name in ("HOME", "TMUX_TMPDIR", "XDG_RUNTIME_DIR")}
    with _environment(settings | {"TRAINSH_HOME": str(folder / "t")}):
        try:
            yield folder
        finally:
            _close()
            shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _world() -> Iterator[World]:
    with new_world() as world, _environment(world.env):
        try:
            yield world
        finally:
            _close()


def _close() -> None:
    """Close the sessions, and start with a new registry."""
    for host in list(cli.registry._hosts._hosts):
        with contextlib.suppress(Exception):
            cli.kill(host=host)
    cli.registry.close()
    cli.registry = Registry()


@contextlib.contextmanager
def _environment(settings: dict[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    for key in ("TMUX", "TMUX_PANE", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "SSH_AUTH_SOCK"):
        os.environ.pop(key, None)
    os.environ.update(settings)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


if __name__ == "__main__":
    for name, measured, bar in figures():
        print(f"{name:<45} {measured:6.2f}  (bar {bar:g})")
