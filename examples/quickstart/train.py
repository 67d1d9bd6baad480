"""Train a small character-level language model on a text, with nothing but numpy.

    python train.py --out model                train, then write model/model.npz and model/sample.txt
    python train.py --sample model/model.npz   write text with a trained model

The model reads the last CONTEXT characters and gives a probability to each character that may come next:
an embedding of each, two hidden layers (the second one added to the first), a softmax. Gradients are written
out by hand, the optimizer is Adam, and a tenth of the text is held out and never trained on. One line is printed
per evaluation, and the same figures are appended to metrics.jsonl for whoever watches (see metrics.py).
"""

import argparse
import json
import sys
import time
from pathlib import Path
from typing import TextIO

import numpy as np

HERE = Path(__file__).resolve().parent
CONTEXT, EMBED, HIDDEN = 12, 24, 384
BATCH = 256
DROPOUT = 0.4
HELD_OUT_SHARE = 0.1

Weights = dict[str, np.ndarray]


class Corpus:
    """A text as character codes, cut into blocks of which every tenth is held out."""

    def __init__(self, text: str) -> None:
        """Blocks of up to 2,000 characters go to one side or the other together, so that neighbours do not leak.

        A text of less than 2,000 characters is a ValueError: nothing could be said about what was learnt."""
        if len(text) < 2000:
            raise ValueError(f"the text has {len(text)} characters, which is too short to learn from")
        block = min(2000, len(text) // 20)
        self.alphabet = "".join(sorted(set(text)))
        codes = encode(text, self.alphabet)
        windows = np.lib.stride_tricks.sliding_window_view(codes, CONTEXT + 1)
        number = np.arange(len(windows)) // block
        inside = np.arange(len(windows)) % block < block - CONTEXT
        every = round(1 / HELD_OUT_SHARE)
        held = number % every == every - 1
        self.train = windows[~held & inside]
        self.held_out = windows[held & inside]


def encode(text: str, alphabet: str) -> np.ndarray:
    """Text as indices into `alphabet`, an int array of its length; a character it lacks is a ValueError."""
    index = {character: code for code, character in enumerate(alphabet)}
    unknown = sorted(set(text) - set(alphabet))
    if unknown:
        raise ValueError(f"the model has never seen {''.join(unknown)!r}")
    return np.array([index[character] for character in text], dtype=np.int64)


def new_weights(rng: np.random.Generator, letters: int) -> Weights:
    """Random starting weights for an alphabet of `letters` characters, scaled so that signals keep their size."""

    def layer(rows: int, columns: int, gain: float = 1.0) -> np.ndarray:
        return (rng.standard_normal((rows, columns)) * gain / np.sqrt(rows)).astype(np.float32)

    return {
        "embed": (rng.standard_normal((letters, EMBED)) * 0.5).astype(np.float32),
        "w1": layer(CONTEXT * EMBED, HIDDEN, 1.4),
        "b1": np.zeros(HIDDEN, np.float32),
        "w2": layer(HIDDEN, HIDDEN, 1.4),
        "b2": np.zeros(HIDDEN, np.float32),
        "w3": layer(HIDDEN, letters, 0.3),
        "b3": np.zeros(letters, np.float32),
    }


def forward(weights: Weights, context: np.ndarray, drop: np.ndarray | None = None) -> dict[str, np.ndarray]:
    """Everything computed on the way from `context` (n, CONTEXT) to log-probabilities `logp` (n, letters)."""
    x = weights["embed"][context].reshape(len(context), -1)
    h1 = np.maximum(x @ weights["w1"] + weights["b1"], 0)
    h2 = np.maximum(h1 @ weights["w2"] + weights["b2"], 0)
    top = h1 + h2
    if drop is not None:
        top = top * drop
    scores = top @ weights["w3"] + weights["b3"]
    scores -= scores.max(axis=1, keepdims=True)
    logp = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
    return {"x": x, "h1": h1, "h2": h2, "top": top, "logp": logp}


def gradients(weights: Weights, windows: np.ndarray, drop: np.ndarray | None) -> tuple[float, Weights]:
    """Mean loss in nats a character over `windows` (n, CONTEXT + 1), and its gradient by every weight."""
    context, target = windows[:, :-1], windows[:, -1]
    rows = np.arange(len(windows))
    seen = forward(weights, context, drop)
    loss = -float(seen["logp"][rows, target].mean())

    d_scores = np.exp(seen["logp"])
    d_scores[rows, target] -= 1
    d_scores /= len(windows)
    d_top = d_scores @ weights["w3"].T
    if drop is not None:
        d_top = d_top * drop
    d_h2 = d_top * (seen["h2"] > 0)
    d_h1 = (d_top + d_h2 @ weights["w2"].T) * (seen["h1"] > 0)
    d_x = d_h1 @ weights["w1"].T
    # The embedding's gradient is a sum over each character's places: a product with one-hot rows does it in one go.
    one_hot = np.zeros((context.size, len(weights["embed"])), np.float32)
    one_hot[np.arange(context.size), context.ravel()] = 1
    return loss, {
        "embed": one_hot.T @ d_x.reshape(-1, EMBED),
        "w1": seen["x"].T @ d_h1,
        "b1": d_h1.sum(axis=0),
        "w2": seen["h1"].T @ d_h2,
        "b2": d_h2.sum(axis=0),
        "w3": seen["top"].T @ d_scores,
        "b3": d_scores.sum(axis=0),
    }


class Adam:
    """The Adam optimizer with decoupled weight decay on the matrices."""

    def __init__(self, weights: Weights, decay: float = 0.5) -> None:
        self.mean = {name: np.zeros_like(value) for name, value in weights.items()}
        self.square = {name: np.zeros_like(value) for name, value in weights.items()}
        self.decay = decay
        self.count = 0

    def update(self, weights: Weights, gradient: Weights, rate: float) -> None:
        """Move `weights` (in place) one step of size `rate` against `gradient`."""
        self.count += 1
        for name, slope in gradient.items():
            self.mean[name] += 0.1 * (slope - self.mean[name])
            self.square[name] += 0.01 * (slope * slope - self.square[name])
            mean = self.mean[name] / (1 - 0.9**self.count)
            square = self.square[name] / (1 - 0.99**self.count)
            weights[name] -= rate * mean / (np.sqrt(square) + 1e-8)
            if weights[name].ndim == 2 and name != "embed":
                weights[name] *= 1 - rate * self.decay


def held_out_loss(weights: Weights, windows: np.ndarray) -> float:
    """Mean loss in nats a character on text that was not trained on."""
    total = 0.0
    for start in range(0, len(windows), 2048):
        part = windows[start : start + 2048]
        logp = forward(weights, part[:, :-1])["logp"]
        total -= float(logp[np.arange(len(part)), part[:, -1]].sum())
    return total / len(windows)


def learning_rate(step: int, steps: int, peak: float) -> float:
    """Up in a line over the first twentieth, then down along a half cosine to a fiftieth of `peak`."""
    warm = max(1, steps // 20)
    if step <= warm:
        return peak * step / warm
    done = (step - warm) / max(1, steps - warm)
    return peak * (0.02 + 0.98 * 0.5 * (1 + np.cos(np.pi * done)))


def sample(weights: Weights, alphabet: str, prompt: str, *, seed: int, length: int, heat: float) -> str:
    """`length` characters written by the model after `prompt`; a lower `heat` is more careful."""
    rng = np.random.default_rng(seed)
    history = list(encode(("\n" * CONTEXT + prompt)[-CONTEXT:], alphabet))
    written = []
    for _ in range(length):
        logp = forward(weights, np.array([history[-CONTEXT:]]))["logp"][0].astype(np.float64) / heat
        chance = np.exp(logp - logp.max())
        code = int(rng.choice(len(alphabet), p=chance / chance.sum()))
        history.append(code)
        written.append(alphabet[code])
    return (prompt + "".join(written)).strip("\n")


def save(path: Path, weights: Weights, alphabet: str, *, label: str, step: int, loss: float) -> None:
    """Write the model file whole or not at all: whoever waits for it never sees half of one."""
    part = path.with_suffix(".part.npz")
    facts = {"alphabet": np.array(alphabet), "label": np.array(label), "step": step, "held_out": loss}
    np.savez_compressed(part, **weights, **facts)
    part.replace(path)


def load(path: Path) -> tuple[Weights, str]:
    """The weights and the alphabet of a model file."""
    with np.load(path) as stored:
        weights = {name: stored[name] for name in ("embed", "w1", "b1", "w2", "b2", "w3", "b3")}
        return weights, str(stored["alphabet"])


def train(options: argparse.Namespace) -> None:
    """The training loop: a step at a time, an evaluation every `--every` steps, a model at the end."""
    out = Path(options.out)
    out.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(options.seed)
    corpus = Corpus(Path(options.text).read_text(encoding="utf-8"))
    weights = new_weights(rng, len(corpus.alphabet))
    adam = Adam(weights)
    count = sum(value.size for value in weights.values())
    print(
        f"{options.model}: {count:,} weights, {len(corpus.train):,} characters to learn from, "
        f"{len(corpus.held_out):,} held out, {len(corpus.alphabet)} different",
        flush=True,
    )
    began, running, loss = time.monotonic(), 0.0, float("nan")
    with (out / "metrics.jsonl").open("w", encoding="utf-8") as metrics:
        for step in range(1, options.steps + 1):
            batch = corpus.train[rng.integers(0, len(corpus.train), BATCH)]
            drop = ((rng.random((BATCH, HIDDEN), np.float32) >= DROPOUT) / (1 - DROPOUT)).astype(np.float32)
            batch_loss, gradient = gradients(weights, batch, drop)
            adam.update(weights, gradient, learning_rate(step, options.steps, options.rate))
            running = batch_loss if step == 1 else 0.98 * running + 0.02 * batch_loss
            if step % options.every == 0 or step in (1, options.steps):
                loss = held_out_loss(weights, corpus.held_out)
                figures = {"step": step, "steps": options.steps, "train_loss": running, "held_out_loss": loss}
                report(metrics, {**figures, "seconds": time.monotonic() - began})
    text = written(weights, corpus.alphabet, options)
    (out / "sample.txt").write_text(text + "\n", encoding="utf-8")
    save(out / "model.npz", weights, corpus.alphabet, label=options.model, step=options.steps, loss=loss)
    print(f"saved {out / 'model.npz'}: held-out loss {loss:.3f} nats a character", flush=True)


def report(metrics: TextIO, figures: dict[str, float]) -> None:
    """One evaluation: a line for people, a line of JSON for programs."""
    print(
        "step {step:5d}/{steps}   train loss {train_loss:.3f}   held-out loss {held_out_loss:.3f}"
        "   {seconds:5.1f} s".format(**figures),
        flush=True,
    )
    metrics.write(json.dumps(figures) + "\n")
    metrics.flush()


def written(weights: Weights, alphabet: str, options: argparse.Namespace) -> str:
    """A sample as the command line asks for it."""
    return sample(weights, alphabet, options.prompt, seed=options.seed, length=options.length, heat=options.heat)


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="Train a small character-level language model, or sample from it.")
    parser.add_argument("--model", default="sonnets", metavar="NAME", help="a name to keep in the model file")
    parser.add_argument("--text", default=HERE / "sonnets.txt", metavar="FILE", help="what to learn from")
    parser.add_argument("--out", default="model", metavar="DIR", help="where the model goes (default: model)")
    parser.add_argument("--steps", type=int, default=2000, help="training steps (default: 2000)")
    parser.add_argument("--every", type=int, default=100, help="steps between evaluations (default: 100)")
    parser.add_argument("--rate", type=float, default=4e-3, help="peak learning rate (default: 0.004)")
    parser.add_argument("--seed", type=int, default=1, help="same seed, same machine: same model (default: 1)")
    parser.add_argument("--sample", metavar="FILE", help="write text with the model in FILE instead of training")
    parser.add_argument("--prompt", default="\n\nI\n\n", help="what the sample begins with")
    parser.add_argument("--length", type=int, default=600, help="characters to write (default: 600)")
    parser.add_argument("--heat", type=float, default=0.6, help="1: as learnt, lower: more careful (default: 0.6)")
    return parser.parse_args()


def main() -> int:
    """Train, or sample; 2 when an input file is missing or does not fit."""
    options = arguments()
    try:
        if options.sample:
            weights, alphabet = load(Path(options.sample))
            print(written(weights, alphabet, options))
        else:
            train(options)
    except (OSError, ValueError, KeyError) as error:
        print(f"train.py: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
