"""Compares transfers with the raw tool and its best flags, on the same endpoints.

Both run in turns, and their median times are compared. Run it with:

python packages/trainsh-xfer/tests/bench_xfer.py
"""

import contextlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[2] / "tests" / "world")]

from trainsh_world import World, new_world  # noqa: E402
from world_s3 import Service, s3_service  # noqa: E402

from trainsh_base.request import Request  # noqa: E402
from trainsh_xfer.hosts.machines import Connection, resolve  # noqa: E402

SMALL, LARGE, MANY = 2000, 200_000_000, 100_000
ROUNDS = 5
RAW = 1 / 0.95
Figure = tuple[str, float, float]


def figures() -> list[Figure]:
    """Tuples (name, measured, bar).

    A time is divided by the raw tool's time, and the growth of memory is divided by the growth that is allowed.
    """
    with new_world() as world, _environment(world), Serve() as serve:
        box = world.sshd("box")
        trees = _trees(world.folder)
        found = _hosts(Connection(resolve(world.spec(box)), Request()), box.home, trees, serve, world.spec(box))
        (world.folder / "s3").mkdir()
        with s3_service(world.folder / "s3") as service:
            found += _storages(service, trees, serve)
        found.append(_memory(world.folder, serve))
        return found


@contextlib.contextmanager
def _environment(world: World) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(world.env, PYTHON_KEYRING_BACKEND="keyring.backends.fail.Keyring")
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


class Serve:
    """A `train-xfer serve` process, as a running recipe uses it."""

    def __enter__(self) -> "Serve":
        self._number = 0
        self.process = self._start()
        return self

    @staticmethod
    def _start() -> "subprocess.Popen[str]":
        return subprocess.Popen(["train-xfer", "serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def restart(self) -> None:
        """Start a new process, which gets the current environment."""
        self.__exit__()
        self.process = self._start()

    def copy(self, source: str, destination: str, **params: Any) -> dict[str, Any]:
        """Make one transfer, and return the answer."""
        assert self.process.stdin
        assert self.process.stdout
        self._number += 1
        params = {"source": source, "destination": destination, **params}
        request = {"jsonrpc": "2.0", "id": self._number, "method": "copy", "params": params}
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        while True:
            line = json.loads(self.process.stdout.readline())
            if line.get("id") == self._number and "method" not in line:
                assert "result" in line, line
                return dict(line["result"])

    def __exit__(self, *_: object) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait(30)


def _trees(folder: Path) -> dict[str, Path]:
    """Many small files, and one large file that does not compress."""
    trees = {name: folder / name for name in ("small", "large")}
    for tree in trees.values():
        tree.mkdir()
    data = os.urandom(4096 + SMALL)
    for number in range(SMALL):
        (trees["small"] / f"f{number}").write_bytes(data[number : number + 4096])
    with (trees["large"] / "model.safetensors").open("wb") as file:
        for _ in range(LARGE // 1_000_000):
            file.write(os.urandom(1_000_000))
    return trees


def _one(trees: dict[str, Path]) -> Path:
    """A folder with one small file. A copy of this folder takes as long as the start of any copy."""
    folder = trees["small"].parent / "one"
    folder.mkdir(exist_ok=True)
    (folder / "f").write_text("x")
    return folder


def _hosts(connection: Connection, home: Path, trees: dict[str, Path], serve: Serve, spec: str) -> list[Figure]:
    connection.open()
    remote, target = connection.remote(), connection.target
    env = {**os.environ, **target.env}

    def ours(tree: Path) -> Callable[[], object]:
        return lambda: serve.copy(f"{tree}/", "@box:to", hosts={"box": spec})

    def run(*words: str) -> None:
        subprocess.run(words, env=env, check=True, stdout=subprocess.DEVNULL)

    def raw(tree: Path) -> Callable[[], None]:
        return lambda: run(
            "rsync", "-rlpt", "--whole-file", "-e", remote.shell, "--", f"{tree}/", f"{remote.host}:to"
        )

    def tar(tree: Path) -> None:
        line = "mkdir -p to && tar -xf - -C to"
        archive = subprocess.Popen(["tar", "-cf", "-", "-C", str(tree), "."], stdout=subprocess.PIPE)
        subprocess.run(connection.words(line), stdin=archive.stdout, env=env, check=True)
        archive.wait()

    def scp(tree: Path) -> None:
        words = connection.words("")[:-1]
        run(
            "scp",
            "-q",
            "-r",
            "-o",
            f"ControlPath={connection.path}",
            *_scp_options(words),
            str(tree),
            f"{remote.host}:to",
        )

    fresh = lambda: shutil.rmtree(home / "to", ignore_errors=True)  # noqa: E731
    found = []
    one = _one(trees)
    starts = _medians(fresh, ours(one), raw(one), rounds=2 * ROUNDS)
    for name, tree in trees.items():
        took = _medians(fresh, ours(tree), raw(tree), rounds=2 * ROUNDS)
        mine, bare = (each - start for each, start in zip(took, starts, strict=True))
        found.append((f"{name}: upload over raw rsync, both without their start", mine / bare, RAW))
        if name == "small":
            mine, packed, copied = _medians(
                fresh, ours(tree), lambda tree=tree: tar(tree), lambda tree=tree: scp(tree)
            )
            found.append(("small: upload over scp -r", mine / copied, 1.0))
            found.append(("small: upload over tar through ssh", mine / packed, 1.5))
    fresh()
    ours(trees["small"])()
    mine, bare = _medians(lambda: None, ours(trees["small"]), raw(trees["small"]), rounds=4 * ROUNDS)
    found.append(("nothing changed: a step, of 1.3 raw rsync + 20 ms", mine / (1.3 * bare + 0.02), 1.0))
    return found


def _scp_options(words: list[str]) -> list[str]:
    """Those options of an ssh command line that scp takes too: `-o`, `-i`, and the port, which scp spells `-P`."""
    found = []
    for at, word in enumerate(words):
        if word in ("-o", "-i", "-F"):
            found += [word, words[at + 1]]
        elif word == "-p":
            found += ["-P", words[at + 1]]
    return found


def _storages(service: Service, trees: dict[str, Path], serve: Serve) -> list[Figure]:
    settings = {
        "TYPE": "s3", "PROVIDER": "Other", "ACCESS_KEY_ID": service.key, "SECRET_ACCESS_KEY": service.secret,
        "ENDPOINT": service.address, "REGION": "us-east-1", "FORCE_PATH_STYLE": "true", "NO_CHECK_BUCKET": "true",
    }  # fmt: skip
    os.environ.update({f"RCLONE_CONFIG_T_{key}": value for key, value in settings.items()})
    os.environ.update(
        AWS_ACCESS_KEY_ID=service.key, AWS_SECRET_ACCESS_KEY=service.secret, TRAINSH_S3_ENDPOINT=service.address,
        RCLONE_CONFIG=os.devnull,
    )  # fmt: skip
    serve.restart()

    def raw(tree: Path) -> None:
        flags = ["--transfers=8", "--checkers=16", "--s3-upload-concurrency=8", "--s3-chunk-size=16M"]
        subprocess.run(["rclone", "copy", *flags, str(tree), "T:first/to"], check=True)

    def ours(tree: Path) -> None:
        serve.copy(f"{tree}/", "s3:first/to")

    fresh = lambda: shutil.rmtree(service.folder / "first" / "to", ignore_errors=True)  # noqa: E731
    one = _one(trees)
    starts = _medians(fresh, lambda: ours(one), lambda: raw(one), rounds=2 * ROUNDS)
    found = []
    for name, tree in trees.items():
        took = _medians(fresh, lambda tree=tree: ours(tree), lambda tree=tree: raw(tree), rounds=2 * ROUNDS)
        mine, bare = (each - start for each, start in zip(took, starts, strict=True))
        found.append((f"{name}: to S3 over raw rclone, both without their start", mine / bare, RAW))
    return found


def _memory(folder: Path, serve: Serve) -> Figure:
    """How much more memory train-xfer takes for many files than for few, as a share of 8 MiB."""
    few, many = folder / "few", folder / "many"
    few.mkdir()
    (few / "f").touch()
    for number in range(MANY):
        path = many / str(number // 1000)
        if number % 1000 == 0:
            path.mkdir(parents=True)
        (path / str(number)).touch()
    serve.copy(f"{few}/", str(folder / "few-to"))
    before = _peak(serve.process.pid)
    serve.copy(f"{many}/", str(folder / "many-to"))
    return f"memory of train-xfer for {MANY} files over one, of 8 MiB", (_peak(serve.process.pid) - before) / 8, 1.0


def _peak(process: int) -> float:
    text = Path(f"/proc/{process}/status").read_text()
    return int(next(line for line in text.splitlines() if line.startswith("VmHWM")).split()[1]) / 1024


def _medians(prepare: Callable[[], object], *ways: Callable[[], object], rounds: int = ROUNDS) -> list[float]:
    """The median time of each way in seconds, after one round that does not count.

    `prepare` runs before each call.
    """
    took: list[list[float]] = [[] for _ in ways]
    for number in range(rounds + 1):
        for at, way in enumerate(ways):
            prepare()
            began = time.perf_counter()
            way()
            if number:
                took[at].append(time.perf_counter() - began)
    return [statistics.median(each) for each in took]


if __name__ == "__main__":
    for name, measured, bar in figures():
        print(f"{measured:7.2f} of {bar:5.2f}  {name}")
