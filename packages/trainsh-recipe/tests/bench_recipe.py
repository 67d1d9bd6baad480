"""What running recipes costs, as ratios measured in one run: `figures()` for `make bench`.

Both sides of a ratio are measured in turns, in a home without login files, and the best value of each counts. So
other users of the machine disturb both sides alike.
"""

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
BIN = Path(sys.executable).parent
sys.path.insert(0, str(ROOT / "packages" / "trainsh-tmux" / "tests"))
from floor import Floor  # noqa: E402 - it is in the tests of trainsh-tmux

ROUNDS = 15
HEAD = "host h = local\ntmux.open @h as w\n"
STEPS = 100


class Home:
    """A folder to run in. It is removed after the measurement."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="br"))
        for part in ("h", "t", "r", "tmux"):
            (self.folder / part).mkdir(mode=0o700)
        # PYTHONDONTWRITEBYTECODE is not set, because then the compiler would be measured too.
        self.env = {
            "HOME": str(self.folder / "h"), "TRAINSH_HOME": str(self.folder / "t"), "LANG": "C.UTF-8",
            "XDG_RUNTIME_DIR": str(self.folder / "r"), "TMUX_TMPDIR": str(self.folder / "tmux"),
            "PATH": f"{BIN}:/usr/local/bin:/usr/bin:/bin",
        }  # fmt: skip

    def run(self, *words: str) -> None:
        """Run a program. It must succeed."""
        done = subprocess.run(
            words, env=self.env, cwd=self.folder, stdin=subprocess.DEVNULL, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr.decode(errors="replace")

    def recipe(self, name: str, text: str) -> str:
        """Write a recipe and return its path."""
        (self.folder / name).write_text(text)
        return f"./{name}"

    def newest(self) -> list[dict[str, str]]:
        """The events of the newest job."""
        job = max(path for path in (self.folder / "t" / "jobs").iterdir() if path.name[0].isdigit())
        return [json.loads(line) for line in (job / "events.jsonl").read_text().splitlines()]

    def session(self) -> Path:
        """The folder in which the newest session has the files of its steps."""
        found = (self.folder / "h" / ".local/state/tmux-trainsh/sessions").glob("*/w/steps")
        return max(found, key=lambda path: path.stat().st_mtime_ns)

    def close(self) -> None:
        """Remove the folder."""
        for path in (self.folder / "tmux").rglob("*"):
            if path.is_socket():
                subprocess.run(["tmux", "-S", str(path), "kill-server"], capture_output=True, check=False)
        shutil.rmtree(self.folder, ignore_errors=True)


def best(rounds: int, *actions: Callable[[], None]) -> list[float]:
    """The fewest seconds that each function takes. They run in turns, after one turn to warm up."""
    times: list[list[float]] = [[] for _ in actions]
    for turn in range(rounds + 1):
        for place, action in enumerate(actions):
            start = time.perf_counter()
            action()
            if turn:
                times[place].append(time.perf_counter() - start)
    return [min(each) for each in times]


def moment(event: dict[str, str]) -> float:
    """The time at which an event was written, in seconds."""
    return datetime.fromisoformat(event["t"].replace("Z", "+00:00")).timestamp()


def whole_runs(home: Home) -> list[tuple[str, float, float]]:
    """The time of hello.recipe, and the time to its first step, as ratios to a bare Python."""
    hello = str(ROOT / "examples" / "hello.recipe")
    firsts: list[float] = []

    def run() -> None:
        began = time.time()
        home.run("train-recipe", "run", hello)
        first = next(event for event in home.newest() if event["event"] == "step.started")
        firsts.append(moment(first) - began)

    bare, whole = best(ROUNDS, lambda: home.run(sys.executable, "-c", "pass"), run)
    return [
        ("hello.recipe as a whole, over a bare python3 -c pass", whole / bare, 12.0),
        ("a run's start, to its first step, over a bare python3 -c pass", min(firsts[1:]) / bare, 11.0),
    ]


def many_steps(home: Home) -> list[tuple[str, float, float]]:
    """The time of a trivial local step of a recipe, with a synced journal, as a ratio to the claimed floor with the
    same files.
    """
    path = home.recipe("steps.recipe", HEAD + "@w > true\n" * STEPS + "tmux.close @w\n")
    ratios = []
    for _ in range(7):
        home.run("train-recipe", "run", path)
        starts = [moment(event) for event in home.newest() if event["event"] == "step.started"]
        floor = Floor(home.session())
        ratios.append((starts[-1] - starts[1]) / STEPS / floor.median(STEPS))
        floor.close()
    return [(f"a step of {STEPS} trivial ones, over the claimed floor", statistics.median(ratios), 4.0)]


def many_jobs(few: Home, many: Home) -> list[tuple[str, float, float]]:
    """The time of listings with 10,000 jobs in the folder, as a ratio to that with 20."""
    path = few.recipe("fails.recipe", HEAD + "@w > false\n")
    for home, count in ((few, 20), (many, 10_000)):
        home.recipe("fails.recipe", HEAD + "@w > false\n")
        subprocess.run(
            ["train-recipe", "run", path], env=home.env, cwd=home.folder, capture_output=True, check=False,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
        multiply(home, count)
    rows = []
    for words in (["jobs"], ["status"], ["logs", "--last"], ["resume", "--check"]):
        small, large = best(
            7,
            lambda words=words: few.run("train-recipe", *words),
            lambda words=words: many.run("train-recipe", *words),
        )
        rows.append((f"{' '.join(words)} with 10,000 jobs, over 20", large / small, 1.5))
    return rows


def multiply(home: Home, count: int) -> None:
    """Fill the folder with older finished jobs, which are copies of the existing job."""
    jobs = home.folder / "t" / "jobs"
    model = next(path for path in jobs.iterdir() if path.name[0].isdigit())
    events = (model / "events.jsonl").read_bytes()
    for number in range(count - 1):
        older = jobs / f"20200101-{number // 3600:02d}{number // 60 % 60:02d}{number % 60:02d}-000-{number:04x}"
        (older / "steps").mkdir(parents=True)
        (older / "events.jsonl").write_bytes(events)
        (older / "recipe").touch()


def figures() -> list[tuple[str, float, float]]:
    """Figures (what, measured, bar). Each measured value is a ratio that must be at most `bar`."""
    homes = [Home(), Home(), Home()]
    try:
        return [*whole_runs(homes[0]), *many_steps(homes[0]), *many_jobs(homes[1], homes[2])]
    finally:
        for home in homes:
            home.close()


if __name__ == "__main__":
    missed = 0
    for name, measured, bar in figures():
        missed += measured > bar
        print(f"{'ok  ' if measured <= bar else 'MISS'} {name}: {measured:.2f} (bar {bar:g})")
    sys.exit(1 if missed else 0)
