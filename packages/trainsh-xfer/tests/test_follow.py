"""The checkpoint pump: a folder on a real host is followed into a real S3 service."""

import contextlib
import os
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from trainsh_world import wait_until
from world_s3 import Service, s3_service

from trainsh_base.errors import CredentialError, TrainError, UsageError
from trainsh_xfer import follow as verbs
from trainsh_xfer.follow import Wish
from trainsh_xfer.model import Following, Options, Order


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One storage service for all tests of this module."""
    with s3_service(tmp_path_factory.mktemp("s3"), f"key-{os.urandom(8).hex()}") as running:
        yield running


class Training:
    """A host with rclone and the folder `ckpt`, which is followed into a folder of `r2:first`."""

    def __init__(self, world: Any, request: Any, service: Service, name: str) -> None:
        self.world = world
        self.box = world.sshd("box")
        self.request = request
        self.folder: Path = self.box.home / "ckpt"
        self.folder.mkdir()
        self.stored = service.folder / "first" / name
        (self.box.home / "bin").mkdir()
        (self.box.home / "bin" / "rclone").symlink_to(shutil.which("rclone") or "")
        (self.box.home / ".bashrc").write_text("export PATH=$HOME/bin:$PATH\n")
        self.order = Order(
            source="@box:ckpt/", destination=f"r2:first/{name}/", options=Options(), hosts={"box": world.spec(self.box)}
        )  # fmt: skip

    def follow(self, **wish: Any) -> Following:
        """Follow the folder, with a look at it every second."""
        return verbs.follow(self.order, Wish(**({"every": 1, "settle": 1} | wish)), self.request)

    def unfollow(self) -> Following:
        """Unfollow the folder, so that the pump does a last round."""
        return verbs.unfollow(self.order, "", self.request)

    @property
    def status(self) -> Following:
        """The state of the pump, from `status`."""
        [found] = verbs.status("", self.request)
        return found

    @property
    def names(self) -> set[str]:
        """The checkpoints in the storage."""
        return {path.name for path in self.stored.iterdir()} if self.stored.exists() else set()

    def write(self, number: int, *, folder: bool = False, size: int = 10_000) -> None:
        """Write a complete checkpoint."""
        path = self.folder / f"step-{number}"
        if folder:
            path.mkdir()
            (path / "model.bin").write_bytes(bytes([number]) * size)
            (path / "optimizer.bin").write_bytes(bytes(size))
        else:
            path.write_bytes(bytes([number]) * size)
        moment = time.time() - 60 + number
        os.utime(path, (moment, moment))

    def kill(self) -> None:
        """Kill the pump on the host: this world's, since those of other tests run on this machine too."""
        for entry in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                ours = f"TRAINSH_WORLD={self.world.mark}".encode() in (entry / "environ").read_bytes()
                words = (entry / "cmdline").read_bytes()
                if ours and words.startswith(b"sh\0") and b"trainsh-xfer" in words:
                    os.kill(int(entry.name), signal.SIGKILL)


@pytest.fixture
def training(
    world: Any, service: Service, monkeypatch: pytest.MonkeyPatch, request_: Any, request: pytest.FixtureRequest
) -> Training:
    """The host, and the service's key in the environment of this machine."""
    monkeypatch.setenv("R2_ACCESS_KEY", service.key)
    monkeypatch.setenv("R2_SECRET_KEY", service.secret)
    monkeypatch.setenv("TRAINSH_R2_ENDPOINT", service.address)
    return Training(world, request_, service, "".join(c if c.isalnum() else "-" for c in request.node.name))


def test_the_newest_are_kept_and_their_age_is_told(training: Training) -> None:
    for number in range(1, 5):
        training.write(number, folder=number % 2 == 0)
    (training.folder / "latest").symlink_to("step-4")
    assert training.follow(keep=2).state == "following"
    wait_until(lambda: training.names == {"step-3", "step-4"}, "the newest two")
    wait_until(lambda: training.status.newest == "step-4", "its name")
    assert 50 < (training.status.age or 0) < 300
    assert training.follow(keep=2).state == "following"
    assert any("already" in event["message"] for event in training.request.of("log"))
    training.write(5)
    wait_until(lambda: training.names == {"step-4", "step-5"}, "the next")
    kept = [path.read_bytes() for path in (training.box.home / ".cache").rglob("*") if path.is_file()]
    assert kept
    assert not any(os.environ["R2_SECRET_KEY"].encode() in data for data in kept)
    (training.stored / "mine").write_text("not the pump's")
    training.write(6, folder=True)
    ended = training.unfollow()
    assert (ended.state, ended.newest, ended.kept) == ("ended", "step-6", 2)
    assert training.names == {"step-5", "step-6", "mine"}
    assert (training.stored / "step-6" / "model.bin").read_bytes() == bytes([6]) * 10_000
    assert verbs.status("", training.request) == []
    assert sorted((training.box.home / ".cache").rglob("*")) == []
    assert training.unfollow().state == "ended"


@pytest.mark.faults
def test_what_is_being_written_waits_and_what_does_not_match_stays(training: Training) -> None:
    training.write(1)
    (training.folder / "train.log").write_text("loss")
    training.follow(match="step-*", settle=2)
    wait_until(lambda: training.names == {"step-1"}, "the first")
    with (training.folder / "step-2").open("wb") as file:
        deadline = time.monotonic() + 3.5
        while time.monotonic() < deadline:
            file.write(b"x" * 1000)
            file.flush()
            time.sleep(0.1)
            assert "step-2" not in training.names
    wait_until(lambda: "step-2" in training.names, "the second")
    assert (training.stored / "step-2").stat().st_size == (training.folder / "step-2").stat().st_size
    training.unfollow()
    assert training.names == {"step-1", "step-2"}


def test_it_ends_with_the_sessions_of_its_job_after_a_last_round(training: Training) -> None:
    training.world.run("ssh", "box", "tmux -L train-job7 new-session -d -s work")
    training.follow(job="job7")
    wait_until(lambda: training.status.state == "following", "the pump")
    training.write(1)
    wait_until(lambda: training.names == {"step-1"}, "the first")
    training.write(2)
    training.world.run("ssh", "box", "tmux -L train-job7 kill-server")
    wait_until(lambda: training.status.state == "ended", "its end")
    assert (training.names, training.status.newest) == ({"step-1", "step-2"}, "step-2")
    assert verbs.status("another", training.request) == []
    assert training.unfollow().newest == "step-2"


def test_one_that_was_killed_is_lost_and_unfollow_still_makes_all_safe(training: Training) -> None:
    training.write(1)
    training.follow(keep=1)
    wait_until(lambda: training.names == {"step-1"}, "the first")
    wait_until(lambda: training.status.newest == "step-1", "its name")
    training.kill()
    wait_until(lambda: training.status.state == "lost", "that it is lost")
    assert training.status.newest == "step-1"
    training.write(2)
    assert training.unfollow().newest == "step-2"
    assert "step-2" in training.names


def test_what_cannot_be_followed_is_told_at_once(training: Training, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="folder on a host"):
        verbs.follow(Order(source="/tmp", destination="r2:first/x", options=Options()), Wish(), training.request)
    monkeypatch.setenv("R2_SECRET_KEY", "wrong")
    with pytest.raises(CredentialError):
        training.follow()
    assert verbs.status("", training.request) == []
    monkeypatch.undo()


@pytest.mark.faults
def test_a_round_that_fails_is_told_and_unfollow_is_an_error(training: Training) -> None:
    training.follow()
    training.write(1)
    (training.folder / "step-1").chmod(0o600)
    training.stored.parent.joinpath(training.stored.name).write_text("a file where the folder should be")
    wait_until(lambda: training.status.failed, "the error")
    with pytest.raises(TrainError, match="not every checkpoint") as caught:
        training.unfollow()
    assert (caught.value.code, caught.value.exit_status) == ("not_safe", 1)
    training.stored.unlink()
    assert training.unfollow().newest == "step-1"
