"""The cost of starting: `--help` of each tool compared with `import click`, and Tab on live values compared with a
bare Python.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BIN = Path(sys.executable).parent
ROUNDS = 15
RECIPE = "var RUN = 1\nhost gpu = local\ntmux.open @gpu as work\ntmux.close @work\n"
TABS = (("run", ""), ("run", "r1", "--host", "gpu="), ("transfer", ""), ("",), ("logs", ""))


def figures() -> list[tuple[str, float, float]]:
    """Figures (name, measured, bar): the slowest help of all tools, and the slowest of some Tabs."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        _settings(home)
        env = os.environ | {"TRAINSH_HOME": folder}
        tools = sorted(str(path) for path in BIN.glob("train-*"))
        click, *helps = _best(env, [sys.executable, "-c", "import click"], *([tool, "--help"] for tool in tools))
        train = str(BIN / "train")
        bare, *tabs = _best(
            env, [sys.executable, "-I", "-c", "pass"], *([train, "--complete", *tab] for tab in TABS)
        )
    dearest = max(range(len(tools)), key=lambda number: helps[number])
    return [
        (f"--help of {Path(tools[dearest]).name}, the dearest, over import click", helps[dearest] / click, 2.0),
        ("a Tab on live values, the dearest, over a bare python3 -c pass", max(tabs) / bare, 2.0),
    ]


def _settings(home: Path) -> None:
    (home / "recipes").mkdir()
    for number in range(50):
        (home / "recipes" / f"r{number}.recipe").write_text(RECIPE)
    (home / "hosts.toml").write_text('[[hosts]]\nname = "box"\nhostname = "192.0.2.7"\n' * 50)


def _best(env: dict[str, str], *commands: list[str]) -> list[float]:
    """The fewest seconds that each command takes. The commands run in turns."""
    best = [float("inf")] * len(commands)
    for _ in range(ROUNDS):
        for place, command in enumerate(commands):
            start = time.perf_counter()
            subprocess.run(command, env=env, capture_output=True, check=True)
            best[place] = min(best[place], time.perf_counter() - start)
    return best
