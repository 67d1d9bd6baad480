"""The quickstart's model: its gradients are the loss's slopes, it learns, and it writes what it says it writes."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

numpy = pytest.importorskip("numpy")
FOLDER = Path(__file__).parents[1] / "quickstart"


@pytest.fixture(scope="module")
def training() -> ModuleType:
    spec = importlib.util.spec_from_file_location("quickstart_train", FOLDER / "train.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["embed", "w1", "b1", "w2", "b2", "w3", "b3"])
def test_gradient_is_the_slope_of_the_loss(training: ModuleType, name: str) -> None:
    rng = numpy.random.default_rng(5)
    corpus = training.Corpus((FOLDER / "sonnets.txt").read_text(encoding="utf-8"))
    weights = {key: value.astype(float) for key, value in training.new_weights(rng, len(corpus.alphabet)).items()}
    windows = corpus.train[:24]
    _, gradient = training.gradients(weights, windows, None)
    place = numpy.unravel_index(numpy.abs(gradient[name]).argmax(), gradient[name].shape)
    losses = []
    for nudge in (1e-5, -2e-5):
        weights[name][place] += nudge
        losses.append(training.gradients(weights, windows, None)[0])
    assert (losses[0] - losses[1]) / 2e-5 == pytest.approx(gradient[name][place], rel=1e-4)


def test_nothing_held_out_is_trained_on(training: ModuleType) -> None:
    text = "".join(chr(0x4E00 + number) for number in range(9000))
    corpus = training.Corpus(text)
    assert not set(corpus.train.ravel()) & set(corpus.held_out.ravel())
    assert 0.05 < len(corpus.held_out) / len(corpus.train) < 0.15


def test_a_text_too_short_to_learn_from_is_2(tmp_path: Path) -> None:
    (tmp_path / "short.txt").write_text("so little", encoding="utf-8")
    done = run("--text", str(tmp_path / "short.txt"), "--out", str(tmp_path / "out"))
    assert done.returncode == 2
    assert done.stderr == "train.py: the text has 9 characters, which is too short to learn from\n"


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-B", str(FOLDER / "train.py"), *words], capture_output=True, text=True, check=False
    )


def test_a_short_training_learns_saves_and_samples(tmp_path: Path) -> None:
    done = run("--out", str(tmp_path), "--steps", "60", "--every", "30", "--model", "tiny", "--length", "80")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("tiny: ")
    figures = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert [row["step"] for row in figures] == [1, 30, 60]
    assert figures[-1]["held_out_loss"] < figures[0]["held_out_loss"] - 0.8
    first = run("--sample", str(tmp_path / "model.npz"), "--length", "80")
    again = run("--sample", str(tmp_path / "model.npz"), "--length", "80")
    assert first.stdout == again.stdout == (tmp_path / "sample.txt").read_text()
    assert len(first.stdout) > 40


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--sample", "none.npz"], "none.npz"),
        (["--text", "none.txt", "--out", "x"], "none.txt"),
    ],
    ids=["no-model", "no-text"],
)
def test_a_missing_file_is_2_and_named(words: list[str], says: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-B", str(FOLDER / "train.py"), *words],
        capture_output=True, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr
