"""A language model that trains in seconds without a GPU. It counts how often one letter follows another.

python train.py [--model NAME] [--out FOLDER] [--steps N]
"""

import argparse
import json
import math
import random
from pathlib import Path

TEXT = """Shall I compare thee to a summer's day? Thou art more lovely and more temperate:
Rough winds do shake the darling buds of May, And summer's lease hath all too short a date:
Sometime too hot the eye of heaven shines, And often is his gold complexion dimm'd;
And every fair from fair sometime declines, By chance or nature's changing course untrimm'd;
But thy eternal summer shall not fade Nor lose possession of that fair thou owest;
Nor shall Death brag thou wander'st in his shade, When in eternal lines to time thou growest:
So long as men can breathe or eyes can see, So long lives this and this gives life to thee.
"""
ORDER = 3


def loss(counts: dict[str, dict[str, int]], text: str) -> float:
    """The model's loss on `text`, in nats per letter, with add-one smoothing."""
    letters = len(set(TEXT))
    total = 0.0
    for at in range(ORDER, len(text)):
        follow = counts.get(text[at - ORDER : at], {})
        total -= math.log((follow.get(text[at], 0) + 1) / (sum(follow.values()) + letters))
    return total / (len(text) - ORDER)


def sample(counts: dict[str, dict[str, int]], length: int) -> str:
    """A text of `length` letters that the model generates."""
    text = TEXT[:ORDER]
    for _ in range(length):
        follow = counts.get(text[-ORDER:]) or counts[random.choice(list(counts))]
        text += random.choices(list(follow), list(follow.values()))[0]
    return text


def main() -> None:
    """Train, print the loss now and then, and write the model."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", default="tiny")
    parser.add_argument("--out", type=Path, default=Path("model"))
    parser.add_argument("--steps", type=int, default=5)
    options = parser.parse_args()
    random.seed(1)
    counts: dict[str, dict[str, int]] = {}
    for step in range(1, options.steps + 1):
        for _ in range(1000):
            at = random.randrange(ORDER, len(TEXT))
            follow = counts.setdefault(TEXT[at - ORDER : at], {})
            follow[TEXT[at]] = follow.get(TEXT[at], 0) + 1
        print(f"step {step} loss {loss(counts, TEXT):.3f}", flush=True)
    options.out.mkdir(parents=True, exist_ok=True)
    config = {"model": options.model, "order": ORDER, "steps": options.steps, "loss": loss(counts, TEXT)}
    (options.out / "weights.json").write_text(json.dumps(counts))
    (options.out / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    (options.out / "sample.txt").write_text(sample(counts, 300) + "\n")
    print(f"wrote {options.out}", flush=True)


if __name__ == "__main__":
    main()
