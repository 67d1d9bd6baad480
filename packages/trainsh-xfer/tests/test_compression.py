"""Text is compressed for a host whose link was slow. Checkpoints and archives are never compressed."""

import random
from pathlib import Path
from typing import Any

import pytest

from trainsh_base.remote.target import Target
from trainsh_xfer.engines import compressible, rsync
from trainsh_xfer.engines.rsync import Remote, Rsync
from trainsh_xfer.engines.rsync_output import Tally
from trainsh_xfer.hosts import link_rates
from trainsh_xfer.model import Options, Order, Result
from trainsh_xfer.transfer import carry_out


@pytest.mark.parametrize(
    ("files", "pays"),
    [
        ({"a.txt": 100, "sub/b.py": 100}, True),
        ({"a.jsonl": 3_000_000}, True),
        ({"a.txt": 50_000_000, "model.safetensors": 2_000_000}, False),
        ({"a.txt": 1000, "b.zip": 1000}, False),
        ({"a.txt": 1000, "icon.png": 90}, True),
        ({"f1": 1000}, False),
        ({"epoch.ckpt": 5}, False),
        ({}, False),
    ],
)
def test_what_is_worth_compressing(files: dict[str, int], pays: bool, tmp_path: Path) -> None:
    for name, size in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        with (tmp_path / name).open("wb") as file:
            file.truncate(size)
    assert compressible.pays([f"{tmp_path}/"]) == pays


def test_a_link_is_slow_when_the_last_long_transfer_was() -> None:
    target = Target(kind="ssh", name="box", label="box", argv=["ssh", "box"])
    done = Tally(keep=False)
    done.files, done.bytes, done.sent = 1, 20_000_000, 20_000_000
    assert not link_rates.is_slow(target)
    link_rates.note(target, done, 10)
    assert link_rates.is_slow(target)
    link_rates.note(target, done, 0.5)  # too short to tell
    assert link_rates.is_slow(target)
    link_rates.note(target, done, 1.2)
    assert not link_rates.is_slow(target)


def test_the_options_of_rsync() -> None:
    words = rsync.copy(
        Rsync("rsync", (3, 2, 7)), Options(compress=True), ["/a"], "box:/b", remote=Remote("ssh", "box")
    )
    assert "--compress-choice=zstd" in words


class Slow:
    """A host for which an earlier transfer has found that its link is slow."""

    def __init__(self, host: Any, spec: str, request: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        self.home: Path = host.home
        self.spec, self.request = spec, request
        monkeypatch.setattr(link_rates, "is_slow", lambda _: True)

    def copy(self, source: Path) -> Result:
        order = Order(source=f"{source}/", destination="@box:to", options=Options(), hosts={"box": self.spec})
        return carry_out(order, self.request)


def texts(folder: Path, size: int) -> None:
    """Make a log file of `size` bytes, which compresses to about a third."""
    chance = random.Random(1)
    words = [f"word{chance.randrange(3000)}" for _ in range(5000)]
    folder.mkdir()
    (folder / "run.log").write_text(" ".join(chance.choices(words, k=size // 9)))


def test_a_host_that_cannot_decompress_gets_the_files_anyhow(
    world: Any, tmp_path: Path, request_: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = world.sshd("box")
    texts(tmp_path / "logs", 300_000)
    (box.home / ".bashrc").write_text("export PATH=$HOME/bin:$PATH\n")
    (box.home / "bin").mkdir()
    slow = Slow(box, world.spec(box), request_, monkeypatch)
    assert slow.copy(tmp_path / "logs").sent < 200_000
    (box.home / "bin" / "rsync").write_text(  # behaves like an rsync older than 3.2
        '#!/bin/sh\ncase "$*" in *zstd*) echo "rsync: --compress-choice=zstd: unknown option" >&2; exit 1 ;; esac\n'
        'exec /usr/bin/rsync "$@"\n'
    )
    (box.home / "bin" / "rsync").chmod(0o755)
    (tmp_path / "logs" / "more.log").write_text("more")
    assert slow.copy(tmp_path / "logs").files == 1
    assert any("not compressing" in event["message"] for event in request_.of("log"))
    assert (box.home / "to" / "more.log").read_text() == "more"


@pytest.mark.faults
def test_on_a_slow_link_it_pays(world: Any, tmp_path: Path, request_: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    host = world.network_host("far", rate=2_000_000)
    texts(tmp_path / "logs", 9_000_000)
    order = Order(
        source=f"{tmp_path}/logs/",
        destination="@box:first",
        options=Options(),
        hosts={"box": world.spec(host.sshd)},
    )
    plain = carry_out(order, request_)  # this transfer finds that the link is slow
    order = Order(source=f"{tmp_path}/logs/", destination="@box:second", options=Options(), hosts=order.hosts)
    packed = carry_out(order, request_)
    assert packed.sent < 0.6 * plain.sent
    assert packed.seconds < 0.8 * plain.seconds
