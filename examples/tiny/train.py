"""A training small enough for any machine, with nothing but Python: fits y = w x + b, with checkpoints.

    python3 train.py --out DIR                 goes on from the newest checkpoint in DIR, if there is one
    python3 train.py --out DIR --best DIR...   prints which of several trainings has the lowest loss

Each epoch prints `epoch N loss L`; every fifth writes DIR/ckpt-NNNN.json, whole or not at all; the end writes
DIR/model.json. Real trainings do the same with more parameters.
"""

import argparse
import csv
import json
import random
import sys
import time
from pathlib import Path

Rows = list[tuple[float, float]]


def rows(file: Path | None) -> Rows:
    """Pairs of x and y: from a CSV file with a line of names, else made up, the same every time."""
    if file:
        with file.open(newline="") as opened:
            return [(float(row["x"]), float(row["y"])) for row in csv.DictReader(opened)]
    made = random.Random(7)
    return [(x, 3 * x + 1 + made.gauss(0, 0.1)) for x in (made.uniform(-1, 1) for _ in range(200))]


def newest(folder: Path) -> dict[str, float]:
    """The newest checkpoint of a folder, else the beginning."""
    found = sorted(folder.glob("ckpt-*.json"))
    state: dict[str, float] = {"epoch": 0, "w": 0.0, "b": 0.0}
    return json.loads(found[-1].read_text()) if found else state


def save(state: dict[str, float], path: Path) -> None:
    """Write a file that is whole or absent."""
    half = path.with_suffix(".part")
    half.write_text(json.dumps(state))
    half.rename(path)


def epoch(state: dict[str, float], data: Rows, rate: float) -> dict[str, float]:
    """One pass over the data, and the loss after it."""
    w, b = state["w"], state["b"]
    for x, y in data:
        error = w * x + b - y
        w, b = w - rate * error * x, b - rate * error
    loss = sum((w * x + b - y) ** 2 for x, y in data) / len(data)
    return {"epoch": state["epoch"] + 1, "w": w, "b": b, "loss": loss}


def best(folders: list[Path]) -> str:
    """The folder whose model has the lowest loss."""
    return str(min(folders, key=lambda folder: json.loads((folder / "model.json").read_text())["loss"]))


def main() -> int:
    """Train, or compare."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, default=Path("out"))
    parser.add_argument("--data", type=Path)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--rate", type=float, default=0.01)
    parser.add_argument("--pause", type=float, default=0.0, help="seconds that an epoch takes at least")
    parser.add_argument("--best", type=Path, nargs="+")
    given = parser.parse_args()
    if given.best:
        print(best(given.best))
        return 0
    given.out.mkdir(parents=True, exist_ok=True)
    data, state = rows(given.data), newest(given.out)
    if state["epoch"]:
        print(f"going on after epoch {state['epoch']}", flush=True)
    while state["epoch"] < given.epochs:
        time.sleep(given.pause)
        state = epoch(state, data, given.rate)
        print(f"epoch {state['epoch']} loss {state['loss']:.4f}", flush=True)
        if state["epoch"] % 5 == 0:
            save(state, given.out / f"ckpt-{state['epoch']:04}.json")
    save(state, given.out / "model.json")
    return 0


if __name__ == "__main__":
    sys.exit(main())
